/** The port `Crypto` on node:crypto, against vectors of RFC 1321 (MD5), FIPS 180-4 (SHA-256) and RFC 4231 (HMAC). */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import { Crypto } from "../../../core/ports/Crypto.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("NodeCrypto", () => {
  const { hmacSha256, hmacSha256Hex, hmacSha256Keyed, md5, sha256Hex } = NodeCrypto.crypto

  it("hashes text and bytes with SHA-256", () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert.strictEqual(sha256Hex("abc"), abc)
    assert.strictEqual(sha256Hex(utf8("abc")), abc)
    assert.strictEqual(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  })

  it("hashes text as UTF-8", () => {
    assert.strictEqual(sha256Hex("日本"), sha256Hex(utf8("日本")))
  })

  it("signs with HMAC-SHA256", () => {
    const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert.strictEqual(hmacSha256Hex(utf8("Jefe"), "what do ya want for nothing?"), expected)
    assert.strictEqual(hex(hmacSha256(utf8("Jefe"), "what do ya want for nothing?")), expected)
  })

  it("signs with a key prepared once, however long key and text are", () => {
    const keys = [0, 1, 32, 63, 64, 65, 200].map((length) => new Uint8Array(length).fill(length))
    const texts = [0, 1, 55, 56, 512, 1024, 1025, 5000].flatMap((length) =>
      ["a", "é", "😀"].map((unit) => unit.repeat(length))
    )
    const heads = [
      "",
      "h",
      "head of thirty bytes and more\n",
      "x".repeat(63),
      "x".repeat(64),
      "x".repeat(65),
      "é".repeat(600)
    ]
    const all = keys.flatMap((key) => {
      const keyed = hmacSha256Keyed(key)
      return heads.flatMap((head) => texts.map((text) => [keyed(head, text), hmacSha256Hex(key, head + text)]))
    })
    assert.deepStrictEqual(
      all.filter(([prepared, plain]) => prepared !== plain),
      []
    )
  })

  it("holds a copy of the key", () => {
    const key = utf8("Jefe")
    const keyed = hmacSha256Keyed(key)
    const before = [keyed("", "a"), keyed("", "a".repeat(5000))]
    key.fill(0)
    assert.deepStrictEqual([keyed("", "a"), keyed("", "a".repeat(5000))], before)
  })

  it("hashes bytes with MD5", () => {
    assert.strictEqual(hex(md5(utf8("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0")
  })

  it("gives plain Uint8Arrays of the digest's length", () => {
    assert.deepStrictEqual(
      [md5(utf8("a")), hmacSha256(utf8("k"), "a")].map((bytes) => [bytes.constructor, bytes.length]),
      [
        [Uint8Array, 16],
        [Uint8Array, 32]
      ]
    )
  })

  it("hashes a view, not the buffer behind it", () => {
    const view = utf8("xxabcxx").subarray(2, 5)
    assert.strictEqual(sha256Hex(view), sha256Hex("abc"))
    assert.strictEqual(hex(md5(view)), "900150983cd24fb0d6963f7d28e17f72")
  })

  it("answers the same where Node has no crypto.hash", async () => {
    vi.resetModules()
    vi.doMock("node:crypto", async (original) => ({ ...(await original<object>()), hash: undefined }))
    const older = await import("../../../adapters/node/NodeCrypto.ts")
    vi.doUnmock("node:crypto")
    assert.notStrictEqual(older.crypto, NodeCrypto.crypto)
    assert.strictEqual(older.crypto.sha256Hex("日本"), sha256Hex("日本"))
    assert.strictEqual(hex(older.crypto.md5(utf8("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0")
  })

  it("answers the same where WebAssembly may not be compiled", async () => {
    vi.resetModules()
    const Module = () => assert.fail("disallowed by embedder")
    vi.stubGlobal("WebAssembly", { ...WebAssembly, Module })
    const without = await import("../../../adapters/node/NodeCrypto.ts")
    const answer = without.crypto.hmacSha256Keyed(utf8("Jefe"))("", "a")
    vi.unstubAllGlobals()
    assert.strictEqual(answer, hmacSha256Hex(utf8("Jefe"), "a"))
  })

  it.effect("is a layer", () =>
    Effect.gen(function* () {
      const provided = yield* Crypto
      assert.strictEqual(provided, NodeCrypto.crypto)
    }).pipe(Effect.provide(NodeCrypto.layer))
  )
})
