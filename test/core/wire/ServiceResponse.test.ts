import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as fc from "effect/FastCheck"
import type { CallbackFailure } from "../../../core/model/OssError.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import type { Response } from "../../../core/ports/Transport.ts"
import * as ServiceResponse from "../../../core/wire/ServiceResponse.ts"

const errorXml = (code: string, message: string, more = "") =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>65A1</RequestId><HostId>media.oss-cn-hangzhou.aliyuncs.com</HostId>${more}</Error>`

const response = (status: number, body = "", headers: Record<string, string> = {}): Response => ({
  status,
  headers: { "x-oss-request-id": "65A1", ...headers },
  body: Utf8.encode(body)
})

const objectHeaders = { etag: `"9A0364B9E99BB480DD25E1F0284C8555"`, "x-oss-hash-crc64ecma": "11051210869376104954" }

const outcome = (answer: Response) => Either.getOrThrow(ServiceResponse.toStored("PutObject", answer, true)).callback

describe("ServiceResponse.toStored", () => {
  it("gives the receipt's facts, the ETag without quotes and a CRC-64 beyond 2^53 exactly", () => {
    assert.deepStrictEqual(
      Either.getOrThrow(ServiceResponse.toStored("PutObject", response(200, "", objectHeaders), false)),
      {
        etag: "9A0364B9E99BB480DD25E1F0284C8555",
        crc64: 11051210869376104954n,
        versionId: undefined,
        requestId: "65A1",
        callback: undefined
      }
    )
  })

  it("hands on the application's bytes as they are", () => {
    const answered = outcome(response(200, `{"videoId":"v1"}`, objectHeaders))
    assert.deepStrictEqual(answered, { _tag: "Answered", body: Utf8.encode(`{"videoId":"v1"}`) })
  })

  it("takes 203 as stored, and tells why the callback failed", () => {
    const reasons: ReadonlyArray<readonly [string, string, CallbackFailure]> = [
      ["Error status : 500.", "0007-00000203", "BadStatus"],
      ["Error status : 301.", "0007-00000203", "BadStatus"],
      ["Error status : -1.OSS can not connect to your callbackUrl, please check it.", "0007-00000203", "CannotConnect"],
      [
        "Error status : -1 10.0.0.1:80 reply timeout, cost:5000ms, timeout:5000ms (err -4, errno115)",
        "0007-00000203",
        "TimedOut"
      ],
      ["Response body is not valid json format.", "0007-00000205", "NotJson"],
      ["Error Status : 400.User server return too long content-length value", "0007-00000203", "TooLong"],
      ["Error Status : 400.User server missing content-length.", "0007-00000203", "Other"],
      ["Too many callback requests.", "0007-00000201", "TooMany"],
      ["Cost too long time.", "0007-00000202", "TimedOut"],
      ["Something new.", "0007-00000202", "TimedOut"],
      ["Something new.", "0007-00009999", "Other"]
    ]
    for (const [message, ec, reason] of reasons) {
      const failed = outcome(response(203, errorXml("CallbackFailed", message, `<EC>${ec}</EC>`)))
      assert.deepStrictEqual(failed, { _tag: "Failed", reason, detail: message, ec })
    }
  })

  it("takes a 203 without a readable body as stored too", () => {
    assert.deepStrictEqual(outcome(response(203, "oops")), {
      _tag: "Failed",
      reason: "Other",
      detail: "no reason given",
      ec: ""
    })
  })
})

describe("ServiceResponse.toError", () => {
  it("reads code, message, request and host, and says them in one line", () => {
    const error = ServiceResponse.toError(
      "PutObject",
      response(403, errorXml("AccessDenied", "Request has expired.", "<EC>0002-00000236</EC>"))
    )
    assert.strictEqual(error.code, "AccessDenied")
    assert.strictEqual(error.hostId, "media.oss-cn-hangzhou.aliyuncs.com")
    assert.strictEqual(
      error.message,
      "PutObject: 403 AccessDenied (EC 0002-00000236, request 65A1); Request has expired."
    )
  })

  it("stays on one line, however OSS's sentence is written, and bounded, however long it is", () => {
    const message = "a\nb\r\n2025-07-15 INFO all is well\u009b31m\u2028\u202ec" + "🎬".repeat(1_000_000)
    const error = ServiceResponse.toError("PutObject", response(403, errorXml("No\nCode", message, "<EC>1\n2</EC>")))
    assert.match(
      error.message,
      /^PutObject: 403 No Code \(EC 1 2, request 65A1\); a b 2025-07-15 INFO all is well 31m c\S{200,300} ?…$/u
    )
    assert.strictEqual(error.serverMessage.length, message.length - 1) // as it came, but for the CR that XML does not know
  })

  it("reads the error of a HEAD request out of x-oss-err", () => {
    // By its status alone it would be NoSuchKey.
    const document = Encoding.encodeBase64(errorXml("NoSuchBucket", "The specified bucket does not exist."))
    const error = ServiceResponse.toError(
      "HeadObject",
      response(404, "", { "x-oss-err": document, "x-oss-ec": "0015-00000101" })
    )
    assert.strictEqual(
      error.message,
      "HeadObject: 404 NoSuchBucket (EC 0015-00000101, request 65A1); The specified bucket does not exist."
    )
  })

  it("makes an error of 10,000 mutations of an answer, wherever its document stands", () => {
    const xml = errorXml("AccessDenied", "no &amp; never", "<EC>0003-00000001</EC>")
    const base64 = Encoding.encodeBase64(xml)
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom("<", "&", "=", "\r", "<a>", "]]>")
    )
    const mutate = (text: string, at: number, cut: number, put: string) => {
      const from = Math.floor(at * text.length)
      return text.slice(0, from) + put + text.slice(from + cut)
    }
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(5), piece, (at, cut, put) => {
        const answers = [
          response(403, mutate(xml, at, cut, put)),
          response(403, "", { "x-oss-err": mutate(base64, at, cut, put) }),
          response(403, "", { "x-oss-err": Encoding.encodeBase64(mutate(xml, at, cut, put)) })
        ]
        return answers.every((answer) => ServiceResponse.toError("HeadObject", answer).code !== "")
      }),
      { numRuns: 10_000 }
    )
  }, 120_000)

  it("goes by the status when there is no document", () => {
    assert.strictEqual(ServiceResponse.toError("HeadObject", response(404)).code, "NoSuchKey")
    assert.strictEqual(ServiceResponse.toError("PutObject", response(502, "<html>Bad gateway</html>")).code, "Http502")
  })

  it("learns the server's time from the document, or else from the Date header", () => {
    const xml = errorXml("RequestTimeTooSkewed", "", "<ServerTime>2025-07-15T09:30:45.000Z</ServerTime>")
    assert.strictEqual(
      ServiceResponse.toError("PutObject", response(403, xml)).serverTime,
      Date.UTC(2025, 6, 15, 9, 30, 45)
    )
    const dated = response(403, "", { date: "Tue, 15 Jul 2025 09:30:45 GMT" })
    assert.strictEqual(ServiceResponse.toError("PutObject", dated).serverTime, Date.UTC(2025, 6, 15, 9, 30, 45))
  })
})
