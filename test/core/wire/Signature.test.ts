/**
 * What can be signed, what is refused and how. The bytes themselves: SignatureVectors.test.ts.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as Signature from "../../../core/wire/Signature.ts"

const signer = Signature.make(crypto)
const time = Date.UTC(2025, 6, 15, 9, 30, 45, 999)
const credentials = { accessKeyId: "LTAIfake", accessKeySecret: Redacted.make("fake-secret") }
const terms: Signature.PresignTerms = { credentials, region: "cn-hangzhou", time, expiresIn: 3600 }
const request: Signature.Request = { method: "PUT", bucket: "media", key: "a b.txt", query: {}, headers: {} }

const refusal = (result: Either.Either<unknown, InvalidParam>): string => Either.getOrThrow(Either.flip(result)).message

/** The message of the refusal, when all forms that take a request refuse alike. */
const refusedByAll = (request: Signature.Request): string => {
  const messages = [
    refusal(Signature.signHeaders(signer, request, terms)),
    refusal(Signature.presign(signer, request, terms)),
    refusal(Signature.presignParts(signer, request, terms, [1]))
  ]
  assert.strictEqual(new Set(messages).size, 1, messages.join("; "))
  return messages[0]!
}

const linesOf = (request: Signature.Request) =>
  Either.getOrThrow(Signature.signHeaders(signer, request, terms)).canonicalRequest.split("\n")

describe("the signed headers", () => {
  it("are content-type, content-md5 and x-oss-*, in lower case and sorted by bytes", () => {
    const headers = {
      "X-Oss-Meta-B": "2",
      "x-oss-meta-a-b": "3",
      "x-oss-meta-a": "1",
      "Content-Type": "text/plain",
      "CONTENT-MD5": "XrY7u+Ae7tCTyyK7j1rNww==",
      Host: "media.example.com",
      Range: "bytes=0-1"
    }
    assert.deepStrictEqual(linesOf({ ...request, headers }).slice(3, -3), [
      "content-md5:XrY7u+Ae7tCTyyK7j1rNww==",
      "content-type:text/plain",
      "x-oss-content-sha256:UNSIGNED-PAYLOAD",
      "x-oss-date:20250715T093045Z",
      "x-oss-meta-a:1",
      "x-oss-meta-a-b:3",
      "x-oss-meta-b:2"
    ])
  })

  it("lose spaces and tabs at the ends of their values, and nothing else", () => {
    const headers = { "x-oss-meta-a": " \t a \t b\t ", "x-oss-meta-b": "\u00a0b\u3000", "x-oss-meta-c": " \t" }
    assert.deepStrictEqual(linesOf({ ...request, headers }).slice(5, 8), [
      "x-oss-meta-a:a \t b",
      "x-oss-meta-b:\u00a0b\u3000",
      "x-oss-meta-c:"
    ])
  })

  it.each(["\r", "\n", "\0", "\r\nx-oss-object-acl: public-read"])("may not hold %j, wherever it stands", (forged) => {
    for (const name of ["x-oss-meta-a", "content-type", "cache-control"]) {
      const message = refusedByAll({ ...request, headers: { [name]: `secret${forged}` } })
      assert.strictEqual(message, `${name}: must not contain a line break or NUL: it would forge a header`)
    }
  })

  it("may not hold a lone surrogate", () => {
    assert.strictEqual(
      refusedByAll({ ...request, headers: { "x-oss-meta-a": "secret\ud800" } }),
      "x-oss-meta-a: must be well-formed Unicode, got a lone surrogate"
    )
  })

  it.each(["x-oss-meta-a b", "x-oss-meta-a:", "x-oss-meta-ä", "x-oss-meta-\u212a", "", "a\n"])(
    "may not be called %j",
    (name) => {
      assert.strictEqual(
        refusedByAll({ ...request, headers: { [name]: "1" } }),
        `headers: must have names as HTTP has them, got ${JSON.stringify(name)}`
      )
    }
  )

  it("may not stand twice in two spellings, signed or not", () => {
    for (const [a, b] of [
      ["x-oss-meta-a", "X-Oss-Meta-A"],
      ["X-OSS-META-A", "X-Oss-Meta-A"],
      ["cache-control", "Cache-Control"]
    ] as const) {
      for (const headers of [
        { [a]: "1", [b]: "2" },
        { [b]: "1", [a]: "2" }
      ]) {
        assert.strictEqual(
          refusedByAll({ ...request, headers }),
          `${a.toLowerCase()}: must stand once, got two spellings`
        )
      }
    }
  })
})

describe("additional headers", () => {
  const sent = { Host: "media.example.com", "Content-Length": "9", "x-oss-meta-a": "1", "Cache-Control": " " }
  it("are named in lower case, sorted, once, and without those that are signed anyway", () => {
    const additionalHeaders = ["HOST", "content-length", "Host", "x-oss-meta-a", "Content-Type"]
    const { canonicalRequest, headers } = Either.getOrThrow(
      Signature.signHeaders(signer, { ...request, headers: sent, additionalHeaders }, terms)
    )
    assert.strictEqual(canonicalRequest.split("\n").at(-2), "content-length;host")
    assert.match(headers["authorization"]!, /,AdditionalHeaders=content-length;host,Signature=/)
  })

  it("are left out altogether when none remain", () => {
    const { query } = Either.getOrThrow(
      Signature.presign(signer, { ...request, headers: sent, additionalHeaders: ["x-oss-meta-a"] }, terms)
    )
    assert.notProperty(query, "x-oss-additional-headers")
  })

  it.each(["range", "cache-control", "constructor"])("must be on the request with a value, which %s is not", (name) => {
    assert.strictEqual(
      refusedByAll({ ...request, headers: sent, additionalHeaders: ["host", name] }),
      `additionalHeaders: must be on the request with a value, but "${name}" is not`
    )
  })

  it.each(["", "a;b", "a b", "Authorization", "hôst"])("may not be %j", (name) => {
    assert.strictEqual(
      refusedByAll({ ...request, headers: { authorization: "a" }, additionalHeaders: [name] }),
      `additionalHeaders: must be names of headers but Authorization, got ${JSON.stringify(name)}`
    )
  })
})

