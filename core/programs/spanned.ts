/**
 * `Effect.withSpan`, and where wanted `Effect.scoped`, in one frame instead of two to four. Every request and every upload
 * passes through it: with Effect's own, spans and scopes took half of what Effect costs a small upload.
 *
 * A span begins before the effect and ends after it, however that ends, and after the scope's finalizers; spans made within
 * are its children. It is never told a stack trace. Effect's own tracer keeps a span only for who runs within it: where all
 * that runs are callbacks, there is nobody, and no span is made.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { outcome } from "./atOnce.ts"
import * as LetGo from "./letGo.ts"
import { follow, nothingToGiveUp, safely, Waiting } from "./waiting.ts"

/** Where a spanned effect runs. */
export interface Place<in R> {
  /** The services around it: those it needs are in there. */
  readonly context: Context.Context<R>
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly clock: Clock.Clock
}

/** Adds an attribute to the span. */
export type Note = (key: string, value: unknown) => void

/** What runs within a span, and what the span says of it. */
export interface Spanned<A, E, R> {
  readonly name: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly kind?: Tracer.SpanKind
  readonly use: (note: Note) => Effect.Effect<A, E, R>
  /** Told how it ended, and after how many milliseconds. Must not throw. */
  readonly onEnd?: ((exit: Exit.Exit<A, E>, millis: number) => void) | undefined
}

/** Runs what `describe` gives within a span. */
export const spanned = <A, E, R>(
  describe: (place: Place<R>) => Spanned<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  new Waiting<A, E>((done, fiber) => {
    const place = placeOf<R>(fiber)
    const frame = opened(place, describe(place))
    if (!isNative(fiber)) {
      done(framed(frame, () => used(frame), undefined))
      return nothingToGiveUp
    }
    const next = (next: Effect.Effect<A, E>): void => {
      const exit = outcome(next)
      if (exit === undefined) return done(framed(frame, () => next, undefined))
      close(frame, exit)
      done(exit)
    }
    const giveUp = follow(used(frame), next, fiber)
    return (cause) => {
      const ending = giveUp(cause)
      if (frame.state === "waiting") close(frame, Exit.failCause(cause))
      return ending
    }
  })

/** Runs the effect within a span of this name, and with a scope that is closed when it ends. */
export const scopedSpanned = <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope | Tracer.ParentSpan>> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Effect.withFiberRuntime<A, E>((fiber) => {
      const frame = opened(placeOf<R>(fiber), { name, use: () => effect })
      return framed(frame, () => used(frame), scope)
    })
  )

const placeOf = <R>(fiber: Fiber.RuntimeFiber<unknown, unknown>): Place<R> => ({
  context: fiber.currentContext as Context.Context<R>, // what it needs is given around it
  fiber,
  clock: Context.get(fiber.currentDefaultServices, Clock.Clock)
})

/** A tracer of the user's own is told of every span, and may follow every operation: then the fiber runs them. */
const isNative = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean =>
  fiber.currentTracer === Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** What runs, from its beginning to its end. */
interface Frame<A, E, R> {
  readonly place: Place<R>
  readonly spanned: Spanned<A, E, R>
  /** Nanoseconds of the place's clock. */
  readonly begin: bigint
  /** What the span is to say beside its attributes, once there is one. */
  readonly notes: Array<readonly [key: string, value: unknown]>
  span: Tracer.Span | undefined
  /** Whether it is waiting for callbacks; otherwise the fiber runs it, or it is over. */
  state: "waiting" | "by fiber" | "over"
}

const opened = <A, E, R>(place: Place<R>, spanned: Spanned<A, E, R>): Frame<A, E, R> => ({
  place,
  spanned,
  begin: place.clock.unsafeCurrentTimeNanos(),
  notes: [],
  span: undefined,
  state: "waiting"
})

const close = <A, E, R>(frame: Frame<A, E, R>, exit: Exit.Exit<A, E>): void => {
  const { begin, place, span, spanned } = frame
  frame.state = "over"
  if (span === undefined && spanned.onEnd === undefined) return
  const now = place.clock.unsafeCurrentTimeNanos()
  span?.end(place.fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? now : 0n, exit)
  spanned.onEnd?.(exit, Number(now - begin) / 1e6)
}

