/**
 * The fast ways of signing against the plain one (signature/Reference.ts), on random requests: whatever is cached, prepared,
 * put together or left out on the way, the bytes are the same.
 */
import { describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Reference from "./signature/Reference.ts"

const law = <A>(arbitrary: fc.Arbitrary<A>, holds: (a: A) => boolean) =>
  fc.assert(fc.property(arbitrary, holds), { numRuns: 10_000 })

const odd = fc.constantFrom(..."aZ09-._~!'()*/%+& =?#\\;:@,$[]{}|\"<>^`é日😀\u0000\n\u007f\u0080")
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: odd, maxLength: 12 }),
  fc.constantFrom("", "~", "+", "a+b", "%2B", "😀", "..", "a//b/", "x".repeat(300))
)
const name = fc.oneof(
  text,
  fc.constantFrom(
    "partNumber",
    "uploadId",
    "uploads",
    "x",
    "x-oss-process",
    "x-oss-",
    "x-id",
    "xa",
    "y",
    "z",
    "~",
    "{",
    "é"
  ),
  fc.constantFrom("A", "a", "__proto__", "constructor", "callback", "callback-var"),
  // What an earlier signing left.
  fc.constantFrom("x-oss-signature", "x-oss-date", "x-oss-expires", "x-oss-security-token", "x-oss-credential")
)
const value = text.filter((value) => !/[\r\n\0]/.test(value))
const additional = ["host", "range", "Cache-Control", "x-id"]
const headerName = fc.oneof(
  fc.constantFrom("content-type", "Content-MD5", "content-length", "x-oss-meta-a", "X-Oss-Meta-B", "x-oss-acl", "x-os"),
  fc.constantFrom("x-oss-content-sha256", "x-oss-date", ...additional)
)
const requests: fc.Arbitrary<Signature.Request> = fc
  .record({
    method: fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD"),
    bucket: fc.constantFrom("media", "a-1"),
    key: fc.option(text, { nil: undefined }),
    // An empty name alone is an empty pair, which a query does not show; and no name stands twice in a record.
    query: fc.dictionary(name, text, { maxKeys: 6 }).filter((query) => query[""] !== ""),
    headers: fc.dictionary(headerName, value, { maxKeys: 6 }),
    named: fc.subarray(additional)
  })
  .map(({ headers, named, ...request }) => ({
    ...request,
    headers,
    additionalHeaders: [...named, ...named].filter(
      (name) => (headers[name] ?? "").replace(/^[ \t]+|[ \t]+$/g, "") !== ""
    )
  }))

const time = Date.UTC(2025, 6, 15, 23, 59, 58)
const terms: fc.Arbitrary<Signature.PresignTerms> = fc.record({
  credentials: fc.record({
    accessKeyId: fc.constantFrom("LTAIfake", "STS.fake+/=", "a/b"),
    // Wrapped anew each time.
    accessKeySecret: fc
      .constantFrom("fake-secret", "geheim é😀", "s".repeat(70))
      .map((secret) => Redacted.make(secret)),
    securityToken: fc
      .constantFrom(undefined, "", "fake+token/==")
      .map((token) => (token === undefined ? undefined : Redacted.make(token)))
  }),
  region: fc.constantFrom("cn-hangzhou", "us-west-1"),
  product: fc.constantFrom(undefined, "oss-cloudbox"),
  // A few seconds around midnight, again and again, and any time.
  time: fc.oneof(fc.integer({ min: time, max: time + 4000 }), fc.integer({ min: 0, max: 253_402_300_799_999 })),
  expiresIn: fc.integer({ min: 1, max: 604_800 })
})

const equal = (a: object, b: object): boolean => {
  const sorted = (value: unknown): unknown =>
    typeof value === "object" && value !== null ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value
  const flat = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .map(([name, part]) => [name, sorted(part)])
        .sort()
    )
  return flat(a) === flat(b)
}

const signer = Signature.make(crypto)

describe("signing, beside the plain reference", { timeout: 120_000 }, () => {
  it("gives the same headers", () =>
    law(fc.tuple(requests, terms), ([request, terms]) =>
      equal(Either.getOrThrow(Signature.signHeaders(signer, request, terms)), Reference.signHeaders(request, terms))
    ))

  it("gives the same URLs", () =>
    law(fc.tuple(requests, terms), ([request, terms]) => {
      const { canonicalRequest, query, search, signature, stringToSign } = Either.getOrThrow(
        Signature.presign(signer, request, terms)
      )
      return equal({ canonicalRequest, query, search, signature, stringToSign }, Reference.presign(request, terms))
    }))

  it("gives the same URLs for parts", () =>
    law(
      fc.tuple(requests, terms, fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 3 })),
      ([request, terms, numbers]) =>
        Either.getOrThrow(Signature.presignParts(signer, request, terms, numbers)).every(
          ({ canonicalRequest, query, search, signature, stringToSign }, at) =>
            equal(
              { canonicalRequest, query, search, signature, stringToSign },
              Reference.presign({ ...request, query: { ...request.query, partNumber: `${numbers[at]}` } }, terms)
            )
        )
    ))

  it("keeps what it has signed apart from what it signs next", () =>
    law(fc.tuple(requests, requests, terms), ([first, second, terms]) => {
      const kept = Either.getOrThrow(Signature.presign(signer, first, terms))
      const before = JSON.stringify([kept, kept.query])
      Either.getOrThrow(Signature.presign(signer, second, { ...terms, time: terms.time % 86_400_000 }))
      return JSON.stringify([kept, kept.query]) === before
    }))
})
