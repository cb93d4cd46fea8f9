/**
 * HMACs of our own SHA-256: what Node's are, for every key and text they take; and the WASM as a thing, built from its source.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Node from "node:crypto"
import { afterEach, vi } from "vitest"
import * as Layout from "../../../core/model/sha256/Layout.ts"
import * as Sha256 from "../../../core/model/Sha256.ts"
import * as build from "./sha256/build.ts"

const make = Sha256.make() ?? assert.fail("Node has WebAssembly")
const prepare = (key: Uint8Array) => {
  const hmac = make(key)
  return (text: string) => hmac("", text)
}
const byNode = (key: Uint8Array, text: string) => Node.createHmac("sha256", key).update(text).digest("hex")
const utf8 = (text: string) => new TextEncoder().encode(text)

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("Sha256", () => {
  it("is what RFC 4231 gives as test cases 1, 2 and 3", () =>
    assert.deepStrictEqual(
      [
        prepare(new Uint8Array(20).fill(0x0b))("Hi There"),
        prepare(utf8("Jefe"))("what do ya want for nothing?"),
        prepare(new Uint8Array(20).fill(0x61))("")
      ],
      [
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        byNode(new Uint8Array(20).fill(0x61), "")
      ]
    ))

  it("is what Node makes of every length of text, with keys of every length", () => {
    const different: Array<readonly [number, number]> = []
    for (let key = 0; key <= Sha256.longestKey; key++) {
      const bytes = Uint8Array.from({ length: key }, (_, at) => at * 37 + key)
      const hmac = prepare(bytes)
      for (let length = key % 8; length <= Sha256.longest; length += key === 32 ? 1 : 16) {
        const text = "x".repeat(length)
        if (hmac(text) !== byNode(bytes, text)) different.push([key, length])
      }
    }
    assert.deepStrictEqual(different, [])
  })

  it("is what Node makes of random keys and texts, in whatever order they come", () => {
    const keys = Array.from({ length: 8 }, (_, length) => Node.randomBytes(8 * length + 8))
    const prepared = keys.map((key) => prepare(key))
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "grapheme-ascii", maxLength: 600 })
    )
    fc.assert(
      fc.property(fc.nat(7), text, (which, text) => prepared[which]!(text) === byNode(keys[which]!, text)),
      { numRuns: 25_000 }
    )
  }, 60_000)

  it("is what Node makes of any head and text, whatever head came before", () => {
    const hmac = make(utf8("key"))
    const heads = fc.oneof(
      fc.constantFrom("", "x".repeat(63), "x".repeat(64), "x".repeat(128), "é".repeat(100)),
      fc.string({ unit: "grapheme", maxLength: 150 })
    )
    fc.assert(
      fc.property(
        heads,
        fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), { minLength: 1, maxLength: 3 }),
        (head, texts) => texts.every((text) => hmac(head, text) === byNode(utf8("key"), head + text))
      ),
      { numRuns: 25_000 }
    )
  }, 60_000)

  it("refuses texts and heads that do not fit, and takes the next", () => {
    const hmac = make(utf8("key"))
    const long = ["x".repeat(1025), "é".repeat(600), "日".repeat(1024), "x".repeat(100_000)]
    const answers = long.flatMap((text) => [hmac("", text), hmac(text, "a"), hmac("head", text)])
    assert.deepStrictEqual(new Set(answers), new Set([undefined]))
    assert.strictEqual(hmac("head", "a"), byNode(utf8("key"), "heada"))
    assert.strictEqual(hmac("x".repeat(1024), "é".repeat(512)), byNode(utf8("key"), "x".repeat(1024) + "é".repeat(512)))
    assert.strictEqual(
      hmac("x".repeat(1023), "y".repeat(1024)),
      byNode(utf8("key"), "x".repeat(1023) + "y".repeat(1024))
    )
  })

  it("leaves no key in the memory that all keys share", () => {
    // The memory is seen through the module that a fresh `make` instantiates.
    const memories: Array<WebAssembly.Memory> = []
    class Watched extends WebAssembly.Instance {
      constructor(module: WebAssembly.Module) {
        super(module)
        memories.push(this.exports["memory"] as WebAssembly.Memory) // the module exports one
      }
    }
    vi.stubGlobal("WebAssembly", { ...WebAssembly, Module: WebAssembly.Module, Instance: Watched })
    const key = utf8("0123456789abcdef0123456789abcdef")
    Sha256.make()!(key)("head", "text")
    const memory = Buffer.from(memories[0]!.buffer)
    assert.deepStrictEqual([memory.length, memory.indexOf(key)], [65536, -1])
    const xored = [0x36, 0x5c].map((byte) => memory.indexOf(key.map((at) => at ^ byte)))
    assert.deepStrictEqual(xored, [-1, -1])
  })
})

describe("the WASM of Sha256", () => {
  it("is what its source says, byte for byte", async () => {
    assert.strictEqual(build.committed(), build.fileWith(await build.assemble()))
  })
  it("has at most 4096 bytes: older browsers compile no more than that at once on a page", async () => {
    assert.isAtMost((await build.assemble()).byteLength, 4096)
  })
  it("is done without where it may not be compiled", () => {
    const Module = () => assert.fail("disallowed by embedder")
    vi.stubGlobal("WebAssembly", { ...WebAssembly, Module })
    assert.isUndefined(Sha256.make())
  })
  it("has room for the padding behind the longest text", () =>
    assert.isAtMost(Layout.INPUT_AT + Layout.INPUT + 2 * Layout.BLOCK, 65536))
})
