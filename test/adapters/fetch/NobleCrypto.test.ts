/** The port `Crypto` on @noble/hashes: vectors of RFC 1321, FIPS 180-4 and RFC 4231, and Node's own as its rival. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as NobleCrypto from "../../../adapters/fetch/NobleCrypto.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import { Crypto } from "../../../core/ports/Crypto.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("NobleCrypto", () => {
  const { hmacSha256, hmacSha256Hex, md5, sha256Hex } = NobleCrypto.crypto

  it("hashes text and bytes with SHA-256", () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert.strictEqual(sha256Hex("abc"), abc)
    assert.strictEqual(sha256Hex(utf8("abc")), abc)
  })

  it("signs with HMAC-SHA256", () => {
    const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert.strictEqual(hmacSha256Hex(utf8("Jefe"), "what do ya want for nothing?"), expected)
    assert.strictEqual(hex(hmacSha256(utf8("Jefe"), "what do ya want for nothing?")), expected)
  })

  it("hashes bytes with MD5, and a view rather than the buffer behind it", () => {
    assert.strictEqual(hex(md5(utf8("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0")
    assert.strictEqual(hex(md5(utf8("xxabcxx").subarray(2, 5))), "900150983cd24fb0d6963f7d28e17f72")
  })

  it("answers what node:crypto answers, for any text and bytes", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 300 })
    const key = fc.uint8Array({ maxLength: 100 })
    const all = (crypto: typeof NodeCrypto.crypto, key: Uint8Array, text: string) =>
      [
        crypto.sha256Hex(text),
        crypto.sha256Hex(key),
        hex(crypto.md5(key)),
        hex(crypto.hmacSha256(key, text)),
        crypto.hmacSha256Hex(key, text),
        crypto.hmacSha256Keyed(key)(text, text)
      ].join()
    fc.assert(
      fc.property(key, text, (key, text) => all(NobleCrypto.crypto, key, text) === all(NodeCrypto.crypto, key, text)),
      { numRuns: 10_000 }
    )
  }, 60_000)

  it.effect("is a layer", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Crypto, NobleCrypto.crypto)
    }).pipe(Effect.provide(NobleCrypto.layer))
  )
})
