/**
 * What the emulator promises of objects.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { refusal } from "./refusal.ts"

const oddKeys = [
  "a b+c%20d",
  "a/../b",
  "./a",
  "a//b",
  "a/",
  "..",
  "%2E%2E/%2F",
  "!'()*~-_.",
  "ключ/鍵/🗝",
  "a?b#c&d=e",
  'quote"<&>',
  "\u00a0\u2028\uffff",
  "\u0001\u007f",
  "+",
  "x".repeat(1023)
]

const copyFrom = (source: string, more: Record<string, string> = {}) =>
  Client.send({ method: "PUT", key: "copy", headers: { "x-oss-copy-source": source, ...more } })

const append = (position: number | string, body: string) =>
  Client.send({ method: "POST", key: "log", query: { append: "", position: `${position}` }, body })

export const objects = (it: It): void => {
  describe("an object", () => {
    it.effect("is stored and given back with what was said of it", () =>
      Effect.gen(function* () {
        const stored = yield* Client.put("a/b c.txt", "hello world", {
          headers: {
            "content-type": "text/plain",
            "cache-control": "no-cache",
            "content-disposition": "attachment; filename=a",
            "x-oss-meta-colour": "blaugrün",
            "x-oss-storage-class": "IA",
            "x-oss-tagging": "a=1&b=2"
          }
        })
        assert.strictEqual(stored.status, 200)
        assert.strictEqual(stored.headers["etag"], '"5EB63BBBE01EEED093CB22BB8F5ACDC3"')
        assert.strictEqual(stored.headers["x-oss-hash-crc64ecma"], "5981764153023615706")
        assert.strictEqual(stored.headers["content-md5"], "XrY7u+Ae7tCTyyK7j1rNww==")
        assert.match(stored.headers["x-oss-request-id"] ?? "", /^[0-9A-F]{24}$/)
        assert.match(stored.headers["x-oss-server-time"] ?? "", /^\d+$/)
        assert.strictEqual(stored.headers["server"], "AliyunOSS")
        assert.strictEqual(stored.body.length, 0)
        for (const method of ["GET", "HEAD"]) {
          const got = yield* Client.send({ method, key: "a/b c.txt" })
          assert.strictEqual(got.status, 200)
          assert.strictEqual(got.text, method === "GET" ? "hello world" : "")
          const expected = {
            "content-length": "11",
            "content-type": "text/plain",
            "cache-control": "no-cache",
            "content-disposition": "attachment; filename=a",
            "x-oss-meta-colour": "blaugrün",
            "x-oss-storage-class": "IA",
            "x-oss-tagging-count": "2",
            "x-oss-object-type": "Normal",
            "accept-ranges": "bytes",
            "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT",
            etag: stored.headers["etag"],
            "x-oss-hash-crc64ecma": stored.headers["x-oss-hash-crc64ecma"],
            "content-md5": stored.headers["content-md5"]
          }
          assert.deepInclude(got.headers, expected)
        }
        const oss = yield* OssEmulator
        assert.strictEqual(Buffer.from(Option.getOrThrow(yield* oss.object("a/b c.txt"))).toString(), "hello world")
      })
    )

    it.effect("may be empty, and has the type octet-stream unless told", () =>
      Effect.gen(function* () {
        const stored = yield* Client.put("empty/", "")
        assert.strictEqual(stored.headers["x-oss-hash-crc64ecma"], "0")
        const got = yield* Client.get("empty/")
        assert.deepStrictEqual([got.status, got.text], [200, ""])
        assert.strictEqual(got.headers["content-length"], "0")
        assert.strictEqual(got.headers["content-type"], "application/octet-stream")
      })
    )

    it.effect("has the key it was given, never normalised", () =>
      Effect.gen(function* () {
        for (const key of oddKeys) assert.strictEqual((yield* Client.put(key, key)).status, 200, key)
        for (const key of oddKeys) assert.strictEqual((yield* Client.get(key)).text, key)
        const oss = yield* OssEmulator
        const stored = new Set((yield* oss.objects()).map((object) => object.key))
        for (const key of oddKeys) assert.isTrue(stored.has(key), key)
      })
    )

    it.effect("is found however its path is escaped, and is signed the same", () =>
      Effect.gen(function* () {
        const key = "s/t ä~!.txt"
        yield* Client.put(key, "here")
        const paths = ["s%2Ft%20%C3%A4~!.txt", "%73/t%20%c3%a4%7E%21.txt"]
        for (const path of paths)
          assert.strictEqual((yield* Client.get(key, { path: `/examplebucket/${path}` })).text, "here")
      })
    )

    it.effect("is replaced whole, unless that is forbidden", () =>
      Effect.gen(function* () {
        yield* Client.put("replaced", "one")
        yield* Client.put("replaced", "two")
        assert.strictEqual((yield* Client.get("replaced")).text, "two")
        const forbidden = yield* Client.put("replaced", "three", { headers: { "x-oss-forbid-overwrite": "true" } })
        assert.deepStrictEqual(refusal(forbidden), [409, "FileAlreadyExists", "0026-00000002"])
        assert.strictEqual(
          (yield* Client.put("replaced", "four", { headers: { "x-oss-forbid-overwrite": "false" } })).status,
          200
        )
        const unclear = yield* Client.put("replaced", "five", { headers: { "x-oss-forbid-overwrite": "maybe" } })
        assert.deepStrictEqual(refusal(unclear).slice(0, 2), [400, "InvalidArgument"])
        assert.strictEqual((yield* Client.get("replaced")).text, "four")
      })
    )

    it.effect("is gone after it was deleted, and may be deleted again", () =>
      Effect.gen(function* () {
        yield* Client.put("deleted", "x")
        for (const _ of [1, 2])
          assert.strictEqual((yield* Client.send({ method: "DELETE", key: "deleted" })).status, 204)
        const missing = yield* Client.get("deleted")
        assert.deepStrictEqual(refusal(missing), [404, "NoSuchKey", "0026-00000001"])
        assert.strictEqual(missing.xml("Key"), "deleted")
        assert.strictEqual(missing.xml("RequestId"), missing.headers["x-oss-request-id"])
        assert.strictEqual(missing.headers["x-oss-ec"], "0026-00000001")
        const head = yield* Client.send({ method: "HEAD", key: "deleted" })
        assert.deepStrictEqual([refusal(head), head.text], [[404, "NoSuchKey", "0026-00000001"], ""])
      })
    )

    it.effect("is refused when its bytes are not those that were announced, and nothing is stored", () =>
      Effect.gen(function* () {
        const cases: ReadonlyArray<readonly [Record<string, string>, string, string]> = [
          [{ "content-md5": "rubbish" }, "InvalidDigest", "0017-00000502"],
          [{ "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, "InvalidDigest", "0017-00000503"],
          [{ "x-oss-hash-crc64ecma": "1" }, "InvalidCRC64", ""],
          [{ "x-oss-hash-crc64ecma": "x" }, "InvalidCRC64", ""]
        ]
        for (const [headers, code, ec] of cases) {
          assert.deepStrictEqual(refusal(yield* Client.put("announced", "hello world", { headers })), [400, code, ec])
        }
        assert.strictEqual((yield* Client.get("announced")).status, 404)
        const headers = { "content-md5": "XrY7u+Ae7tCTyyK7j1rNww==", "x-oss-hash-crc64ecma": "5981764153023615706" }
        assert.strictEqual((yield* Client.put("announced", "hello world", { headers })).status, 200)
      })
    )

    it.effect("is refused when it is larger than it may be", () =>
      Effect.gen(function* () {
        const tooLarge = yield* Client.put("large", new Uint8Array(1024 * 1024 + 1))
        assert.deepStrictEqual(refusal(tooLarge).slice(0, 2), [400, "EntityTooLarge"])
        assert.strictEqual((yield* Client.put("large", new Uint8Array(1024 * 1024))).status, 200)
      })
    )

    it.effect("is refused for attributes that OSS does not know", () =>
      Effect.gen(function* () {
        const many = Array.from({ length: 11 }, (_, i) => `t${i}=1`).join("&")
        const cases: ReadonlyArray<readonly [Record<string, string>, string]> = [
          [{ "x-oss-object-acl": "everybody" }, "InvalidArgument"],
          [{ "x-oss-storage-class": "Cellar" }, "InvalidArgument"],
          [{ "x-oss-server-side-encryption": "ROT13" }, "InvalidEncryptionAlgorithmError"],
          [{ "x-oss-tagging": "a=1&a=2" }, "InvalidTag"],
          [{ "x-oss-tagging": "=1" }, "InvalidTag"],
          [{ "x-oss-tagging": `a=${"v".repeat(257)}` }, "InvalidTag"],
          [{ "x-oss-tagging": many }, "BadRequest"],
          [{ "x-oss-meta-a": "v".repeat(8192) }, "MetadataTooLarge"]
        ]
        for (const [headers, code] of cases) {
          const answer = yield* Client.put("attributes", "x", { headers })
          assert.deepStrictEqual(refusal(answer).slice(0, 2), [400, code], JSON.stringify(headers).slice(0, 60))
        }
        assert.strictEqual((yield* Client.get("attributes")).status, 404)
      })
    )

    it.effect("has a key of 1 to 1,023 bytes that does not begin with a slash", () =>
      Effect.gen(function* () {
        for (const key of ["/a", "\\a", "ä".repeat(512)]) {
          const answer = yield* Client.put(key, "x", { path: `/examplebucket/${encodeURIComponent(key)}` })
          assert.deepStrictEqual(refusal(answer).slice(0, 2), [400, "InvalidObjectName"], key)
        }
        const broken = yield* Client.send({ method: "PUT", key: "a", path: "/examplebucket/%FF", body: "x" })
        assert.deepStrictEqual(refusal(broken).slice(0, 2), [400, "InvalidObjectName"])
      })
    )
  })

  describe("a range", () => {
    it.effect("gives the bytes it names, or the whole object where it names none", () =>
      Effect.gen(function* () {
        yield* Client.put("ranged", "0123456789")
        const cases: ReadonlyArray<readonly [string, string, string | undefined]> = [
          ["bytes=0-3", "0123", "bytes 0-3/10"],
          ["bytes=3-3", "3", "bytes 3-3/10"],
          ["bytes=7-", "789", "bytes 7-9/10"],
          ["bytes=-3", "789", "bytes 7-9/10"],
          ["bytes=-10", "0123456789", "bytes 0-9/10"],
          ["bytes=0-1,3-4", "01", "bytes 0-1/10"],
          ["bytes=5-500", "0123456789", undefined],
          ["bytes=-30", "0123456789", undefined],
          ["bytes=10-11", "0123456789", undefined],
          ["bytes=10-", "0123456789", undefined],
          ["bytes=3-2", "0123456789", undefined],
          ["bytes=-0", "0123456789", undefined],
          ["bytes=-", "0123456789", undefined],
          ["bytes=a-b", "0123456789", undefined],
          ["lines=0-1", "0123456789", undefined]
        ]
        for (const [range, text, contentRange] of cases) {
          const got = yield* Client.get("ranged", { headers: { range } })
          assert.deepStrictEqual(
            [got.status, got.text, got.headers["content-range"]],
            [contentRange === undefined ? 200 : 206, text, contentRange],
            range
          )
          const head = yield* Client.send({ method: "HEAD", key: "ranged", headers: { range } })
          assert.strictEqual(head.headers["content-length"], String(text.length), range)
        }
        // The whole object's, also on a part of it.
        const part = yield* Client.get("ranged", { headers: { range: "bytes=0-0" } })
        assert.strictEqual(
          part.headers["x-oss-hash-crc64ecma"],
          (yield* Client.get("ranged")).headers["x-oss-hash-crc64ecma"]
        )
      })
    )

    it.effect("is cut or refused as the standard says, when that is asked for", () =>
      Effect.gen(function* () {
        yield* Client.put("ranged", "0123456789")
        for (const [range, text] of [
          ["bytes=5-500", "56789"],
          ["bytes=-30", "0123456789"],
          ["bytes=9-9", "9"]
        ] as const) {
          const answer = yield* Client.get("ranged", { headers: { range, "x-oss-range-behavior": "standard" } })
          assert.deepStrictEqual([answer.status, answer.text], [206, text])
        }
        for (const range of ["bytes=10-11", "bytes=10-", "bytes=3-2", "bytes=-0", "bytes=0-1,3-4"]) {
          const answer = yield* Client.get("ranged", { headers: { range, "x-oss-range-behavior": "standard" } })
          assert.deepStrictEqual(refusal(answer).slice(0, 2), [416, "InvalidRange"])
          assert.strictEqual(answer.headers["content-range"], "bytes */10")
        }
      })
    )
  })

  describe("a condition", () => {
    it.effect("is met, or answered 304 or 412", () =>
      Effect.gen(function* () {
        const etag = (yield* Client.put("conditional", "x")).headers["etag"] ?? ""
        const [past, future] = ["Wed, 01 Jan 1969 00:00:00 GMT", "Fri, 02 Jan 1970 00:00:00 GMT"]
        const cases: ReadonlyArray<readonly [Record<string, string>, number]> = [
          [{ "if-match": etag }, 200],
          [{ "if-match": `"other", ${etag}` }, 200],
          [{ "if-match": '"other"' }, 412],
          [{ "if-none-match": etag }, 304],
          [{ "if-none-match": "*" }, 304],
          [{ "if-none-match": '"other"' }, 200],
          [{ "if-modified-since": past }, 200],
          [{ "if-modified-since": future }, 304],
          [{ "if-modified-since": "rubbish" }, 200],
          [{ "if-unmodified-since": past }, 412],
          [{ "if-unmodified-since": future }, 200],
          [{ "if-none-match": '"other"', "if-modified-since": future }, 200],
          [{ "if-match": etag, "if-unmodified-since": past }, 200]
        ]
        for (const [headers, status] of cases) {
          for (const method of ["GET", "HEAD"]) {
            const answer = yield* Client.send({ method, key: "conditional", headers })
            assert.strictEqual(answer.status, status, JSON.stringify(headers))
            if (status === 304) assert.deepStrictEqual([answer.headers["etag"], answer.text], [etag, ""])
            if (status === 412) assert.strictEqual(answer.xml("Code"), "PreconditionFailed")
          }
        }
      })
    )
  })

  describe("an answer's headers", () => {
    it.effect("may be chosen by who signs, and by nobody else", () =>
      Effect.gen(function* () {
        yield* Client.put("shown", "x", { headers: { "x-oss-object-acl": "public-read" } })
        const query = { "response-content-type": "text/html", "response-content-disposition": "inline" }
        const got = yield* Client.get("shown", { query })
        assert.strictEqual(got.headers["content-type"], "text/html")
        assert.strictEqual(got.headers["content-disposition"], "inline")
        const anonymous = yield* Client.get("shown", { query, sign: "none" })
        assert.deepStrictEqual(refusal(anonymous).slice(0, 2), [400, "InvalidRequest"])
      })
    )
  })

  describe("GetObjectMeta", () => {
    it.effect("tells the few facts", () =>
      Effect.gen(function* () {
        const stored = yield* Client.put("facts", "hello")
        const meta = yield* Client.send({ method: "HEAD", key: "facts", query: { objectMeta: "" } })
        assert.deepStrictEqual(
          [meta.status, meta.headers["etag"], meta.headers["content-length"]],
          [200, stored.headers["etag"], "5"]
        )
        assert.isUndefined(meta.headers["x-oss-object-type"])
      })
    )
  })

  describe("CopyObject", () => {
    it.effect("copies bytes and attributes, or replaces the attributes", () =>
      Effect.gen(function* () {
        yield* Client.put("from ä", "bytes", {
          headers: { "content-type": "a/b", "x-oss-meta-a": "1", "x-oss-tagging": "t=1" }
        })
        const source = { "x-oss-copy-source": `/examplebucket/${encodeURIComponent("from ä")}` }
        const copied = yield* Client.send({ method: "PUT", key: "to", headers: source })
        assert.strictEqual(copied.status, 200)
        assert.strictEqual(copied.xml("ETag"), copied.headers["etag"])
        const same = yield* Client.get("to")
        assert.deepInclude(same.headers, { "content-type": "a/b", "x-oss-meta-a": "1", "x-oss-tagging-count": "1" })
        assert.strictEqual(same.text, "bytes")
        const headers = { ...source, "x-oss-metadata-directive": "REPLACE", "content-type": "c/d", "x-oss-meta-b": "2" }
        yield* Client.send({ method: "PUT", key: "to", headers })
        const replaced = yield* Client.get("to")
        assert.deepInclude(replaced.headers, { "content-type": "c/d", "x-oss-meta-b": "2" })
        assert.isUndefined(replaced.headers["x-oss-meta-a"])
        // Onto itself, as putMeta does.
        yield* Client.send({ method: "PUT", key: "from ä", headers })
        assert.strictEqual((yield* Client.get("from ä")).text, "bytes")
      })
    )

    it.effect("refuses sources that are not there or not as wished", () =>
      Effect.gen(function* () {
        yield* Client.put("source", "x")
        assert.strictEqual((yield* copyFrom("/examplebucket/nothing")).xml("Code"), "NoSuchKey")
        assert.strictEqual((yield* copyFrom("/otherbucket/source")).xml("Code"), "NoSuchBucket")
        for (const bad of ["source", "/examplebucket", "/examplebucket/", "/examplebucket/%FF"]) {
          assert.strictEqual((yield* copyFrom(bad)).xml("Code"), "InvalidArgument", bad)
        }
        const source = "/examplebucket/source"
        assert.strictEqual((yield* copyFrom(source, { "x-oss-copy-source-if-match": '"x"' })).status, 412)
        assert.strictEqual((yield* copyFrom(source, { "x-oss-copy-source-if-none-match": "*" })).status, 304)
        assert.strictEqual(
          (yield* copyFrom(source, { "x-oss-metadata-directive": "KEEP" })).xml("Code"),
          "InvalidArgument"
        )
        assert.strictEqual((yield* Client.get("copy")).status, 404)
      })
    )
  })

  describe("AppendObject", () => {
    it.effect("appends where the end is, and nowhere else", () =>
      Effect.gen(function* () {
        const first = yield* append(0, "hello ")
        assert.strictEqual(first.headers["x-oss-next-append-position"], "6")
        const wrong = yield* append(3, "x")
        assert.deepStrictEqual(refusal(wrong).slice(0, 2), [409, "PositionNotEqualToLength"])
        assert.strictEqual(wrong.headers["x-oss-next-append-position"], "6")
        const second = yield* append(6, "world")
        assert.strictEqual(second.headers["x-oss-hash-crc64ecma"], "5981764153023615706")
        const got = yield* Client.get("log")
        assert.deepStrictEqual([got.text, got.headers["x-oss-object-type"]], ["hello world", "Appendable"])
        assert.strictEqual((yield* append("x", "")).xml("Code"), "InvalidArgument")
        yield* Client.put("log", "normal")
        assert.deepStrictEqual(refusal(yield* append(6, "x")).slice(0, 2), [409, "ObjectNotAppendable"])
      })
    )
  })

  describe("concurrent writers", () => {
    it.effect("leave one whole winner, also when parts of them append and delete", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const bodies = Array.from({ length: 12 }, (_, i) => new Uint8Array(50_000).fill(i))
        const writes = bodies.map((body) => Client.put("contested", body))
        const reads = Array.from({ length: 12 }, () => Client.get("contested"))
        const answers = yield* Effect.all([...writes, ...reads], { concurrency: "unbounded" })
        for (const { status, body } of answers.slice(12)) {
          if (status === 404) continue
          assert.isTrue(body.length === 50_000 && body.every((byte) => byte === body[0]))
        }
        const last = Option.getOrThrow(yield* oss.object("contested"))
        assert.isTrue(last.every((byte) => byte === last[0]))
        const forbidding = bodies.map((body) =>
          Client.put("first-only", body, { headers: { "x-oss-forbid-overwrite": "true" } })
        )
        const outcomes = yield* Effect.all(forbidding, { concurrency: "unbounded" })
        assert.strictEqual(outcomes.filter(({ status }) => status === 200).length, 1)
      })
    )
  })
}
