/** The spellings of a moment are the engine's own, whichever moment was spelled before. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Instant from "../../../../core/wire/signature/Instant.ts"

const byEngine = (time: number) => new Date(time).toISOString()
const midnight = Date.UTC(2025, 6, 15)
const times = fc.oneof(
  fc.integer({ min: 0, max: Instant.end - 1 }),
  // Around a midnight, so that days change back and forth.
  fc.integer({ min: midnight - 2000, max: midnight + 2000 })
)

describe("a moment", () => {
  it("is spelled as ISO 8601 has it", () =>
    fc.assert(
      fc.property(times, (time) => Instant.iso(time) === byEngine(time)),
      { numRuns: 10_000 }
    ))

  it("is spelled as signatures have it, without its milliseconds", () =>
    fc.assert(
      fc.property(
        // The sum of more, of which the last 1/32 is lost in the farthest years, would be the next millisecond.
        fc.tuple(times, fc.double({ min: 0, max: 0.95, noNaN: true })),
        ([time, fraction]) =>
          Instant.datetime(Math.min(time + fraction, Instant.end - 1)) === byEngine(time).replace(/[-:]|\.\d{3}/g, "")
      ),
      { numRuns: 10_000 }
    ))

  it("is spelled from the first to the last", () =>
    assert.deepStrictEqual(
      [Instant.iso(0), Instant.iso(Instant.end - 1), Instant.datetime(0)],
      ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "19700101T000000Z"]
    ))
})
