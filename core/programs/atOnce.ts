/**
 * Chaining effects that have already ended, as most do on a small upload: keys at hand, bytes in memory, nobody who is told
 * of progress. What has a value needs no operation of the fiber to get at it; each costs about a third of a signature.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The outcome of an effect that is nothing but an outcome: `Effect.succeed`, `Effect.fail`, an Exit. */
export const outcome = <A, E, R>(effect: Effect.Effect<A, E, R>): Exit.Exit<A, E> | undefined =>
  Exit.isExit(effect) ? (effect as Exit.Exit<A, E>) : undefined // an effect that is an Exit is one of its own types

/** `Effect.flatMap`, which runs `f` at once if there is nothing to wait for. To be called when it is to run. */
export const flatMap = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  f: (value: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2, R | R2> => {
  const ended = outcome(effect)
  if (ended === undefined) return Effect.flatMap(effect, f)
  return Exit.isSuccess(ended) ? f(ended.value) : Effect.failCause(ended.cause)
}
