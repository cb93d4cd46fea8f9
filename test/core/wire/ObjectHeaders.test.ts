import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as ObjectHeaders from "../../../core/wire/ObjectHeaders.ts"

const encode = (options: ObjectHeaders.ObjectOptions) => ObjectHeaders.encode("a/photo.JPG", options)
const message = (options: ObjectHeaders.ObjectOptions) =>
  Either.match(encode(options), { onLeft: (error) => error.message, onRight: () => "" })

describe("ObjectHeaders", () => {
  it("spells every option as OSS does", () => {
    const headers = encode({
      cacheControl: "no-cache",
      contentDisposition: "attachment",
      contentEncoding: "gzip",
      expires: "Wed, 01 Jan 2031 00:00:00 GMT",
      metadata: { "user-id": "42", name: "日本" },
      tagging: { "a b": "c&d", e: "" },
      acl: "private",
      storageClass: "IA",
      serverSideEncryption: "AES256",
      forbidOverwrite: true
    })
    assert.deepEqual(Either.getOrThrow(headers), {
      "content-type": "image/jpeg",
      "cache-control": "no-cache",
      "content-disposition": "attachment",
      "content-encoding": "gzip",
      expires: "Wed, 01 Jan 2031 00:00:00 GMT",
      "x-oss-meta-user-id": "42",
      "x-oss-meta-name": "日本",
      "x-oss-tagging": "a%20b=c%26d&e=",
      "x-oss-object-acl": "private",
      "x-oss-storage-class": "IA",
      "x-oss-server-side-encryption": "AES256",
      "x-oss-forbid-overwrite": "true"
    })
  })

  it("falls back to octet-stream where the name tells nothing", () => {
    assert.deepEqual(Either.getOrThrow(ObjectHeaders.encode("README", {})), {
      "content-type": "application/octet-stream"
    })
  })

  it("refuses line breaks, which would forge a header", () => {
    assert.strictEqual(
      message({ contentDisposition: "x\r\nx-oss-object-acl: public-read-write" }),
      "contentDisposition: must not contain CR, LF or other control characters"
    )
    assert.strictEqual(
      message({ metadata: { a: "\n" } }),
      "metadata.a: must not contain CR, LF or other control characters"
    )
  })

  it("refuses more than 8 KiB of metadata, counted in bytes of names and values", () => {
    assert.strictEqual(message({ metadata: { a: "x".repeat(8191) } }), "")
    assert.strictEqual(
      message({ metadata: { a: `${"日".repeat(2730)}xx` } }),
      "metadata: must be at most 8192 bytes in all, got 8193 bytes"
    )
    assert.match(message({ metadata: { User_Id: "1" } }), /^metadata\.User_Id: the name must be/)
  })

  it("refuses more than 10 tags, and tags that are too long", () => {
    const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, ""]))
    assert.strictEqual(message({ tagging: { ...tags(9), ["n".repeat(128)]: "v".repeat(256) } }), "")
    assert.strictEqual(message({ tagging: tags(11) }), "tagging: must be at most 10 tags, got 11 tags")
    assert.match(message({ tagging: { "": "v" } }), /1 to 128 characters, got 0/)
    assert.match(message({ tagging: { ["n".repeat(129)]: "" } }), /1 to 128 characters, got 129/)
    assert.match(message({ tagging: { n: "v".repeat(257) } }), /^tagging\.n: must be at most 256 characters, got 257/)
  })

  it("takes traffic limits in bits per second", () => {
    assert.deepEqual(Either.getOrThrow(ObjectHeaders.encodeTrafficLimit(1_000_000)), {
      "x-oss-traffic-limit": "1000000"
    })
    const { max, min } = ObjectHeaders.trafficLimitBounds
    const limits = [min - 1, min, max, max + 1, 1_000_000.5, Number.NaN]
    assert.deepEqual(
      limits.map((limit) => Either.isRight(ObjectHeaders.encodeTrafficLimit(limit))),
      [false, true, true, false, false, false]
    )
  })
})
