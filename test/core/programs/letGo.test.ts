/** Effects that are let go as they begin do what they would have done, once. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { letGo, uninterruptibleMask } from "../../../core/programs/letGo.ts"

const interruptible = Effect.checkInterruptible(Effect.succeed)

describe("letGo", () => {
  it.effect("runs once, as the effect does, and dies after that", () =>
    Effect.gen(function* () {
      for (const exit of [Exit.succeed(1), Exit.fail("no"), Exit.die("defect")]) {
        const once = letGo<number, string, never>(exit)
        assert.deepEqual(yield* Effect.exit(once), exit)
        const again = yield* Effect.exit(once)
        assert.isTrue(Exit.isFailure(again) && Cause.isDie(again.cause))
      }
    })
  )
})

describe("uninterruptibleMask", () => {
  it.effect("is uninterruptible but for what is restored", () =>
    Effect.gen(function* () {
      const asked = () => uninterruptibleMask((restore) => Effect.zip(interruptible, restore(interruptible)))
      assert.deepEqual(yield* asked(), [false, true])
      assert.deepEqual(yield* Effect.uninterruptible(asked()), [false, false])
    })
  )

  it.live("lets what is restored be interrupted, and then ends", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const masked = uninterruptibleMask((restore) =>
        Effect.onExit(restore(Effect.never), (exit) => Effect.sync(() => void ends.push(exit._tag)))
      )
      const fiber = yield* Effect.fork(masked)
      yield* Effect.sleep(10)
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      assert.deepEqual(ends, ["Failure"])
    })
  )
})
