/**
 * Where a request goes, by its target and its Host: the ways in which ten official clients address a bucket.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Addressing from "../../../adapters/emulator/Addressing.ts"

const options: Addressing.Options = {
  cnames: new Map([
    ["img.example.com", "cname-bucket"],
    ["cdn.example.com:8080", "port-bucket"]
  ]),
  serviceHosts: ["oss.internal", "10.0.0.1.nip.io"]
}

const resolve = (target: string, host: string | undefined) => Addressing.resolve(target, host, options)

/** Addressing, bucket and key; or the code of the refusal. */
const place = (target: string, host: string | undefined) =>
  Either.match(resolve(target, host), {
    onLeft: ({ code }) => code,
    onRight: ({ addressing, bucket, key }) => [addressing, bucket, key]
  })

const table: ReadonlyArray<readonly [name: string, target: string, host: string | undefined, expected: unknown]> = [
  ["an IP address", "/examplebucket/k", "127.0.0.1:9000", ["path", "examplebucket", "k"]],
  ["an IP address, the bucket", "/examplebucket", "127.0.0.1:9000", ["path", "examplebucket", undefined]],
  ["an IP address, the bucket and a slash", "/examplebucket/", "127.0.0.1", ["path", "examplebucket", undefined]],
  ["an IP address, the service", "/", "127.0.0.1:9000", ["service", undefined, undefined]],
  ["an IPv6 address", "/examplebucket/k", "[::1]:9000", ["path", "examplebucket", "k"]],
  ["localhost", "/examplebucket/a/b", "LocalHost:9000", ["path", "examplebucket", "a/b"]],
  ["no Host at all", "/examplebucket/k", undefined, ["path", "examplebucket", "k"]],
  ["C++ listing buckets", "//", "127.0.0.1:9000", ["service", undefined, undefined]],
  ["a slash at the key's front", "/examplebucket//k", "127.0.0.1", ["path", "examplebucket", "/k"]],
  ["an empty bucket", "//k", "127.0.0.1", ["path", undefined, "k"]],
  ["Python v2 with localhost", "/k", "examplebucket.localhost:9000", ["virtual-hosted", "examplebucket", "k"]],
  [
    "oss2 with a region",
    "/k",
    "examplebucket.oss-cn-hangzhou.localhost:9000",
    ["virtual-hosted", "examplebucket", "k"]
  ],
  ["ali-oss with an IP", "/k", "examplebucket.oss-cn-hangzhou.aliyuncs.com", ["virtual-hosted", "examplebucket", "k"]],
  [
    "an internal address",
    "/k",
    "examplebucket.oss-cn-hangzhou-internal.aliyuncs.com",
    ["virtual-hosted", "examplebucket", "k"]
  ],
  [
    "an accelerated address",
    "/k",
    "examplebucket.oss-accelerate.aliyuncs.com",
    ["virtual-hosted", "examplebucket", "k"]
  ],
  ["any case", "/K", "ExampleBucket.OSS-cn-hangzhou.AliyunCS.com:80", ["virtual-hosted", "examplebucket", "K"]],
  ["a final dot", "/k", "examplebucket.oss-cn-hangzhou.aliyuncs.com.", ["virtual-hosted", "examplebucket", "k"]],
  [
    "the bucket by its host",
    "/",
    "examplebucket.oss-cn-hangzhou.aliyuncs.com",
    ["virtual-hosted", "examplebucket", undefined]
  ],
  ["a region's own host", "/", "oss-cn-hangzhou.localhost:9000", ["service", undefined, undefined]],
  ["ali-oss listing buckets", "/", ".oss-cn-hangzhou.aliyuncs.com", ["service", undefined, undefined]],
  ["path style at a region's host", "/examplebucket/k", "oss-cn-hangzhou.aliyuncs.com", "SecondLevelDomainForbidden"],
  ["a bucket with a dot", "/k", "a.b.oss-cn-hangzhou.aliyuncs.com", ["virtual-hosted", "a.b", "k"]],
  ["a bound domain", "/k", "img.example.com:9000", ["cname", "cname-bucket", "k"]],
  ["a bound domain in capitals", "/k", "IMG.Example.com", ["cname", "cname-bucket", "k"]],
  ["a domain bound with its port", "/k", "cdn.example.com:8080", ["cname", "port-bucket", "k"]],
  ["a domain that is bound to nothing", "/k", "www.example.com", "NonStandardHostForbidden"],
  ["another name of the service", "/examplebucket/k", "oss.internal", ["path", "examplebucket", "k"]],
  ["a bucket under another name", "/k", "examplebucket.oss.internal:9000", ["virtual-hosted", "examplebucket", "k"]],
  ["a bucket under an address's name", "/k", "examplebucket.10.0.0.1.nip.io", ["virtual-hosted", "examplebucket", "k"]],
  [
    "a proxy's client: the target's host wins",
    "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a/../b?c",
    "127.0.0.1:9000",
    ["virtual-hosted", "examplebucket", "a/../b"]
  ],
  [
    "a proxy's client without a path",
    "http://examplebucket.oss-cn-hangzhou.aliyuncs.com?uploads",
    "x",
    ["virtual-hosted", "examplebucket", undefined]
  ],
  ["a proxy's client to an address", "HTTP://127.0.0.1:9000/examplebucket/k", "x", ["path", "examplebucket", "k"]],
  ["dots and slashes", "/examplebucket/a/./../b//c/", "127.0.0.1", ["path", "examplebucket", "a/./../b//c/"]],
  ["encoded dots and slashes", "/examplebucket%2Fa%2F..%2F%2e", "127.0.0.1", ["path", "examplebucket", "a/../."]],
  ["a percent sign, decoded once", "/examplebucket/a%2525", "127.0.0.1", ["path", "examplebucket", "a%25"]],
  ["a plus sign", "/examplebucket/a+b%20c", "127.0.0.1", ["path", "examplebucket", "a+b c"]],
  ["a backslash", "/examplebucket/a\\b", "127.0.0.1", ["path", "examplebucket", "a\\b"]],
  ["other than ASCII, raw and encoded", "/examplebucket/ä%C3%A4", "127.0.0.1", ["path", "examplebucket", "ää"]],
  ["escapes that are no UTF-8", "/examplebucket/%FF", "127.0.0.1", "InvalidObjectName"],
  ["escapes that are none", "/examplebucket/%zz", "127.0.0.1", "InvalidObjectName"],
  ["an authority", "127.0.0.1:443", "127.0.0.1", "MethodNotAllowed"],
  ["an asterisk", "*", "127.0.0.1", "MethodNotAllowed"]
]

