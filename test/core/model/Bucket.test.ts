import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Bucket from "../../../core/model/Bucket.ts"

const make = (options: Partial<Bucket.Options>) => Bucket.make({ bucket: "media", region: "cn-hangzhou", ...options })

const origin = (options: Partial<Bucket.Options>) => Either.getOrThrow(make(options)).origin

const message = (options: Partial<Bucket.Options>) =>
  Either.match(make(options), { onLeft: (error) => error.message, onRight: () => "" })

describe("Bucket", () => {
  it("knows the region's own endpoints", () => {
    assert.strictEqual(origin({}), "https://media.oss-cn-hangzhou.aliyuncs.com")
    assert.strictEqual(origin({ network: "internal" }), "https://media.oss-cn-hangzhou-internal.aliyuncs.com")
    assert.strictEqual(origin({ network: "accelerate" }), "https://media.oss-accelerate.aliyuncs.com")
    assert.strictEqual(origin({ network: "accelerate-overseas" }), "https://media.oss-accelerate-overseas.aliyuncs.com")
  })

  it("puts the bucket into the path for IP addresses and localhost, as the official clients do", () => {
    for (const endpoint of ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000/"]) {
      const bucket = Either.getOrThrow(make({ endpoint }))
      assert.strictEqual(bucket.addressing, "path")
      assert.strictEqual(bucket.pathPrefix, "/media")
      assert.strictEqual(bucket.origin, endpoint.replace(/\/$/, ""))
    }
  })

  it("refuses to put the bucket's name before an IP address", () => {
    for (const endpoint of ["http://127.0.0.1:9000", "http://[::1]"]) {
      assert.match(message({ endpoint, addressing: "virtual-hosted" }), /^addressing: must be "path" or "cname"/)
    }
    assert.strictEqual(
      origin({ endpoint: "http://localhost:9000", addressing: "virtual-hosted" }),
      "http://media.localhost:9000"
    )
  })

  it("leaves the bucket's name out of a domain that is bound to it", () => {
    const bucket = Either.getOrThrow(make({ endpoint: "cdn.example.com", addressing: "cname" }))
    assert.strictEqual(bucket.origin, "https://cdn.example.com")
    assert.strictEqual(bucket.pathPrefix, "")
  })

  it("drops a default port from the host, and keeps any other", () => {
    assert.strictEqual(Either.getOrThrow(make({ endpoint: "https://a.example.com:443" })).host, "media.a.example.com")
    assert.strictEqual(Either.getOrThrow(make({ endpoint: "http://a.example.com:81" })).host, "media.a.example.com:81")
  })

  it("refuses the endpoint's label as a region, and names the right one", () => {
    assert.strictEqual(
      message({ region: "oss-cn-hangzhou" }),
      `region: must be the region's ID, "cn-hangzhou", got the endpoint's label "oss-cn-hangzhou"`
    )
  })

  it("refuses names and endpoints that cannot be", () => {
    for (const bucket of ["", "ab", "Media", "-media", "media-", "a".repeat(64), "a.b.c"]) {
      assert.match(message({ bucket }), /^bucket: must be 3 to 63/)
    }
    for (const endpoint of ["", "ftp://a", "http://a/b", "http://u:p@a", "a b", "http://a:99999", "https://a?b"]) {
      assert.match(message({ endpoint }), /^endpoint: /)
    }
    assert.match(message({ region: "" }), /^region: /)
    assert.match(message({ endpoint: "http://u:s3cret@a" }), /^endpoint: .*, got "…@a"$/)
  })
})
