/**
 * Waiting for a fiber, and no longer than may be.
 *
 * `Effect.timeoutOption(Fiber.await(fiber))` does the same with three fibers and a race; a receiver does it for each
 * request, and this takes a third of the time.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

/** How the fiber ended; `undefined` when it did not within the budget. It is left alone in either case. */
export const within = <A, E>(
  runtime: Runtime.Runtime<never>,
  fiber: Fiber.RuntimeFiber<A, E>,
  budget: Duration.Duration
): Effect.Effect<Exit.Exit<A, E> | undefined> =>
  Effect.async((resume) => {
    const timer = Runtime.runFork(runtime, Effect.interruptible(Effect.sleep(budget)))
    const stop = (): void => {
      fiber.removeObserver(ended)
      timer.unsafeInterruptAsFork(FiberId.none)
    }
    const ended = (exit: Exit.Exit<A, E>): void => {
      stop()
      resume(Effect.succeed(exit))
    }
    fiber.addObserver(ended)
    timer.addObserver((exit) => {
      if (Exit.isFailure(exit)) return // stopped
      stop()
      resume(Effect.succeed(undefined))
    })
    return Effect.sync(stop)
  })
