/** Our one frame for spans and scopes does what Effect's own two to four do, however the effect ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as AtOnce from "../../../core/programs/atOnce.ts"
import { scopedSpanned, spanned } from "../../../core/programs/spanned.ts"
import { Waiting } from "../../../core/programs/waiting.ts"

type Step = Effect.Effect<number, string, Scope.Scope>

const recorded = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const parentOf = (parent: Option.Option<Tracer.AnySpan>) =>
      Option.match(parent, { onNone: () => "", onSome: (span) => (span._tag === "Span" ? span.name : "external") })
    const native = yield* Effect.tracer
    const tracer = Tracer.make({
      context: (f) => f(),
      span: (name, parent, ...rest) => {
        const span = native.span(name, parent, ...rest)
        const end = span.end.bind(span)
        log.push(`${name} begins in "${parentOf(parent)}"`)
        span.end = (time, exit) => {
          log.push(`${name} ends ${Exit.isSuccess(exit) ? "well" : Cause.pretty(exit.cause).split("\n")[0]}`)
          end(time, exit)
        }
        return span
      }
    })
    const exit = yield* Effect.exit(Effect.withTracer(effect, tracer))
    return { exit: Exit.mapError(exit, String), log }
  })

const finalizer = (act: Effect.Effect<void>) => Effect.addFinalizer(() => Effect.withSpan(act, "finalizer"))

const steps: Readonly<Record<string, Step>> = {
  succeeds: Effect.succeed(1),
  fails: Effect.fail("no"),
  dies: Effect.die("defect"),
  "is interrupted": Effect.interrupt,
  "has a finalizer": Effect.as(finalizer(Effect.void), 1),
  "has a finalizer that dies": Effect.as(finalizer(Effect.die("late")), 1),
  "fails, and its finalizer dies": Effect.zipRight(finalizer(Effect.die("late")), Effect.fail("no")),
  "has spans of its own": Effect.withSpan(Effect.as(Effect.withSpan(Effect.void, "leaf"), 1), "inner")
}

describe("scopedSpanned", () => {
  for (const [what, step] of Object.entries(steps)) {
    it.effect(`is scoped and withSpan when what is within ${what}`, () =>
      Effect.gen(function* () {
        const after = Effect.withSpan(Effect.void, "after")
        const around = <E>(effect: Effect.Effect<number, E>) =>
          Effect.withSpan(Effect.ensuring(effect, after), "around", { captureStackTrace: false })
        const ours = yield* recorded(around(scopedSpanned("span", step)))
        const theirs = yield* recorded(
          around(Effect.scoped(step).pipe(Effect.withSpan("span", { captureStackTrace: false })))
        )
        assert.deepEqual(ours.log, theirs.log)
        const shown = (exit: Exit.Exit<number, string>) =>
          Exit.match(exit, { onFailure: Cause.pretty, onSuccess: String }).replace(/^\s+at .*$/gm, "")
        assert.strictEqual(shown(ours.exit), shown(theirs.exit))
      })
    )
  }

  it.live("ends when its fiber is interrupted, after its finalizers", () =>
    Effect.gen(function* () {
      const waiting = Effect.zipRight(finalizer(Effect.void), Effect.never)
      const raced = (effect: Effect.Effect<never>) =>
        recorded(Effect.flatMap(Effect.fork(effect), (fiber) => Effect.delay(Fiber.interrupt(fiber), "20 millis")))
      const ours = yield* raced(scopedSpanned("span", waiting))
      const theirs = yield* raced(Effect.withSpan(Effect.scoped(waiting), "span"))
      assert.deepEqual(ours.log, theirs.log)
      assert.strictEqual(ours.log.length, 4)
    })
  )
})

describe("spanned", () => {
  it.effect("gives its span to what is within, and tells how it ended", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const seen: Array<Tracer.Span> = []
      const failing = spanned(() => ({
        name: "span",
        kind: "client",
        attributes: { a: 1 },
        onEnd: (exit: Exit.Exit<never, string>) => void ends.push(exit._tag),
        use: (note) => {
          note("b", 2)
          return Effect.flatMap(Effect.orDie(Effect.currentSpan), (current) => {
            note("c", 3)
            seen.push(current)
            return Effect.fail("no")
          })
        }
      }))
      assert.strictEqual(yield* Effect.flip(failing), "no")
      const [span] = seen
      assert.isDefined(span)
      assert.deepEqual([span.kind, span.status._tag], ["client", "Ended"])
      assert.deepEqual(
        [...span.attributes],
        [
          ["a", 1],
          ["b", 2],
          ["c", 3]
        ]
      )
      assert.deepEqual(ends, ["Failure"])
      assert.isTrue(Option.isNone(yield* Effect.option(Effect.currentSpan)))
    })
  )

  const waiting = (log: Array<string>) => {
    const inner = spanned(() => ({
      name: "inner",
      onEnd: (exit: Exit.Exit<number>) => void log.push(`inner ${exit._tag}`),
      use: (note) => {
        note("noted", true)
        return new Waiting<number>((done) => {
          const timer = setTimeout(() => done(Effect.succeed(20)), 5)
          return () => void clearTimeout(timer)
        })
      }
    }))
    return spanned(() => ({
      name: "outer",
      onEnd: (exit: Exit.Exit<number>) => void log.push(`outer ${exit._tag}`),
      use: () => AtOnce.flatMap(inner, (value) => Effect.succeed(value + 1))
    }))
  }

  it.live("tells how it ended where only callbacks run", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      assert.strictEqual(yield* waiting(ends), 21)
      assert.deepEqual(ends, ["inner Success", "outer Success"])
    })
  )

  it.live("shows a tracer of the user's own the same spans where only callbacks run", () =>
    Effect.gen(function* () {
      const { exit, log } = yield* recorded(waiting([]))
      assert.deepEqual(exit, Exit.succeed(21))
      assert.deepEqual(log, ['outer begins in ""', 'inner begins in "outer"', "inner ends well", "outer ends well"])
    })
  )

  it.live("ends once when its fiber is interrupted while only callbacks run", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const fiber = yield* Effect.fork(waiting(ends))
      yield* Effect.sleep("1 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      yield* Effect.sleep("20 millis")
      assert.deepEqual(ends, ["inner Failure", "outer Failure"])
    })
  )

  it.effect("makes no span where tracing is off, but tells how it ended", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const quiet = spanned(() => ({
        name: "span",
        onEnd: (exit: Exit.Exit<number>) => void ends.push(exit._tag),
        use: () => Effect.succeed(1)
      }))
      const { exit, log } = yield* recorded(Effect.withTracerEnabled(quiet, false))
      assert.deepEqual([exit, log, ends], [Exit.succeed(1), [], ["Success"]])
    })
  )
})
