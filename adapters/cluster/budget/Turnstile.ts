/**
 * A gate that lets so many through at a time, in the order in which they came; how many may change at any moment.
 *
 * Effect's own semaphore lets a newcomer pass those who wait, and sends who was passed to the end of the queue.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"

export interface Turnstile<E> {
  /** Runs the effect once it is let through; then the next may come. */
  readonly through: <A, E2, R>(effect: Effect.Effect<A, E2, R>) => Effect.Effect<A, E | E2, R>
  /** Lets as many through as there is room for now. Call it when `capacity` may have grown. */
  readonly admit: () => void
  /** Fails everybody who waits. */
  readonly refuse: (error: E) => void
  readonly inUse: () => number
  readonly waiting: () => number
  /** When the one that has waited longest came, or came to the front; `undefined` when nobody waits. */
  readonly frontSince: () => number | undefined
}

interface Entry<E> {
  readonly turn: Deferred.Deferred<void, E>
  readonly came: number
  inside: boolean
}

/** A gate. `capacity` is asked whenever somebody might be let through, `now` is any clock's milliseconds. */
export const make = <E>(capacity: () => number, now: () => number, onWait: () => void = () => {}): Turnstile<E> => {
  const queue = new Set<Entry<E>>()
  let inUse = 0
  let lastAdmitted = -Infinity

  const admit = () => {
    for (const entry of queue) {
      if (inUse >= capacity()) return
      queue.delete(entry)
      entry.inside = true
      inUse++
      lastAdmitted = now()
      Deferred.unsafeDone(entry.turn, Effect.void)
    }
  }

  const leave = (entry: Entry<E>) => {
    queue.delete(entry)
    if (!entry.inside) return
    entry.inside = false
    inUse--
    admit()
  }

  return {
    through: (effect) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.suspend(() => {
          const entry: Entry<E> = { turn: Deferred.unsafeMake<void, E>(FiberId.none), came: now(), inside: false }
          queue.add(entry)
          admit()
          if (!entry.inside) onWait()
          return restore(Effect.zipRight(Deferred.await(entry.turn), effect)).pipe(
            Effect.ensuring(Effect.sync(() => leave(entry)))
          )
        })
      ),
    admit,
    refuse: (error) => {
      for (const entry of queue) Deferred.unsafeDone(entry.turn, Effect.fail(error))
      queue.clear()
    },
    inUse: () => inUse,
    waiting: () => queue.size,
    frontSince: () => {
      const [front] = queue
      return front === undefined ? undefined : Math.max(front.came, lastAdmitted)
    }
  }
}
