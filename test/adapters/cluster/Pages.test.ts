/**
 * Pages: every object on one, many pages soon, no page too long.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Stream from "effect/Stream"
import * as Pages from "../../../adapters/cluster/upload/Pages.ts"

const list = (length: number) => Array.from({ length }, (_, i) => i)
const runs = { numRuns: 10_000 }

describe("pages", () => {
  it("hold every object once, in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.option(fc.integer({ min: 1, max: 150 })), (length, size) => {
        const all = Pages.of(list(length), size ?? undefined).flat()
        return all.length === length && all.every((object, i) => object === i)
      }),
      runs
    )
  })

  it("have the size that was asked for, but for the last", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 150 }), (length, size) => {
        const pages = Pages.of(list(length), size)
        const last = pages.at(-1)!.length
        return pages.slice(0, -1).every((page) => page.length === size) && last >= 1 && last <= size
      }),
      runs
    )
  })

  it("do not depend on what comes after them: a longer list begins with the pages of a shorter one, but for its last", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), (length, more) => {
        const short = Pages.of(list(length)).slice(0, -1)
        const long = Pages.of(list(length + more))
        return short.every((page, i) => page.length === long[i]?.length)
      }),
      runs
    )
  })

  it("of a stream are those of its list, however it is chunked", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.option(fc.integer({ min: 1, max: 30 })),
        fc.integer({ min: 1, max: 80 }),
        (length, size, chunk) => {
          const stream = Stream.rechunk(Stream.fromIterable(list(length)), chunk)
          const pages = Effect.runSync(Stream.runCollect(Pages.ofStream(stream, size ?? undefined)))
          return JSON.stringify([...pages]) === JSON.stringify(Pages.of(list(length), size ?? undefined))
        }
      ),
      { numRuns: 100 } // each runs a stream
    )
  })

  it("are 50 for 100 objects, 400 for 1,000, and hold 2 to 100 each", () => {
    assert.deepStrictEqual(
      [100, 1000, 10_000, 1_000_000].map((length) => Pages.of(list(length)).length),
      [50, 400, 963, 10_947]
    )
    const sizes = Pages.of(list(1_000_000)).map((page) => page.length)
    assert.deepStrictEqual([Math.min(...sizes.slice(0, -1)), Math.max(...sizes)], [2, 100])
  })
})
