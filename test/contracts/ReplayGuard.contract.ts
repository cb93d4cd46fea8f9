/** What every `ReplayGuard` owes to a receiver. Run it over each adapter, with a layer of an empty guard. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { ReplayGuard, type Claim, type Claimed } from "../../core/ports/ReplayGuard.ts"

const lease = Duration.seconds(60)
const keepFor = Duration.hours(1)

const claim = (id = "delivery-1") => Effect.flatMap(ReplayGuard, (guard) => guard.claim(id, lease))

/** A claim as plain data. */
const told = (claim: Claim) => (claim._tag === "Done" ? { done: claim.answer } : claim._tag)

const claimed = (id?: string) =>
  Effect.map(claim(id), (claim): Claimed => {
    assert(claim._tag === "Claimed")
    return claim
  })

export const contract = (name: string, layer: () => Layer.Layer<ReplayGuard>): void => {
  const law = <E>(sentence: string, body: Effect.Effect<void, E, ReplayGuard>) =>
    it.effect(sentence, () => body.pipe(Effect.provide(layer())))

  describe(`${name} guards against replays`, () => {
    law(
      "lets one of many that come at once through",
      Effect.gen(function* () {
        const claims = yield* Effect.all(
          Array.from({ length: 20 }, () => claim()),
          { concurrency: "unbounded" }
        )
        const tags = claims.map(({ _tag }): string => _tag).sort()
        assert.deepStrictEqual(tags, ["Claimed", ...Array.from({ length: 19 }, () => "Running")])
      })
    )

    law(
      "tells what was answered, once it is handled",
      Effect.gen(function* () {
        yield* (yield* claimed()).confirm(`{"videoId":"日本"}`, keepFor)
        assert.deepStrictEqual(told(yield* claim()), { done: `{"videoId":"日本"}` })
        yield* (yield* claimed("delivery-2")).confirm(undefined, keepFor)
        assert.deepStrictEqual(told(yield* claim("delivery-2")), { done: undefined })
      })
    )

    law(
      "lets a callback be tried again whose handler failed",
      Effect.gen(function* () {
        yield* (yield* claimed()).release
        assert.strictEqual((yield* claim())._tag, "Claimed")
      })
    )

    law(
      "keeps IDs apart",
      Effect.gen(function* () {
        yield* claimed("delivery-1")
        assert.strictEqual((yield* claim("delivery-2"))._tag, "Claimed")
      })
    )

    law(
      "forgets a holder whose lease has ended, and not a millisecond earlier",
      Effect.gen(function* () {
        yield* claimed()
        yield* TestClock.adjust(Duration.subtract(lease, Duration.millis(1)))
        assert.strictEqual((yield* claim())._tag, "Running")
        yield* TestClock.adjust(Duration.millis(1))
        assert.strictEqual((yield* claim())._tag, "Claimed")
      })
    )

    law(
      "does not give back what is another's by now",
      Effect.gen(function* () {
        const late = yield* claimed()
        yield* TestClock.adjust(lease)
        yield* claimed()
        yield* late.release
        assert.strictEqual((yield* claim())._tag, "Running")
      })
    )

    law(
      "takes the word of a holder whose lease ended before it was done",
      Effect.gen(function* () {
        const late = yield* claimed()
        yield* TestClock.adjust(lease)
        yield* claimed()
        yield* late.confirm("late", keepFor)
        assert.deepStrictEqual(told(yield* claim()), { done: "late" })
      })
    )

    law(
      "forgets what was handled when it need be kept no longer, and not a millisecond earlier",
      Effect.gen(function* () {
        yield* (yield* claimed()).confirm("1", keepFor)
        yield* TestClock.adjust(Duration.subtract(keepFor, Duration.millis(1)))
        assert.deepStrictEqual(told(yield* claim()), { done: "1" })
        yield* TestClock.adjust(Duration.millis(1))
        assert.strictEqual((yield* claim())._tag, "Claimed")
      })
    )
  })
}