describe("what is signed", () => {
  it("must be well-formed Unicode: key, names and values of the query", () => {
    const reason = "must be well-formed Unicode, got a lone surrogate"
    assert.strictEqual(refusedByAll({ ...request, key: "a\ud83d" }), `key: ${reason}`)
    assert.strictEqual(refusedByAll({ ...request, query: { "a\udc00": "1" } }), `query: ${reason}`)
    assert.strictEqual(refusedByAll({ ...request, query: { a: "\udc00\ud800" } }), `query: ${reason}`)
    assert.strictEqual(refusedByAll({ ...request, bucket: "\ud800" }), `bucket: ${reason}`)
  })

  it.each(["put", "", "PUT\n/other", "P T"])("has a method in capitals, which %j is not", (method) => {
    assert.strictEqual(
      refusedByAll({ ...request, method }),
      `method: must be in capitals, got ${JSON.stringify(method)}`
    )
  })

  it("has a bucket where it has a key", () => {
    assert.strictEqual(refusedByAll({ ...request, bucket: undefined }), "bucket: must be given where a key is")
  })

  it("signs the bucket's own path as /bucket/, and the service's as /", () => {
    assert.strictEqual(linesOf({ ...request, key: undefined })[1], "/media/")
    assert.strictEqual(linesOf({ ...request, key: undefined, bucket: undefined })[1], "/")
  })

  it("keeps a query parameter with any name, __proto__ too", () => {
    const query = JSON.parse('{"__proto__":"1","constructor":"2"}') as Record<string, string> // an own property, in JSON
    const presigned = Either.getOrThrow(Signature.presign(signer, { ...request, query }, terms))
    assert.match(presigned.canonicalRequest, /\n__proto__=1&constructor=2&x-oss-credential=/)
    assert.deepStrictEqual(Object.keys(presigned.query).slice(-2), ["__proto__", "constructor"])
  })
})

/** The message of the refusal, when all forms refuse these terms alike. */
const refusedTerms = (wrong: object): string => {
  const bad = { ...terms, ...wrong }
  const messages = [
    refusal(Signature.signHeaders(signer, request, bad)),
    refusal(Signature.presign(signer, request, bad)),
    refusal(Signature.signPolicy(signer, "e30=", bad)),
    refusal(Signature.stamp(signer, bad))
  ]
  assert.strictEqual(new Set(messages).size, 1, messages.join("; "))
  return messages[0]!
}

describe("the terms", () => {
  it("have the region's ID, not the endpoint's label", () => {
    assert.strictEqual(
      refusedTerms({ region: "oss-cn-hangzhou" }),
      'region: must be the region\'s ID, "cn-hangzhou", got the endpoint\'s label "oss-cn-hangzhou"'
    )
    assert.match(refusedTerms({ region: "" }), /^region: /)
    assert.match(refusedTerms({ region: "cn/hangzhou" }), /^region: /)
    assert.match(refusedTerms({ product: "OSS" }), /^product: /)
  })

  it.each([-1, Number.NaN, Infinity, 253_402_300_800_000])(
    "have a time that can be written, which %d is not",
    (time) => {
      assert.strictEqual(
        refusedTerms({ time }),
        `time: must be 0 to 253402300799999 milliseconds since 1970, got ${time}`
      )
    }
  )

  it("cut milliseconds off, and take the date in UTC", () => {
    const times = [0, 999, Date.UTC(2024, 1, 29, 23, 59, 59, 999), 253_402_300_799_999]
    const stamps = times.map((time) => Either.getOrThrow(Signature.stamp(signer, { ...terms, time })))
    assert.deepStrictEqual(
      stamps.map(({ date }) => date),
      ["19700101T000000Z", "19700101T000000Z", "20240229T235959Z", "99991231T235959Z"]
    )
  })

  it("have an access key's ID that fits into a header", () => {
    for (const accessKeyId of ["", "a b", "a,b", "a\n", "ä"]) {
      assert.strictEqual(
        refusedTerms({ credentials: { ...credentials, accessKeyId } }),
        "accessKeyId: must be visible ASCII characters without a comma, at least one"
      )
    }
  })

  it("have a secret, and never show it", () => {
    for (const secret of ["", "secret\ud800"]) {
      assert.strictEqual(
        refusedTerms({ credentials: { ...credentials, accessKeySecret: Redacted.make(secret) } }),
        "accessKeySecret: must be well-formed Unicode and not empty"
      )
    }
  })

  it("have a token of visible characters, and never show it", () => {
    for (const token of ["token\r\nx: y", "tok en", "tokén", " "]) {
      assert.strictEqual(
        refusedTerms({ credentials: { ...credentials, securityToken: Redacted.make(token) } }),
        "securityToken: must be visible ASCII characters"
      )
    }
  })
})
