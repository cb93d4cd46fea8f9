/**
 * One lock per name, made when it is first asked for and forgotten when nobody holds it.
 */
import * as Effect from "effect/Effect"

/** A function that runs effects of the same name one after the other. Waiting can be interrupted. */
export const make = (): ((name: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) => {
  const locks = new Map<string, { readonly semaphore: Effect.Semaphore; users: number }>()
  return (name) => (effect) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(name) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
        lock.users++
        locks.set(name, lock)
        return lock
      }),
      (lock) => lock.semaphore.withPermits(1)(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users--
          if (lock.users === 0) locks.delete(name)
        })
    )
}
