import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Utf8 from "../../../core/model/Utf8.ts"

const runs = { numRuns: 10_000 }
const wellFormed = fc.string({ unit: "binary" })
/** Units of UTF-16 in any order: pairs, halves of them, and others. */
const units = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7ff, max: 0xe000 })), { maxLength: 12 })
const anything = units.map((units) => String.fromCharCode(...units))

const canBeEncoded = (text: string): boolean => {
  try {
    return encodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

describe("Utf8", () => {
  it("gives back what it encoded, a byte-order mark included", () => {
    const same = (text: string) => Option.getOrNull(Utf8.decode(Utf8.encode(text))) === text
    assert.isTrue(same("\ufeff{}"))
    fc.assert(fc.property(wellFormed, same), runs)
  })

  it("knows the length without encoding", () =>
    fc.assert(
      fc.property(wellFormed, (text) => Utf8.byteLength(text) === Utf8.encode(text).length),
      runs
    ))

  it("encodes pieces as it does the whole", () =>
    fc.assert(
      fc.property(fc.array(wellFormed), fc.integer({ min: 4, max: 40 }), (pieces, chunkSize) => {
        const given: Array<number> = []
        let last = new Uint8Array(0)
        for (const chunk of Utf8.encodeChunks(pieces, chunkSize)) {
          given.push(...last) // still what it was, with one more given since
          last = chunk
          assert.isTrue(chunk.length > 0 && chunk.length <= chunkSize)
        }
        assert.deepStrictEqual([...given, ...last], [...Utf8.encode(pieces.join(""))])
      }),
      runs
    ))

  it("finds halves of pairs, wherever they stand", () =>
    fc.assert(
      fc.property(anything, (text) => Utf8.isWellFormed(text) === canBeEncoded(text)),
      runs
    ))

  it("reads nothing of what is not UTF-8", () => {
    // A lone continuation, a cut sequence, an overlong one, a surrogate, and above U+10FFFF.
    const broken = [[0x80], [0xe6, 0x97], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]
    assert.deepStrictEqual(
      broken.filter((bytes) => Option.isSome(Utf8.decode(Uint8Array.from(bytes)))),
      []
    )
  })
})
