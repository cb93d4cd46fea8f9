/** What waits for a callback is an effect like others, and is given up when its fiber is interrupted. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type GiveUp, Waiting } from "../../../core/programs/waiting.ts"

const never = (giveUp: GiveUp) => new Waiting<never>(() => giveUp)

describe("Waiting", () => {
  it.effect("ends as it is told to, at once or later, any number of times, and gives up nothing then", () =>
    Effect.gen(function* () {
      let givenUp = 0
      const giveUp: GiveUp = () => void givenUp++ as undefined
      for (const exit of [Exit.succeed(1), Exit.fail("no"), Exit.die("defect")]) {
        const atOnce = new Waiting<number, string>((done) => {
          done(exit)
          return giveUp
        })
        const later = new Waiting<number, string>((done) => {
          queueMicrotask(() => done(exit))
          return giveUp
        })
        for (const waiting of [atOnce, later, atOnce, later]) {
          assert.deepEqual(yield* Effect.exit(waiting), exit)
        }
      }
      assert.strictEqual(givenUp, 0)
    })
  )

  it.effect("goes on with what it is told, in the fiber that waits", () =>
    Effect.gen(function* () {
      const told = new Waiting<boolean>((done) => {
        queueMicrotask(() => done(Effect.checkInterruptible(Effect.succeed)))
        return () => undefined
      })
      assert.isTrue(yield* told)
      assert.isFalse(yield* Effect.uninterruptible(told))
    })
  )

  it.effect("is a defect where its beginning throws", () =>
    Effect.gen(function* () {
      const broken = new Waiting(() => {
        throw new Error("broken")
      })
      assert.deepEqual(yield* Effect.exit(broken), Exit.die(new Error("broken")))
    })
  )

  it.live("is given up once when it is interrupted, and what it tells then is not heard", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      let tell: (next: Effect.Effect<number>) => void = () => {}
      const waiting = new Waiting<number>((done) => {
        tell = done
        return (cause) => void log.push(Cause.isInterruptedOnly(cause) ? "interrupted" : "failed") as undefined
      })
      const fiber = yield* Effect.fork(waiting)
      yield* Effect.sleep("5 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      tell(Effect.sync(() => log.push("ran")))
      tell(
        new Waiting<number>(() => {
          log.push("begun")
          return () => undefined
        })
      )
      yield* Effect.sleep("5 millis")
      assert.deepEqual(log, ["interrupted"])
    })
  )

  it.live("gives up what is under way, and not what led to it at once", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const second = new Waiting<never>(() => () => void log.push("second") as undefined)
      const first = new Waiting<never>((done) => {
        done(second)
        return () => void log.push("first") as undefined
      })
      const fiber = yield* Effect.fork(first)
      yield* Effect.sleep("5 millis")
      yield* Fiber.interrupt(fiber)
      assert.deepEqual(log, ["second"])
    })
  )

  it.live("is waited for when it cannot be stopped", () =>
    Effect.gen(function* () {
      let isOver = false
      const fiber = yield* Effect.fork(
        never(() => (ended) => {
          setTimeout(() => {
            isOver = true
            ended()
          }, 20)
        })
      )
      yield* Effect.sleep("5 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(isOver)
    })
  )

  it.live("is not given up where its fiber cannot be interrupted", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      const log: Array<string> = []
      const waiting = new Waiting<void>((done) => {
        setTimeout(() => done(Exit.void), 20)
        return () => void log.push("given up") as undefined
      })
      const noted = Effect.tap(waiting, () => Effect.sync(() => log.push("done")))
      const fiber = yield* Effect.fork(
        Effect.uninterruptible(Effect.zipRight(Deferred.succeed(open, undefined), noted))
      )
      yield* Deferred.await(open)
      yield* Fiber.interrupt(fiber)
      assert.deepEqual(log, ["done"])
    })
  )
})
