/**
 * What the emulator promises of multipart uploads.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"

const size = 100 * 1024

/** Bytes that differ from part to part. */
const part = (number: number, length = size): Uint8Array => new Uint8Array(length).fill(number)

const initiate = (key: string, input: Client.Input = {}) =>
  Effect.map(
    Client.send({ method: "POST", key, ...input, query: { uploads: "", ...input.query } }),
    (answer) => answer.xml("UploadId") ?? `none: ${answer.text}`
  )

const upload = (key: string, uploadId: string, number: number | string, body: Uint8Array, more: Client.Input = {}) =>
  Client.send({ method: "PUT", key, query: { partNumber: String(number), uploadId }, body, ...more })

const document = (parts: ReadonlyArray<readonly [number: number | string, etag: string]>): string =>
  `<CompleteMultipartUpload>${parts
    .map(([number, etag]) => `<Part><ETag>${etag}</ETag><PartNumber>${number}</PartNumber></Part>`)
    .join("")}</CompleteMultipartUpload>`

const complete = (key: string, uploadId: string, body: string, more: Client.Input = {}) =>
  Client.send({ method: "POST", key, body, ...more, query: { uploadId, ...more.query } })

/** An upload with these parts sent, and what they are called. */
const uploaded = (key: string, bodies: ReadonlyArray<Uint8Array>, input: Client.Input = {}) =>
  Effect.gen(function* () {
    const uploadId = yield* initiate(key, input)
    const parts: Array<readonly [number, string]> = []
    for (const [index, body] of bodies.entries()) {
      const answer = yield* upload(key, uploadId, index + 1, body)
      parts.push([index + 1, answer.headers["etag"] ?? ""])
    }
    return { uploadId, parts }
  })

