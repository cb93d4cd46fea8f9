/** A layer belongs to the tests that ask for it, and its clock too. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as SharedLayer from "./SharedLayer.ts"

class Word extends Context.Tag("test/Word")<Word, string>() {}

SharedLayer.tests("tests in a layer", Layer.succeed(Word, "ours"), (it) => {
  it.effect("have what it holds, and move its clock", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Word, "ours")
    })
  )

  it.effect("find its clock where the one before has left it", () =>
    Effect.map(Clock.currentTimeMillis, (now) => assert.strictEqual(now, 3_600_000))
  )
})

describe("a test after them", () => {
  it.effect("has nothing of the layer", () =>
    Effect.map(Effect.serviceOption(Word), (word) => assert.isTrue(word._tag === "None"))
  )

  it.effect("has a clock of its own, at the first moment of 1970", () =>
    Effect.map(Clock.currentTimeMillis, (now) => assert.strictEqual(now, 0))
  )
})
