/**
 * The budget of one process: requests in the order in which they came, and bytes paced by Effect's Clock.
 *
 * Bandwidth is kept by when requests begin: each after the time that the bytes of those before it take at the limit. What
 * is not used is not saved up: after a pause there is no burst.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import { Budget, limitsOf, type Limits, type Options, type Service } from "./Budget.ts"
import * as Turnstile from "./Turnstile.ts"

/** The budget of one bucket: runs an effect that sends so many bytes. */
type Room = (bytes: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const roomOf = ({ bytesPerSecond, concurrency }: Limits, clock: Clock.Clock): Room => {
  const turnstile = Turnstile.make<never>(
    () => concurrency,
    () => clock.unsafeCurrentTimeMillis()
  )
  // When the line is free, in milliseconds.
  let free = -Infinity
  const pace = (bytes: number) =>
    bytesPerSecond === undefined || bytes === 0
      ? Effect.void
      : Effect.suspend(() => {
          const now = clock.unsafeCurrentTimeMillis()
          const begin = Math.max(now, free)
          free = begin + (bytes / bytesPerSecond) * 1000
          // Whole milliseconds, as everywhere; what is rounded off is not lost, because `free` is exact.
          return Effect.sleep(Math.ceil(begin - now))
        })
  return (bytes) => (effect) => turnstile.through(Effect.zipRight(pace(bytes), effect))
}

/** Fails with `InvalidParam` for limits that cannot be. */
export const make = (options: Options): Effect.Effect<Service, InvalidParam> =>
  Effect.gen(function* () {
    const limits = yield* limitsOf(options)
    const clock = yield* Effect.clock
    const rooms = new Map<string, Room>()
    const roomFor = (bucket: string): Room => {
      const known = rooms.get(bucket)
      if (known !== undefined) return known
      const room = roomOf(limits(bucket), clock)
      rooms.set(bucket, room)
      return room
    }
    return { withPermit: (bucket, bytes) => (effect) => Effect.suspend(() => roomFor(bucket)(bytes)(effect)) }
  })

/** `make` as a layer. */
export const layer = (options: Options): Layer.Layer<Budget, InvalidParam> => Layer.effect(Budget, make(options))
