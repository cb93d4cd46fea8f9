/**
 * `Effect.withSpan`, and where wanted `Effect.scoped`, in one frame instead of two to four. Every request and every upload
 * passes through it: with Effect's own, spans and scopes took half of what Effect costs a small upload.
 *
 * A span begins before the effect and ends after it, however that ends, and after the scope's finalizers; spans made within
 * are its children. It is never told a stack trace.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"

interface Options<A, E> {
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly kind?: Tracer.SpanKind
  /** Told how it ended, and after how many milliseconds. Must not throw. */
  readonly onEnd?: ((exit: Exit.Exit<A, E>, millis: number) => void) | undefined
}

/** Runs `use` within a span of this name. */
export const spanned = <A, E, R>(
  name: string,
  options: Options<A, E>,
  use: (span: Tracer.Span) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> => framed(name, options, undefined, use)

/** Runs the effect within a span of this name, and with a scope that is closed when it ends. */
export const scopedSpanned = <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope | Tracer.ParentSpan>> =>
  Effect.flatMap(Scope.make(), (scope) => framed(name, {}, scope, () => effect))

/** What `onExit` and `locally` do, for the span and the scope together. Uninterruptible but for the effect itself. */
const framed = <A, E, R, R2>(
  name: string,
  { attributes = {}, kind = "internal", onEnd }: Options<A, E>,
  scope: Scope.CloseableScope | undefined,
  use: (span: Tracer.Span) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R2> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime<A, E>((fiber) => {
      const outside = fiber.currentContext
      const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
      const begin = clock.unsafeCurrentTimeNanos()
      return Effect.flatMap(Effect.makeSpan(name, { attributes, kind, captureStackTrace: false }), (span) => {
        const ended = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => {
          const now = clock.unsafeCurrentTimeNanos()
          span.end(fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? now : 0n, exit)
          onEnd?.(exit, Number(now - begin) / 1e6)
          return Effect.zipRight(FiberRef.set(FiberRef.currentContext, outside), exit)
        }
        const end = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> =>
          scope === undefined ? ended(exit) : Effect.flatMap(closed(scope, exit), ended)
        const traced = Context.add(outside, Tracer.ParentSpan, span)
        const inside = scope === undefined ? traced : Context.add(traced, Scope.Scope, scope)
        // Of what it needs, the outer context has R2, and `inside` the rest.
        const restored = restore(use(span)) as Effect.Effect<A, E>
        return Effect.flatMap(FiberRef.set(FiberRef.currentContext, inside), () =>
          Effect.matchCauseEffect(restored, {
            onFailure: (cause) => end(Exit.failCause(cause)),
            onSuccess: (value) => end(Exit.succeed(value))
          })
        )
      })
    })
  )

/** How it ended, with what the finalizers died of. */
const closed = <A, E>(scope: Scope.CloseableScope, exit: Exit.Exit<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.matchCause(Scope.close(scope, exit), {
    onFailure: (cause) => Exit.failCause(Exit.isFailure(exit) ? Cause.sequential(exit.cause, cause) : cause),
    onSuccess: () => exit
  })
