/**
 * The key of a day is derived once, kept while its credentials are, and never more than a few.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../../adapters/node/NodeCrypto.ts"
import * as Signature from "../../../../core/wire/Signature.ts"
import * as SigningKey from "../../../../core/wire/signature/SigningKey.ts"

const day = 86_400_000
const time = Date.UTC(2025, 6, 15)
const credentials = { accessKeyId: "LTAIfake", accessKeySecret: Redacted.make("fake-secret") }
const terms: Signature.Terms = { credentials, region: "cn-hangzhou", time }

/** A crypto that counts how many keys are derived through it. */
const counting = () => {
  const count = { derivations: 0 }
  const hmacSha256 = (key: Uint8Array, data: string) => {
    count.derivations += data === "aliyun_v4_request" ? 1 : 0
    return crypto.hmacSha256(key, data)
  }
  return { count, crypto: { ...crypto, hmacSha256 } }
}

describe("the cache of signing keys", () => {
  it("derives a key once per day, region, product, ID and secret", () => {
    const { count, crypto } = counting()
    const signer = Signature.make(crypto)
    const other = { accessKeyId: "LTAIother", accessKeySecret: Redacted.make("other-secret") }
    const signings = [
      terms,
      { ...terms, time: time + day },
      { ...terms, region: "cn-shanghai" },
      { ...terms, product: "oss-cloudbox" },
      { ...terms, credentials: other },
      { ...terms, credentials: { ...credentials, accessKeyId: "LTAIother" } }
    ].map((terms) => () => Either.getOrThrow(Signature.signPolicy(signer, "e30=", terms)))
    const first = signings.map((sign) => sign())
    assert.deepStrictEqual([count.derivations, new Set(first.map((_) => _.signature)).size], [6, 5]) // the ID is not in the key
    const second = signings.map((sign) => sign())
    assert.deepStrictEqual([count.derivations, second], [6, first])
  })

  it("keeps no more than eight keys of a secret, and drops the oldest", () => {
    const { count, crypto } = counting()
    const cache = SigningKey.makeCache()
    const keyOf = (n: number) => SigningKey.get(crypto, cache, { ...terms, time: n * day })
    for (let n = 0; n < 1000; n++) keyOf(n)
    assert.strictEqual(cache.byObject.get(credentials.accessKeySecret)?.length, SigningKey.maxPerSecret)
    for (let n = 992; n < 1000; n++) keyOf(n)
    assert.strictEqual(count.derivations, 1000)
    keyOf(991)
    assert.strictEqual(count.derivations, 1001)
  })

  it("knows a secret again that a provider wraps anew for each request", () => {
    const { count, crypto } = counting()
    const signer = Signature.make(crypto)
    const signatures = Array.from({ length: 100 }, () => {
      const accessKeySecret = Redacted.make(["fake", "secret"].join("-"))
      return Either.getOrThrow(
        Signature.signPolicy(signer, "e30=", { ...terms, credentials: { ...credentials, accessKeySecret } })
      )
    })
    assert.deepStrictEqual([count.derivations, new Set(signatures.map((_) => _.signature)).size], [1, 1])
  })

  it("knows no more than sixteen secrets again, and forgets the one that was wrapped anew the longest ago", () => {
    const { count, crypto } = counting()
    const cache = SigningKey.makeCache()
    const sign = (n: number) =>
      SigningKey.get(crypto, cache, {
        ...terms,
        credentials: { ...credentials, accessKeySecret: Redacted.make(`fake-secret-${n}`) }
      })
    for (let n = 0; n < 100; n++) sign(n)
    assert.strictEqual(cache.bySecret.size, SigningKey.maxSecrets)
    for (let n = 84; n < 100; n++) sign(n)
    assert.strictEqual(count.derivations, 100)
    sign(84) // now the last to be forgotten
    for (let n = 0; n < 15; n++) sign(n)
    assert.strictEqual(count.derivations, 115)
    sign(84)
    assert.strictEqual(count.derivations, 115)
  })

  it("holds no text of the secret", () => {
    const cache = SigningKey.makeCache()
    SigningKey.get(crypto, cache, terms)
    const kept = cache.byObject.get(credentials.accessKeySecret)
    assert.deepStrictEqual([...cache.bySecret.values()], [kept])
    const texts = JSON.stringify([kept, [...cache.bySecret]])
    assert.match(texts, /cn-hangzhou/)
    assert.notInclude(texts, "fake-secret")
  })
})
