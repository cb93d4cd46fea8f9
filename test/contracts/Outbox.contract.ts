/** What every `Outbox` owes to redelivery. Run it over each adapter, with a layer of an empty outbox. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Outbox } from "../../core/ports/Outbox.ts"
import { undelivered } from "../support/SampleUndelivered.ts"

export const contract = (name: string, layer: () => Layer.Layer<Outbox>): void => {
  const law = <E>(sentence: string, body: Effect.Effect<void, E, Outbox>) =>
    it.live(sentence, () => body.pipe(Effect.provide(layer())))

  describe(`${name} keeps callbacks that wait`, () => {
    law(
      "has none at first, and none of an ID that was never put to remove",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* outbox.remove(undelivered(1).id)
        assert.deepStrictEqual(yield* outbox.list, [])
      })
    )

    law(
      "gives back what was put, the oldest first",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        for (const since of [3, 1, 2]) yield* outbox.put(undelivered(since))
        assert.deepStrictEqual(yield* outbox.list, [1, 2, 3].map(undelivered))
      })
    )

    law(
      "has one entry of one ID, the one put last",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* outbox.put(undelivered(1))
        const again = { ...undelivered(1), since: 9 }
        yield* outbox.put(again)
        assert.deepStrictEqual(yield* outbox.list, [again])
      })
    )

    law(
      "forgets what was removed, and nothing else",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        yield* outbox.put(undelivered(1))
        yield* outbox.put(undelivered(2))
        yield* outbox.remove(undelivered(1).id)
        assert.deepStrictEqual(yield* outbox.list, [undelivered(2)])
      })
    )

    law(
      "takes many at once",
      Effect.gen(function* () {
        const outbox = yield* Outbox
        const entries = Array.from({ length: 50 }, (_, i) => undelivered(i + 1))
        yield* Effect.forEach(entries, outbox.put, { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* outbox.list, entries)
      })
    )
  })
}