const readQuery = (target: string) => Either.map(resolve(target, "127.0.0.1"), ({ query }) => [...query])

describe("Addressing", () => {
  for (const [name, target, host, expected] of table) {
    it(`finds the place of ${name}`, () => assert.deepStrictEqual(place(target, host), expected))
  }

  it("reads a query: values decoded, plus signs kept, empty values and bare names alike", () => {
    assert.deepStrictEqual(
      readQuery("/b/k?uploads&x=&a%20b=c+d%2B&=&e=f=g&&"),
      Either.right([
        ["uploads", ""],
        ["x", ""],
        ["a b", "c+d+"],
        ["", ""],
        ["e", "f=g"]
      ])
    )
    for (const [query, code] of [
      ["a=1&a=2", "InvalidArgument"],
      ["a&a", "InvalidArgument"],
      ["a=%", "InvalidURI"],
      ["%FF", "InvalidURI"]
    ]) {
      assert.strictEqual(place(`/b/k?${query}`, "127.0.0.1"), code)
    }
  })

  it("never throws, whatever target and host are", () => {
    const text = FastCheck.string({ unit: "binary", maxLength: 40 })
    FastCheck.assert(
      FastCheck.property(text, text, (target, host) => {
        resolve(target, host)
        resolve(`/${target}`, host)
        resolve(`http://${host}/${target}`, undefined)
      }),
      { numRuns: 10_000 }
    )
  })

  it("gives back every key that was encoded, in every way of addressing", () => {
    const key = FastCheck.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    FastCheck.assert(
      FastCheck.property(key, FastCheck.boolean(), (key, slashes) => {
        const encoded = encodeURIComponent(key)
        const path = slashes ? encoded.replaceAll("%2F", "/") : encoded
        const keys = [resolve(`/examplebucket/${path}`, "127.0.0.1"), resolve(`/${path}`, "examplebucket.localhost")]
        return keys.every((found) => Either.isRight(found) && found.right.key === key)
      }),
      { numRuns: 10_000 }
    )
  })
})
