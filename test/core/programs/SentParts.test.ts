import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Sent from "../../../core/programs/upload/sent.ts"

const part = fc.record({
  number: fc.integer({ min: 1, max: 10_000 }),
  size: fc.integer({ min: 0, max: 5 * 2 ** 30 }),
  etag: fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("0123456789ABCDEF0123456789ABCDEF")),
  crc64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
})

describe("parts that are at the server", () => {
  it("are told in the order of their numbers, whole, whatever the order they came in; of a number, the last counts", () =>
    fc.assert(
      fc.property(fc.array(part), (given) => {
        const parts = Sent.make()
        for (const one of given) parts.add(one)
        const last = new Map(given.map((one) => [one.number, one]))
        const expected = [...last.values()].sort((one, other) => one.number - other.number)
        assert.deepStrictEqual([...parts], expected)
        assert.deepStrictEqual([...parts], expected) // as often as they are asked for
      })
    ))

  it("are 10,000, first to last and last to first", () => {
    const all = Array.from({ length: 10_000 }, (_, i) => ({ number: i + 1, size: i, etag: `${i}`, crc64: BigInt(i) }))
    for (const given of [all, all.toReversed()]) {
      const parts = Sent.make()
      for (const one of given) parts.add(one)
      assert.deepStrictEqual([...parts], all)
    }
  })
})
