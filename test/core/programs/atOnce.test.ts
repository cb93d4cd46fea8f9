/** What has ended is chained at once; what has not, as Effect chains it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as AtOnce from "../../../core/programs/atOnce.ts"

const doubled = (value: number) => Effect.succeed(2 * value)

describe("AtOnce.flatMap", () => {
  it("runs at once on what has a value", () => {
    const answer = Effect.succeed(42)
    assert.strictEqual(
      AtOnce.flatMap(Effect.succeed(21), () => answer),
      answer
    )
  })

  it.effect("answers what Effect.flatMap does, however the effect ends", () =>
    Effect.gen(function* () {
      const effects: ReadonlyArray<Effect.Effect<number, string>> = [
        Effect.succeed(21),
        Effect.fail("no"),
        Effect.die("defect"),
        Effect.interrupt,
        Effect.sync(() => 21),
        Either.right(21),
        Either.left("no"),
        Effect.yieldNow().pipe(Effect.as(21)),
        Exit.fail("no")
      ]
      for (const effect of effects) {
        const [ours, theirs] = [AtOnce.flatMap(effect, doubled), Effect.flatMap(effect, doubled)]
        assert.deepEqual(yield* Effect.exit(ours), yield* Effect.exit(theirs))
      }
    })
  )

  it("does not run what follows a failure", () => {
    const calls: Array<number> = []
    AtOnce.flatMap(Effect.fail("no") as Effect.Effect<number, string>, (value) => Effect.succeed(calls.push(value)))
    assert.deepEqual(calls, [])
  })
})

describe("AtOnce.outcome", () => {
  it("knows an outcome, and nothing of what is still to run", () => {
    assert.deepEqual(AtOnce.outcome(Effect.succeed(1)), Exit.succeed(1))
    assert.deepEqual(AtOnce.outcome(Effect.fail("no")), Exit.fail("no"))
    assert.isUndefined(AtOnce.outcome(Effect.sync(() => 1)))
    assert.isUndefined(AtOnce.outcome(Effect.suspend(() => Effect.succeed(1))))
  })
})
