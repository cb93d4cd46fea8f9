/**
 * Effects that wait for a callback, and are chained (see atOnce.ts) without a fiber's help. With span, retries and decoding a small
 * upload takes 11 operations of its fiber instead of 47, and the parts of a file none: the fiber waits for all of them at once.
 * Each operation takes time, and memory until its end: for parts of 1 MiB, 10 MiB less at the peak.
 *
 * To everybody else a `Waiting` is an effect like others: it may run any number of times, and be interrupted.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { letGo } from "./letGo.ts"

/** The fiber that waits. */
export type Waiter = Fiber.RuntimeFiber<unknown, unknown>

/**
 * Stops what was begun, because the fiber was interrupted. Does nothing to what has ended. Must not throw. Answers, for what
 * cannot be stopped, how to wait until it has ended.
 */
export type GiveUp = (cause: Cause.Cause<never>) => Ending | undefined

/** Tells when it has ended. */
export type Ending = (ended: () => void) => void

/**
 * Begins. `done` is told once, at once or later, what comes next: an outcome, another `Waiting`, or what only a fiber can
 * run. Until an outcome it may be given up, and after that nothing more is told.
 */
export type Begin<A, E> = (done: (next: Effect.Effect<A, E>) => void, fiber: Waiter) => GiveUp

/** An effect that begins something, and waits until that tells how it ended. */
export class Waiting<A, E = never> extends Effectable.Class<A, E> {
  readonly begin: Begin<A, E>

  constructor(begin: Begin<A, E>) {
    super()
    this.begin = begin
  }

  commit(): Effect.Effect<A, E> {
    return Effect.withFiberRuntime((fiber) => wait(this, fiber))
  }
}

/** What follows an outcome, or what a fiber is to run. */
type Then<A, E, B, E2> = (ended: Effect.Effect<A, E>) => Effect.Effect<B, E2>

class Chained<A, E, B, E2> extends Waiting<B, E2> {
  readonly first: Waiting<A, E>
  readonly following: Then<A, E, B, E2>

  constructor(first: Waiting<A, E>, then: Then<A, E, B, E2>) {
    super((done, fiber) => follow(first, (ended) => done(safely(then, ended)), fiber))
    this.first = first
    this.following = then
  }
}

/** Waits for `first`, and then for what `then` makes of its end. A chain of them waits once. */
export const chain = <A, E, B, E2>(first: Waiting<A, E>, then: Then<A, E, B, E2>): Waiting<B, E2> => {
  if (!(first instanceof Chained)) return new Chained(first, then)
  const earlier = first.following as Then<unknown, unknown, A, E> // of whatever it waits for
  return new Chained(first.first, (ended) => then(safely(earlier, ended)))
}

/** What `f` gives; what it throws is a defect. */
export const safely = <I, A, E, R>(f: (input: I) => Effect.Effect<A, E, R>, input: I): Effect.Effect<A, E, R> => {
  try {
    return f(input)
  } catch (defect) {
    return Effect.die(defect)
  }
}

/** Follows an effect as far as it goes without a fiber: `done` is told its outcome, or what a fiber is to run. */
export const follow = <A, E>(
  effect: Effect.Effect<A, E>,
  done: (next: Effect.Effect<A, E>) => void,
  fiber: Waiter
): GiveUp => {
  let steps = 0
  let giveUp: GiveUp | undefined = nothingToGiveUp
  const step = (next: Effect.Effect<A, E>): void => {
    if (giveUp === undefined) return
    if (!(next instanceof Waiting)) return done(next)
    const mine = ++steps
    const given = begun<A, E>(next, step, fiber)
    // It may have told at once what comes next, and that have begun.
    if (mine === steps) giveUp = given
  }
  step(effect)
  return (cause) => {
    const last = giveUp
    giveUp = undefined
    return last?.(cause)
  }
}

/** Of what has ended, or is left to a fiber. */
export const nothingToGiveUp: GiveUp = () => undefined

const begun = <A, E>({ begin }: Waiting<A, E>, done: (next: Effect.Effect<A, E>) => void, fiber: Waiter): GiveUp => {
  try {
    return begin(done, fiber)
  } catch (defect) {
    done(Effect.die(defect))
    return nothingToGiveUp
  }
}

/**
 * What `Effect.async` does, but what has begun is let go (see letGo.ts). What a fiber is to run after it can be given up until
 * it has taken over.
 */
const wait = <A, E>(effect: Waiting<A, E>, fiber: Waiter): Effect.Effect<A, E> => {
  const under: { effect: Waiting<A, E> | undefined; giveUp: GiveUp | undefined } = { effect, giveUp: undefined }
  const ended = Effect.async<A, E>((resume) => {
    const begins = under.effect
    under.effect = undefined
    if (begins === undefined) return
    let isOver = false
    const done = (next: Effect.Effect<A, E>): void => {
      isOver = Exit.isExit(next)
      if (isOver) under.giveUp = undefined
      resume(isOver ? next : letGo(next))
    }
    const giveUp = follow(begins, done, fiber)
    if (!isOver) under.giveUp = giveUp
  })
  return Effect.uninterruptibleMask((restore) =>
    Effect.matchCauseEffect(restore(ended), {
      onFailure: (cause) => {
        const ending = under.giveUp?.(cause as Cause.Cause<never>) // failed by itself, it is over, and there is nothing to give up
        under.giveUp = undefined
        const failed = Effect.failCause(cause)
        return ending === undefined ? failed : Effect.async<A, E>((resume) => ending(() => resume(failed)))
      },
      onSuccess: (value) => {
        under.giveUp = undefined
        return Effect.succeed(value)
      }
    })
  )
}
