/**
 * The three forms of a signature: headers, presigned URLs, form policies. The bytes themselves: SignatureVectors.test.ts.
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
const withToken = { ...credentials, securityToken: Redacted.make("fake-security-token") }
const terms: Signature.PresignTerms = { credentials, region: "cn-hangzhou", time, expiresIn: 3600 }
const request: Signature.Request = { method: "PUT", bucket: "media", key: "a b.txt", query: {}, headers: {} }

const refusal = (result: Either.Either<unknown, InvalidParam>): string => Either.getOrThrow(Either.flip(result)).message

describe("Signature.signHeaders", () => {
  it("replaces what an earlier attempt left", () => {
    const headers = {
      "x-oss-date": "20200101T000000Z",
      "x-oss-content-sha256": "e3b0",
      "x-oss-security-token": "old",
      authorization: "old"
    }
    const bare = Signature.signHeaders(signer, request, { ...terms, credentials: withToken })
    const again = Signature.signHeaders(signer, { ...request, headers }, { ...terms, credentials: withToken })
    assert.deepStrictEqual(Either.getOrThrow(again), Either.getOrThrow(bare))
    assert.strictEqual(Either.getOrThrow(bare).headers["x-oss-security-token"], "fake-security-token")
  })

  it("refuses a left-over token where the credentials have none", () => {
    const headers = { "X-Oss-Security-Token": "old" }
    assert.strictEqual(
      refusal(Signature.signHeaders(signer, { ...request, headers }, terms)),
      "x-oss-security-token: must come from the credentials, which have none"
    )
  })

  it("gives equal bytes for equal input", () => {
    assert.deepStrictEqual(
      Signature.signHeaders(Signature.make(crypto), request, terms),
      Signature.signHeaders(signer, request, terms)
    )
  })
})

describe("Signature.presign", () => {
  it.each([0, -1, 604_801, 0.5, 1.5, Number.NaN, Infinity])(
    "refuses to hold for %d seconds, and names unit and limit",
    (expiresIn) => {
      assert.strictEqual(
        refusal(Signature.presign(signer, request, { ...terms, expiresIn })),
        `expiresIn: must be 1 to 604800 whole seconds (7 days), got ${expiresIn}`
      )
    }
  )

  it("signs a signed query anew, as if it were the bare one", () => {
    const query = { a: "1" }
    const first = Either.getOrThrow(
      Signature.presign(
        signer,
        { ...request, query, headers: { host: "a" }, additionalHeaders: ["host"] },
        { ...terms, credentials: withToken, time: 0, expiresIn: 1 }
      )
    )
    assert.containsAllKeys(first.query, ["x-oss-signature", "x-oss-security-token", "x-oss-additional-headers"])
    assert.deepStrictEqual(
      Signature.presign(signer, { ...request, query: first.query }, terms),
      Signature.presign(signer, { ...request, query }, terms)
    )
  })

  it("signs a callback in the query like any parameter", () => {
    const query = { callback: "eyJhIjoiYj8+In0=", "callback-var": "e30=" }
    const { canonicalRequest, search } = Either.getOrThrow(Signature.presign(signer, { ...request, query }, terms))
    assert.strictEqual(
      canonicalRequest.split("\n")[2]!.slice(0, 56),
      "callback=eyJhIjoiYj8%2BIn0%3D&callback-var=e30%3D&x-oss-"
    )
    assert.isTrue(search.startsWith(canonicalRequest.split("\n")[2]!))
  })

  it("leaves the request as it was", () => {
    const query = Object.freeze({ "x-oss-signature": "old", a: "1" })
    Signature.presign(signer, Object.freeze({ ...request, query, headers: Object.freeze({ a: "b" }) }), terms)
    assert.deepStrictEqual(query, { "x-oss-signature": "old", a: "1" })
  })
})

describe("Signature.presignParts", () => {
  const upload = { ...request, query: { uploadId: "0004B9", acl: "", z: "1" }, headers: { "content-type": "a/b" } }

  it("signs each part as presign does", () => {
    const numbers = [1, 2, 10, 9_999, 10_000]
    assert.deepStrictEqual(
      Either.getOrThrow(Signature.presignParts(signer, upload, { ...terms, credentials: withToken }, numbers)),
      numbers.map((number) =>
        Either.getOrThrow(
          Signature.presign(
            signer,
            { ...upload, query: { ...upload.query, partNumber: `${number}` } },
            { ...terms, credentials: withToken }
          )
        )
      )
    )
  })

  it("puts its numbers in the place of one that the query already has", () => {
    assert.deepStrictEqual(
      Signature.presignParts(signer, { ...upload, query: { ...upload.query, partNumber: "7" } }, terms, [1, 2]),
      Signature.presignParts(signer, upload, terms, [1, 2])
    )
  })

  it.each([0, 10_001, 1.5, Number.NaN])("refuses part number %d", (number) => {
    assert.strictEqual(
      refusal(Signature.presignParts(signer, upload, terms, [1, number])),
      `partNumbers: must be whole numbers from 1 to 10000, got ${number}`
    )
  })
})

describe("Signature.signPolicy", () => {
  it("states the stamp that the policy was given before", () => {
    const { signature, ...stamp } = Either.getOrThrow(Signature.signPolicy(signer, "e30=", terms))
    assert.match(signature, /^[0-9a-f]{64}$/)
    assert.deepStrictEqual(stamp, Either.getOrThrow(Signature.stamp(signer, terms)))
  })
})