export const multipart = (it: It): void => {
  describe("a multipart upload", () => {
    it.effect("becomes one object, of all its parts and what Initiate said of it", () =>
      Effect.gen(function* () {
        const bodies = [part(1), part(2), part(3, 5)]
        const { uploadId, parts } = yield* uploaded("m/whole", bodies, {
          headers: { "content-type": "video/mp4", "x-oss-meta-a": "b", "x-oss-storage-class": "IA" }
        })
        assert.match(uploadId, /^[0-9A-F]{32}$/)
        const done = yield* complete("m/whole", uploadId, document(parts))
        assert.strictEqual(done.status, 200)
        assert.strictEqual(done.xml("Key"), "m/whole")
        assert.match(done.xml("ETag") ?? "", /^"[0-9A-F]{32}-3"$/)
        assert.strictEqual(done.headers["etag"], done.xml("ETag"))
        const whole = new Uint8Array(Buffer.concat(bodies))
        assert.strictEqual(done.headers["x-oss-hash-crc64ecma"], Crc64.of(whole).toString())
        const got = yield* Client.get("m/whole")
        assert.deepStrictEqual(new Uint8Array(got.body), whole)
        assert.strictEqual(got.headers["content-type"], "video/mp4")
        assert.strictEqual(got.headers["x-oss-meta-a"], "b")
        assert.strictEqual(got.headers["x-oss-storage-class"], "IA")
        assert.strictEqual(got.headers["x-oss-object-type"], "Multipart")
        assert.isUndefined(got.headers["content-md5"])
        const across = yield* Client.get("m/whole", { headers: { range: `bytes=${size - 2}-${size + 1}` } })
        assert.deepStrictEqual([...across.body], [1, 1, 2, 2])
      })
    )

    it.effect("has the ETag that OSS would give it", () =>
      Effect.gen(function* () {
        // Recorded traffic: these two parts' ETags and the object's.
        const { etag } = yield* Effect.promise(() => import("../../../adapters/emulator/operations/Complete.ts"))
        const recorded = ["4DE8075FB607DF4D13FBC480EA488EFA", "AF947EC157726CEA88ED83B3C989063B"]
        const record = recorded.map((etag, i) => ({
          partNumber: i + 1,
          etag,
          size: 1,
          crc64: "0",
          modified: 0,
          file: ""
        }))
        assert.strictEqual(etag(record), "1C787C506EABFB9B45EAAA8DB039F4B2-2")
      })
    )

    it.effect("takes parts in any order, replaces one that comes again, and drops those not listed", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const uploadId = yield* initiate("m/order")
        const last = yield* upload("m/order", uploadId, 10_000, part(9, 3))
        yield* upload("m/order", uploadId, 7, part(7))
        yield* upload("m/order", uploadId, 1, part(8))
        const first = yield* upload("m/order", uploadId, 1, part(1))
        const listed = document([
          [1, first.headers["etag"] ?? ""],
          [10_000, (last.headers["etag"] ?? "").replaceAll('"', "").toLowerCase()]
        ])
        assert.strictEqual((yield* complete("m/order", uploadId, listed)).status, 200)
        const bytes = Option.getOrThrow(yield* oss.object("m/order"))
        assert.strictEqual(bytes.length, size + 3)
        assert.isTrue(bytes.subarray(0, size).every((byte) => byte === 1))
        assert.deepStrictEqual(yield* oss.uploads(), [])
      })
    )

    it.effect("is listed part by part, by pages, with each part's CRC-64", () =>
      Effect.gen(function* () {
        const { uploadId } = yield* uploaded("m/list", [part(1, 1), part(2, 2), part(3, 3)])
        const page = yield* Client.get("m/list", { query: { uploadId, "max-parts": "2" } })
        assert.strictEqual(page.xml("IsTruncated"), "true")
        assert.strictEqual(page.xml("NextPartNumberMarker"), "2")
        assert.strictEqual(page.xml("HashCrc64ecma"), Crc64.of(part(1, 1)).toString())
        assert.strictEqual(page.text.match(/<Part>/g)?.length, 2)
        const rest = yield* Client.get("m/list", { query: { uploadId, "part-number-marker": "2" } })
        assert.strictEqual(rest.xml("IsTruncated"), "false")
        assert.strictEqual(rest.xml("PartNumber"), "3")
        for (const bad of ["0", "1001", "x"]) {
          const refused = yield* Client.get("m/list", { query: { uploadId, "max-parts": bad } })
          assert.deepStrictEqual([refused.status, refused.xml("Code")], [400, "InvalidArgument"])
        }
      })
    )

    it.effect("spells keys as asked by encoding-type", () =>
      Effect.gen(function* () {
        const key = "m/ü&<\u0001"
        const query = { "encoding-type": "url" }
        const answer = yield* Client.send({ method: "POST", key, query: { uploads: "", ...query } })
        assert.strictEqual(answer.xml("Key"), "m%2F%C3%BC%26%3C%01")
        assert.strictEqual(answer.xml("EncodingType"), "url")
        const uploadId = answer.xml("UploadId") ?? ""
        assert.strictEqual((yield* Client.get(key, { query: { uploadId, ...query } })).xml("EncodingType"), "url")
        yield* upload(key, uploadId, 1, part(1, 1))
        const done = yield* complete(key, uploadId, "", { headers: { "x-oss-complete-all": "yes" }, query })
        assert.strictEqual(done.xml("Key"), "m%2F%C3%BC%26%3C%01")
        const bad = yield* Client.send({ method: "POST", key, query: { uploads: "", "encoding-type": "gzip" } })
        assert.deepStrictEqual([bad.status, bad.xml("Code")], [400, "InvalidArgument"])
      })
    )

    it.effect("is gone after Abort and after Complete, for every request but a new one", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const { uploadId, parts } = yield* uploaded("m/gone", [part(1)])
        assert.strictEqual((yield* Client.send({ method: "DELETE", key: "m/gone", query: { uploadId } })).status, 204)
        const refusals = yield* Effect.all([
          upload("m/gone", uploadId, 1, part(1)),
          Client.get("m/gone", { query: { uploadId } }),
          complete("m/gone", uploadId, document(parts)),
          Client.send({ method: "DELETE", key: "m/gone", query: { uploadId } })
        ])
        for (const refused of refusals) {
          assert.deepStrictEqual([refused.status, refused.xml("Code")], [404, "NoSuchUpload"])
          assert.strictEqual(refused.xml("UploadId"), uploadId)
        }
        assert.deepStrictEqual(
          refusals.map((refused) => refused.xml("EC")),
          ["0017-00000244", "0042-00000002", "0042-00000002", "0042-00000002"]
        )
        assert.isTrue(Option.isNone(yield* oss.object("m/gone")))
        const other = yield* uploaded("m/other", [part(1)])
        const wrongKey = yield* complete("m/gone", other.uploadId, document(other.parts))
        assert.strictEqual(wrongKey.xml("Code"), "NoSuchUpload")
        assert.strictEqual((yield* complete("m/other", other.uploadId, document(other.parts))).status, 200)
        assert.strictEqual(
          (yield* complete("m/other", other.uploadId, document(other.parts))).xml("Code"),
          "NoSuchUpload"
        )
      })
    )

    it.effect("refuses lists that do not fit the parts, and is still there afterwards", () =>
      Effect.gen(function* () {
        const { uploadId, parts } = yield* uploaded("m/bad", [part(1, size - 1), part(2)])
        const [one, two] = parts.map(([, etag]) => etag) as [string, string] // two parts
        const cases: ReadonlyArray<readonly [string, string, string]> = [
          ["", "MalformedXML", "0042-00000205"],
          ["<CompleteMultipartUpload/>", "MalformedXML", "0042-00000205"],
          [
            "<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
            "MalformedXML",
            "0042-00000205"
          ],
          ["<!DOCTYPE a><CompleteMultipartUpload/>", "MalformedXML", "0042-00000205"],
          [
            document([
              [2, two],
              [1, one]
            ]),
            "InvalidPartOrder",
            "0042-00000209"
          ],
          [
            document([
              [1, one],
              [1, one]
            ]),
            "InvalidPartOrder",
            "0042-00000209"
          ],
          [document([[0, one]]), "InvalidPartOrder", "0042-00000209"],
          [document([[10_001, one]]), "InvalidPartOrder", "0042-00000209"],
          [document([[1, two]]), "InvalidPart", ""],
          [document([[3, one]]), "InvalidPart", ""],
          [
            document([
              [1, one],
              [2, two]
            ]),
            "EntityTooSmall",
            "0042-00000213"
          ]
        ]
        for (const [body, code, ec] of cases) {
          const refused = yield* complete("m/bad", uploadId, body)
          assert.deepStrictEqual([refused.status, refused.xml("Code"), refused.xml("EC") ?? ""], [400, code, ec])
        }
        const both = yield* complete("m/bad", uploadId, document([[1, one]]), {
          headers: { "x-oss-complete-all": "yes" }
        })
        assert.strictEqual(both.xml("EC"), "0042-00000216")
        const no = yield* complete("m/bad", uploadId, "", { headers: { "x-oss-complete-all": "no" } })
        assert.deepStrictEqual([no.status, no.xml("Code")], [400, "InvalidArgument"])
        assert.strictEqual((yield* complete("m/bad", uploadId, document([[2, two]]))).status, 200)
      })
    )

    it.effect("refuses part numbers outside of 1 to 10,000, and headers that belong to Initiate", () =>
      Effect.gen(function* () {
        const uploadId = yield* initiate("m/numbers")
        for (const bad of ["0", "10001", "-1", "x", "1.5", "99999999999999999999"]) {
          const refused = yield* upload("m/numbers", uploadId, bad, part(1, 1))
          assert.deepStrictEqual([refused.status, refused.xml("EC")], [400, "0017-00000220"])
          assert.strictEqual(refused.xml("ArgumentValue"), bad)
        }
        const missing = yield* Client.send({ method: "PUT", key: "m/numbers", query: { uploadId }, body: "a" })
        assert.strictEqual(missing.xml("EC"), "0017-00000219")
        const foreign = yield* upload("m/numbers", uploadId, 1, part(1, 1), {
          headers: { "x-oss-storage-class": "IA" }
        })
        assert.deepStrictEqual([foreign.xml("Code"), foreign.xml("Header")], ["NotImplemented", "x-oss-storage-class"])
      })
    )

    it.effect("takes parts copied from objects, whole or a range of them", () =>
      Effect.gen(function* () {
        yield* Client.put("m/source ä", "0123456789")
        const uploadId = yield* initiate("m/copied")
        const source = { "x-oss-copy-source": `/examplebucket/${encodeURIComponent("m/source ä")}` }
        const copy = (number: number, headers: Record<string, string>) =>
          Client.send({
            method: "PUT",
            key: "m/copied",
            query: { partNumber: `${number}`, uploadId },
            headers: { ...source, ...headers }
          })
        const first = yield* copy(1, { "x-oss-copy-source-range": "bytes=2-4" })
        assert.strictEqual(first.status, 200)
        assert.strictEqual(first.xml("ETag"), '"289DFF07669D7A23DE0EF88D2F7129E7"')
        yield* copy(1, { "x-oss-copy-source-range": "bytes=5-500" })
        assert.strictEqual((yield* copy(1, { "x-oss-copy-source-if-match": '"x"' })).status, 412)
        assert.strictEqual((yield* copy(1, { "x-oss-copy-source": "/examplebucket/nothing" })).xml("Code"), "NoSuchKey")
        const all = { headers: { "x-oss-complete-all": "yes" } }
        assert.strictEqual((yield* complete("m/copied", uploadId, "", all)).status, 200)
        // A range that is none is the whole.
        assert.strictEqual((yield* Client.get("m/copied")).text, "0123456789")
        assert.strictEqual((yield* copy(1, {})).xml("Code"), "NoSuchUpload")
      })
    )

    it.effect("that is sequential takes its parts in order only", () =>
      Effect.gen(function* () {
        const uploadId = yield* initiate("m/sequential", { query: { sequential: "" } })
        assert.strictEqual((yield* upload("m/sequential", uploadId, 2, part(2, 1))).xml("Code"), "PartNotSequential")
        assert.strictEqual((yield* upload("m/sequential", uploadId, 1, part(1, 1))).status, 200)
        assert.strictEqual((yield* upload("m/sequential", uploadId, 2, part(2, 1))).status, 200)
      })
    )

    it.effect("replaces no object when it may not, neither at Initiate nor at Complete", () =>
      Effect.gen(function* () {
        const headers = { "x-oss-forbid-overwrite": "true" }
        const { uploadId, parts } = yield* uploaded("m/forbid", [part(1)])
        yield* Client.put("m/forbid", "first")
        const late = yield* complete("m/forbid", uploadId, document(parts), { headers })
        assert.deepStrictEqual([late.status, late.xml("Code")], [409, "FileAlreadyExists"])
        assert.strictEqual((yield* Client.get("m/forbid")).text, "first")
        const early = yield* Client.send({ method: "POST", key: "m/forbid", query: { uploads: "" }, headers })
        assert.deepStrictEqual([early.status, early.xml("EC")], [409, "0026-00000002"])
        assert.strictEqual((yield* complete("m/forbid", uploadId, document(parts))).status, 200)
      })
    )

    it.effect("answers Initiate its document and sends nothing, though SDKs put callback headers there", () =>
      Effect.gen(function* () {
        const uploadId = yield* initiate("m/callback", { headers: { "x-oss-callback": "bm8ganNvbg==" } })
        assert.match(uploadId, /^[0-9A-F]{32}$/)
      })
    )
  })
}