/** What is to run within the frame; what it throws is a defect. */
const used = <A, E, R>(frame: Frame<A, E, R>): Effect.Effect<A, E> => {
  const note: Note = (key, value) => {
    if (frame.span === undefined) frame.notes.push([key, value])
    else frame.span.attribute(key, value)
  }
  return safely(frame.spanned.use, note) as Effect.Effect<A, E> // its context is around it
}

/** What `withSpan` and `scoped` do, by the fiber. */
const framed = <A, E, R>(
  frame: Frame<A, E, R>,
  effect: () => Effect.Effect<A, E>,
  scope: Scope.CloseableScope | undefined
): Effect.Effect<A, E> =>
  LetGo.uninterruptibleMask((restore) => {
    frame.state = "by fiber"
    const within = (span: Tracer.Span): Effect.Effect<A, E> => {
      frame.span = span
      for (const [key, value] of frame.notes) span.attribute(key, value)
      return inside(frame, span, restore(effect()), scope)
    }
    const span = quickSpan(frame)
    if (span !== undefined) return within(span)
    const { attributes, kind = "internal", name } = frame.spanned
    return Effect.flatMap(Effect.makeSpan(name, { attributes, kind, captureStackTrace: false }), within)
  })

/** What `onExit` and `locally` do, for the span and the scope together. To be run uninterruptibly. */
const inside = <A, E, R>(
  frame: Frame<A, E, R>,
  span: Tracer.Span,
  effect: Effect.Effect<A, E>,
  scope: Scope.CloseableScope | undefined
): Effect.Effect<A, E> => {
  const outside = frame.place.fiber.currentContext
  const ended = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => {
    close(frame, exit)
    return Effect.zipRight(FiberRef.set(FiberRef.currentContext, outside), exit)
  }
  const left = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> =>
    scope === undefined ? ended(exit) : Effect.flatMap(closed(scope, exit), ended)
  const traced = Context.add(outside, Tracer.ParentSpan, span)
  const context = scope === undefined ? traced : Context.add(traced, Scope.Scope, scope)
  return Effect.flatMap(FiberRef.set(FiberRef.currentContext, context), () =>
    Effect.matchCauseEffect(effect, {
      onFailure: (cause) => left(Exit.failCause(cause)),
      onSuccess: (value) => left(Exit.succeed(value))
    })
  )
}

/**
 * What `Effect.makeSpan` makes, without an operation of the fiber and a copy of its references; `undefined` where tracing
 * is off or not passed on, which is left to Effect.
 */
const quickSpan = <A, E, R>({
  begin,
  place: { fiber },
  spanned: { attributes = {}, kind = "internal", name }
}: Frame<A, E, R>): Tracer.Span | undefined => {
  const parent = fiber.currentSpan
  if (!fiber.getFiberRef(FiberRef.currentTracerEnabled)) return undefined
  if (parent !== undefined && Context.get(parent.context, Tracer.DisablePropagation)) return undefined
  const links = Chunk.toReadonlyArray(fiber.getFiberRef(FiberRef.currentTracerSpanLinks))
  const time = fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? begin : 0n
  const options = { attributes, kind, captureStackTrace: false }
  const around = Option.fromNullable(parent)
  const span = fiber.currentTracer.span(name, around, Context.empty(), links, time, kind, options)
  const annotations = fiber.getFiberRef(FiberRef.currentTracerSpanAnnotations)
  if (!HashMap.isEmpty(annotations)) HashMap.forEach(annotations, (value, key) => span.attribute(key, value))
  for (const key of Object.keys(attributes)) span.attribute(key, attributes[key])
  return span
}

/** How it ended, with what the finalizers died of. */
const closed = <A, E>(scope: Scope.CloseableScope, exit: Exit.Exit<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.matchCause(Scope.close(scope, exit), {
    onFailure: (cause) => Exit.failCause(Exit.isFailure(exit) ? Cause.sequential(exit.cause, cause) : cause),
    onSuccess: () => exit
  })
