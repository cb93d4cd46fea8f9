/**
 * `Effect.withSpan`, and where wanted `Effect.scoped`, in one frame instead of two to four. Every request and every upload
 * passes through it: with Effect's own, spans and scopes took half of what Effect costs a small upload.
 *
 * A span begins before the effect and ends after it, however that ends, and after the scope's finalizers; spans made within
 * are its children. It is never told a stack trace.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as LetGo from "./letGo.ts"

/** Where a spanned effect runs. */
export interface Place<in R> {
  /** The services around it: those it needs are in there. */
  readonly context: Context.Context<R>
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly clock: Clock.Clock
}

/** What runs within a span, and what the span says of it. */
export interface Spanned<A, E, R> {
  readonly name: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly kind?: Tracer.SpanKind
  readonly use: (span: Tracer.Span) => Effect.Effect<A, E, R>
  /** Told how it ended, and after how many milliseconds. Must not throw. */
  readonly onEnd?: ((exit: Exit.Exit<A, E>, millis: number) => void) | undefined
}

/** Runs what `describe` gives within a span. */
export const spanned = <A, E, R>(
  describe: (place: Place<R>) => Spanned<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> => framed(describe, undefined)

/** Runs the effect within a span of this name, and with a scope that is closed when it ends. */
export const scopedSpanned = <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope | Tracer.ParentSpan>> =>
  Effect.flatMap(Scope.make(), (scope) => framed(() => ({ name, use: () => effect }), scope))

const framed = <A, E, R, R2>(
  describe: (place: Place<R>) => Spanned<A, E, R>,
  scope: Scope.CloseableScope | undefined
): Effect.Effect<A, E, R2> =>
  Effect.withFiberRuntime<A, E>((fiber) => {
    const context = fiber.currentContext as Context.Context<R> // what it needs is given around it
    const place = { context, fiber, clock: Context.get(fiber.currentDefaultServices, Clock.Clock) }
    return LetGo.uninterruptibleMask((restore) => frame(place, describe(place), scope, restore))
  })

/** What `onExit` and `locally` do, for the span and the scope together. Uninterruptible but for what is restored. */
const frame = <A, E, R>(
  { clock, context: outside, fiber }: Place<R>,
  spanned: Spanned<A, E, R>,
  scope: Scope.CloseableScope | undefined,
  restore: (effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const { attributes, kind = "internal", name } = spanned
  const begin = clock.unsafeCurrentTimeNanos()
  const within = (span: Tracer.Span): Effect.Effect<A, E> => {
    const ended = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => {
      const now = clock.unsafeCurrentTimeNanos()
      span.end(fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? now : 0n, exit)
      spanned.onEnd?.(exit, Number(now - begin) / 1e6)
      return Exit.isSuccess(exit)
        ? FiberRef.modify(FiberRef.currentContext, () => [exit.value, outside] as const)
        : Effect.zipRight(FiberRef.set(FiberRef.currentContext, outside), exit)
    }
    const end = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> =>
      scope === undefined ? ended(exit) : Effect.flatMap(closed(scope, exit), ended)
    const traced = Context.add(outside, Tracer.ParentSpan, span)
    const inside = scope === undefined ? traced : Context.add(traced, Scope.Scope, scope)
    return Effect.flatMap(FiberRef.set(FiberRef.currentContext, inside), () =>
      // `inside` has what it needs.
      Effect.matchCauseEffect(restore(used(spanned, span) as Effect.Effect<A, E>), {
        onFailure: (cause) => end(Exit.failCause(cause)),
        onSuccess: (value) => end(Exit.succeed(value))
      })
    )
  }
  const span = quickSpan(fiber, clock, name, kind, attributes)
  if (span !== undefined) return within(span)
  return Effect.flatMap(Effect.makeSpan(name, { attributes, kind, captureStackTrace: false }), within)
}

/** What `Effect.suspend` does, without an operation of the fiber. */
const used = <A, E, R>({ use }: Spanned<A, E, R>, span: Tracer.Span): Effect.Effect<A, E, R> => {
  try {
    return use(span)
  } catch (defect) {
    return Effect.die(defect)
  }
}

/**
 * What `Effect.makeSpan` makes, without an operation of the fiber and a copy of its references; `undefined` where tracing
 * is off or not passed on, which is left to Effect.
 */
const quickSpan = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  clock: Clock.Clock,
  name: string,
  kind: Tracer.SpanKind,
  attributes: Readonly<Record<string, unknown>> = {}
): Tracer.Span | undefined => {
  const parent = fiber.currentSpan
  if (!fiber.getFiberRef(FiberRef.currentTracerEnabled)) return undefined
  if (parent !== undefined && Context.get(parent.context, Tracer.DisablePropagation)) return undefined
  const links = Chunk.toReadonlyArray(fiber.getFiberRef(FiberRef.currentTracerSpanLinks))
  const begin = fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? clock.unsafeCurrentTimeNanos() : 0n
  const options = { attributes, kind, captureStackTrace: false }
  const around = Option.fromNullable(parent)
  const span = fiber.currentTracer.span(name, around, Context.empty(), links, begin, kind, options)
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
