/** What every `CheckpointStore` owes to a resumable upload. Run it over each adapter, with a layer of an empty store. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CheckpointError } from "../../core/model/OssError.ts"
import { CheckpointStore, type Handle } from "../../core/ports/CheckpointStore.ts"
import { checkpoint, identity } from "../support/SampleCheckpoint.ts"

const acquire = (name = identity) => Effect.flatMap(CheckpointStore, (store) => store.acquire(name))

/** Uses a handle for no longer than `use` takes, as one run of an upload does. */
const run = <A, E, R>(use: (handle: Handle) => Effect.Effect<A, E, R>, name = identity) =>
  Effect.scoped(Effect.flatMap(acquire(name), use))

/** What is loaded, as a plain value: to chai, `none` and `some` are deeply equal. */
const loaded = (handle: Handle) => Effect.map(handle.load, Option.getOrNull)

const reasonOf = <A, R>(effect: Effect.Effect<A, CheckpointError, R>) =>
  Effect.map(
    Effect.either(effect),
    Either.match({ onLeft: (error) => error.reason, onRight: () => "no error" as const })
  )

export const contract = (name: string, layer: () => Layer.Layer<CheckpointStore>): void => {
  const law = <E>(sentence: string, body: Effect.Effect<void, E, CheckpointStore | Scope.Scope>) =>
    it.live(sentence, () => body.pipe(Effect.scoped, Effect.provide(layer())))

  describe(`${name} keeps checkpoints`, () => {
    law(
      "finds none before the first save",
      Effect.gen(function* () {
        assert.isNull(yield* run(loaded))
      })
    )

    law(
      "gives back what was saved, in the same run and in a later one",
      Effect.gen(function* () {
        const saved = checkpoint(1)
        const here = yield* run((handle) => Effect.zipRight(handle.save(saved), loaded(handle)))
        assert.deepStrictEqual([here, yield* run(loaded)], [saved, saved])
      })
    )

    law(
      "keeps 10,000 parts",
      Effect.gen(function* () {
        const large = checkpoint(1, 10_000)
        yield* run((handle) => handle.save(large))
        assert.deepStrictEqual(yield* run(loaded), large)
      })
    )

    law(
      "keeps whatever stands in a text",
      Effect.gen(function* () {
        const texts = ["'; DROP TABLE x; --", '"\\', "$1 ? :a %s ${b}", "a\0b\n\t", "\u{1F389}\uD800", "NULL"]
        for (const key of texts) {
          const odd = { ...checkpoint(1), key, fingerprint: key }
          yield* run((handle) => handle.save(odd), key)
          assert.deepStrictEqual(yield* run(loaded, key), odd)
        }
      })
    )

    law(
      "replaces what was saved before, also by something shorter",
      Effect.gen(function* () {
        yield* run((handle) => Effect.zipRight(handle.save(checkpoint(1, 100)), handle.save(checkpoint(2, 1))))
        assert.deepStrictEqual(yield* run(loaded), checkpoint(2, 1))
      })
    )

    law(
      "keeps the one saved last when many are saved at once",
      Effect.gen(function* () {
        const all = Array.from({ length: 20 }, (_, i) => checkpoint(i, i % 2 === 0 ? 500 : 1))
        yield* run((handle) => Effect.forEach(all, handle.save, { concurrency: "unbounded" }))
        assert.deepStrictEqual(yield* run(loaded), all[19]!)
      })
    )

    law(
      "keeps its own copy: what is changed later outside was not saved",
      Effect.gen(function* () {
        const parts = [...checkpoint(1).parts]
        const changing = { ...checkpoint(1), parts }
        yield* run((handle) => handle.save(changing))
        parts.pop()
        assert.deepStrictEqual(yield* run(loaded), checkpoint(1))
      })
    )

    law(
      "forgets what is removed, and takes a new one after that",
      Effect.gen(function* () {
        yield* run((handle) => Effect.zipRight(handle.save(checkpoint(1)), handle.remove))
        assert.isNull(yield* run(loaded))
        yield* run((handle) => handle.save(checkpoint(2)))
        assert.deepStrictEqual(yield* run(loaded), checkpoint(2))
      })
    )

    law(
      "does not mind removing what is not there",
      run((handle) => Effect.zipRight(handle.remove, handle.remove))
    )

    law(
      "keeps destinations apart, whatever their names",
      Effect.gen(function* () {
        const names = [
          "",
          " ",
          "a",
          "A",
          "a/../b",
          "../../b",
          "/etc",
          "a\nb",
          "日本",
          "🎉",
          "a\0b",
          "x".repeat(100_000)
        ]
        yield* Effect.forEach(names, (name, i) => run((handle) => handle.save(checkpoint(i)), name))
        const found = yield* Effect.forEach(names, (name) => run(loaded, name))
        assert.deepStrictEqual(
          found.map((one) => one?.created),
          names.map((_, i) => i)
        )
      })
    )
  })

  describe(`${name} lets one run at a time work on a destination`, () => {
    law(
      "refuses a second run at once, as Locked",
      Effect.gen(function* () {
        yield* acquire()
        assert.strictEqual(yield* reasonOf(run(loaded)), "Locked")
      })
    )

    law(
      "lets runs for different destinations work side by side",
      Effect.gen(function* () {
        const one = yield* acquire("one")
        const two = yield* acquire("two")
        yield* Effect.all([one.save(checkpoint(1)), two.save(checkpoint(2))], { concurrency: 2 })
        assert.deepStrictEqual([yield* loaded(one), yield* loaded(two)], [checkpoint(1), checkpoint(2)])
      })
    )

    law(
      "lets one of many fibers through when all try at once, every time",
      Effect.gen(function* () {
        for (let round = 0; round < 10; round++) {
          const tried = yield* Effect.all(
            Array.from({ length: 16 }, () => Effect.either(acquire())),
            { concurrency: "unbounded" }
          ).pipe(Effect.scoped)
          const reasons = tried.map(Either.match({ onLeft: (error) => error.reason, onRight: () => "won" }))
          assert.deepStrictEqual(reasons.sort(), [...Array.from({ length: 15 }, () => "Locked"), "won"])
        }
      })
    )

    law(
      "is free again after a run that failed",
      Effect.gen(function* () {
        yield* Effect.either(run(() => Effect.fail("the upload failed")))
        assert.isNull(yield* run(loaded))
      })
    )

    law(
      "is free again after a run that was interrupted, whenever that was",
      Effect.gen(function* () {
        for (let delay = 0; delay < 20; delay++) {
          const begun = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(
            Effect.zipRight(
              Deferred.succeed(begun, undefined),
              run((handle) => Effect.forever(handle.save(checkpoint(delay, 20))))
            )
          )
          yield* Deferred.await(begun)
          yield* Effect.sleep(delay)
          yield* Fiber.interrupt(fiber)
          assert.strictEqual(yield* reasonOf(run(loaded)), "no error")
        }
      })
    )

    law(
      "refuses a handle whose run is over, and changes nothing",
      Effect.gen(function* () {
        const old = yield* run((handle) => Effect.as(handle.save(checkpoint(1)), handle))
        const reasons = yield* Effect.forEach([old.load, old.save(checkpoint(2)), old.remove], reasonOf)
        assert.deepStrictEqual(reasons, ["Locked", "Locked", "Locked"])
        yield* run((handle) =>
          Effect.gen(function* () {
            assert.strictEqual(yield* reasonOf(old.save(checkpoint(2))), "Locked")
            assert.deepStrictEqual(yield* loaded(handle), checkpoint(1))
          })
        )
      })
    )

    law(
      "writes nothing once another run may have begun, also when a save was under way as the run ended",
      Effect.gen(function* () {
        for (let delay = 0; delay < 8; delay++) {
          const saving = yield* run((handle) =>
            Effect.zipLeft(Effect.forkDaemon(handle.save(checkpoint(delay, 3_000))), Effect.sleep(delay))
          )
          const first = yield* run(loaded)
          yield* Fiber.await(saving)
          assert.deepStrictEqual(yield* run(loaded), first)
        }
      })
    )

    law(
      "writes nothing once another run may have begun, also when a save was interrupted",
      Effect.gen(function* () {
        for (let delay = 0; delay < 8; delay++) {
          yield* run((handle) => Effect.timeout(handle.save(checkpoint(delay, 3_000)), delay)).pipe(Effect.either)
          const first = yield* run(loaded)
          yield* Effect.sleep(20)
          assert.deepStrictEqual(yield* run(loaded), first)
        }
      })
    )
  })
}
