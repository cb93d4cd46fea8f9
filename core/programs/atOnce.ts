/**
 * Chaining effects without operations of a fiber: those that have already ended, as most do on a small upload (keys at hand,
 * bytes in memory, nobody who is told of progress), and those that wait for a callback. Each operation costs about a third of a
 * signature.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { chain, follow, nothingToGiveUp, Waiting } from "./waiting.ts"

/** The outcome of an effect that is nothing but an outcome: `Effect.succeed`, `Effect.fail`, an Exit. */
export const outcome = <A, E, R>(effect: Effect.Effect<A, E, R>): Exit.Exit<A, E> | undefined => {
  const { _tag: tag } = effect as { readonly _tag?: unknown }
  // What `Exit.isExit` asks, of what is known to be an effect. An effect that is an Exit is one of its own types.
  return tag === "Success" || tag === "Failure" ? (effect as Exit.Exit<A, E>) : undefined
}

/** `Effect.flatMap`, which runs `f` at once if there is nothing to wait for. To be called when it is to run. */
export const flatMap = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  f: (value: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2, R | R2> => {
  const ended = outcome(effect)
  if (ended !== undefined) return Exit.isSuccess(ended) ? f(ended.value) : Effect.failCause(ended.cause)
  if (effect instanceof Waiting) return later<A, E, B, E | E2, R | R2>(effect, (next) => flatMap(next, f))
  return Effect.flatMap(effect, f)
}

/** `Effect.catchSome`, as `flatMap` here is `Effect.flatMap`: errors of which `f` makes nothing are left as they are. */
export const catchSome = <A, E, R, A2, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  f: (error: E) => Effect.Effect<A2, E2, R2> | undefined
): Effect.Effect<A | A2, E | E2, R | R2> => {
  const ended = outcome(effect)
  if (ended !== undefined) {
    const error = Exit.isFailure(ended) ? Cause.failureOption(ended.cause) : Option.none()
    return (Option.isSome(error) ? f(error.value) : undefined) ?? ended
  }
  if (effect instanceof Waiting) return later<A, E, A | A2, E | E2, R | R2>(effect, (next) => catchSome(next, f))
  return Effect.catchSome(effect, (error) => Option.fromNullable(f(error)))
}

/** What `Effect.whileLoop` takes. */
export interface Loop<A, E> {
  readonly while: () => boolean
  readonly body: () => Effect.Effect<A, E>
  readonly step: (value: A) => void
}

/** `Effect.whileLoop`, whose fiber waits once for all rounds that wait for callbacks. */
export const whileLoop = <A, E>(loop: Loop<A, E>): Effect.Effect<void, E> =>
  new Waiting((done, fiber) => {
    let giveUp = nothingToGiveUp
    /** Answers whether the next round may follow. */
    const settled = (ended: Effect.Effect<A, E>): boolean => {
      const exit = outcome(ended)
      if (exit === undefined) {
        done(Effect.flatMap(ended, (value) => Effect.zipRight(stepped(loop, value), whileLoop(loop))))
        return false
      }
      const next = Exit.isSuccess(exit) ? stepped(loop, exit.value) : Exit.failCause(exit.cause)
      if (Exit.isSuccess(next)) return true
      done(next)
      return false
    }
    const go = (): void => {
      for (;;) {
        const round = began(loop)
        if (round === undefined) return done(Exit.void)
        // Rounds that end at once follow one another here, and those that end later from where they end.
        let isNow = true
        let isNext = false
        const given = follow(
          round,
          (ended) => {
            isNext = settled(ended)
            if (isNext && !isNow) go()
          },
          fiber
        )
        isNow = false
        if (!isNext) return void (giveUp = given)
      }
    }
    go()
    return (cause) => giveUp(cause)
  })

/** The next round, if there is one. What is thrown is its outcome. */
const began = <A, E>(loop: Loop<A, E>): Effect.Effect<A, E> | undefined => {
  try {
    return loop.while() ? loop.body() : undefined
  } catch (defect) {
    return Effect.die(defect)
  }
}

const stepped = <A, E>(loop: Loop<A, E>, value: A): Exit.Exit<void> => {
  try {
    loop.step(value)
    return Exit.void
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** What it needs is around the fiber that waits. */
const later = <A, E, B, E2, R2>(
  effect: Waiting<A, E>,
  then: (ended: Effect.Effect<A, E>) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E2, R2> => chain(effect, then as (ended: Effect.Effect<A, E>) => Effect.Effect<B, E2>)
