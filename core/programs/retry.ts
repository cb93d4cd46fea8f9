/**
 * `Effect.retry` that costs nothing while all goes well: the schedule is only set up when there is something to try again. Of the
 * memory that a request allocates, an idle schedule was a fifth.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as AtOnce from "./atOnce.ts"

/**
 * Runs what `attempt` gives, and again by `schedule` as long as `isWorthIt`; it is asked anew each time. Fails with the last
 * error that `isRemembered`; without one, with the last of all.
 */
export const retry = <A, E, R>(
  attempt: () => Effect.Effect<A, E, R>,
  schedule: Schedule.Schedule<unknown, E>,
  isWorthIt: (error: E) => boolean,
  isRemembered: (error: E) => boolean = () => false
): Effect.Effect<A, E, R> => {
  const again = (first: E): Effect.Effect<A, E, R> => {
    let remembered: E | undefined
    const noted = (error: E): E => {
      if (isRemembered(error)) remembered = error
      return error
    }
    let isFirst = true
    const next = Effect.suspend(() => {
      if (!isFirst) return Effect.mapError(attempt(), noted)
      isFirst = false
      return Effect.fail(noted(first))
    })
    return Effect.mapError(Effect.retry(next, { schedule, while: isWorthIt }), (last) => remembered ?? last)
  }
  return AtOnce.catchSome(attempt(), (first) => (isWorthIt(first) ? again(first) : undefined))
}
