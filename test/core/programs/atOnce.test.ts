/** What has ended is chained at once; what has not, as Effect chains it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as AtOnce from "../../../core/programs/atOnce.ts"
import { Waiting } from "../../../core/programs/waiting.ts"

const later = <A, E>(next: Effect.Effect<A, E>) =>
  new Waiting<A, E>((done) => {
    queueMicrotask(() => done(next))
    return () => undefined
  })

/** Every way an effect may end: at once, by callback, by the fiber. */
const endings: ReadonlyArray<Effect.Effect<number, string>> = [
  Effect.succeed(21),
  Effect.fail("no"),
  Effect.die("defect"),
  Effect.interrupt,
  Effect.sync(() => 21),
  Either.right(21),
  Either.left("no"),
  Effect.yieldNow().pipe(Effect.as(21)),
  Exit.fail("no")
]
const effects = [...endings, ...endings.map(later), ...endings.map((ending) => later(later(ending)))]

const doubled = (value: number) => Effect.succeed(2 * value)

describe("AtOnce.flatMap", () => {
  it("runs at once on what has a value", () => {
    const answer = Effect.succeed(42)
    assert.strictEqual(
      AtOnce.flatMap(Effect.succeed(21), () => answer),
      answer
    )
  })

  it.effect("answers what Effect.flatMap does, however the effect ends", () =>
    Effect.gen(function* () {
      for (const effect of effects) {
        const [ours, theirs] = [AtOnce.flatMap(effect, doubled), Effect.flatMap(effect, doubled)]
        assert.deepEqual(yield* Effect.exit(ours), yield* Effect.exit(theirs))
      }
    })
  )

  it("does not run what follows a failure", () => {
    const calls: Array<number> = []
    AtOnce.flatMap(Effect.fail("no") as Effect.Effect<number, string>, (value) => Effect.succeed(calls.push(value)))
    assert.deepEqual(calls, [])
  })
})

describe("AtOnce.outcome", () => {
  it("knows an outcome, and nothing of what is still to run", () => {
    assert.deepEqual(AtOnce.outcome(Effect.succeed(1)), Exit.succeed(1))
    assert.deepEqual(AtOnce.outcome(Effect.fail("no")), Exit.fail("no"))
    assert.isUndefined(AtOnce.outcome(Effect.sync(() => 1)))
    assert.isUndefined(AtOnce.outcome(Effect.suspend(() => Effect.succeed(1))))
  })
})

describe("AtOnce.catchSome", () => {
  it.effect("answers what Effect.catchSome does, however the effect ends", () =>
    Effect.gen(function* () {
      for (const effect of effects) {
        for (const caught of [undefined, Effect.succeed(1), Effect.fail("other"), later(Effect.fail("other"))]) {
          const ours = AtOnce.catchSome(effect, () => caught)
          const theirs = Effect.catchSome(effect, () => Option.fromNullable(caught))
          assert.deepEqual(yield* Effect.exit(ours), yield* Effect.exit(theirs))
        }
      }
    })
  )
})

describe("a chain that waits for a callback", () => {
  it.effect("ends with a defect where one of its functions throws, and runs any number of times", () =>
    Effect.gen(function* () {
      const broken = AtOnce.flatMap(later(Effect.succeed(1)), (): Effect.Effect<number> => {
        throw new Error("broken")
      })
      const chained = AtOnce.flatMap(AtOnce.flatMap(broken, doubled), doubled)
      for (let run = 0; run < 2; run++) {
        assert.deepEqual(yield* Effect.exit(chained), Exit.die(new Error("broken")))
      }
    })
  )
})

describe("AtOnce.whileLoop", () => {
  const counted = (rounds: number, body: (round: number) => Effect.Effect<number, string>) => {
    const seen: Array<number> = []
    const loop = {
      while: () => seen.length < rounds,
      body: () => body(seen.length),
      step: (n: number) => void seen.push(n)
    }
    return Effect.map(Effect.exit(AtOnce.whileLoop(loop)), (exit) => ({ exit, seen }))
  }

  it.effect("runs rounds that end at once, by callback and by the fiber, in turn", () =>
    Effect.gen(function* () {
      const ways = [
        Effect.succeed<number>,
        (n: number) => later(Effect.succeed(n)),
        (n: number) => Effect.as(Effect.yieldNow(), n),
        (n: number) => later(Effect.as(Effect.yieldNow(), n))
      ]
      const { exit, seen } = yield* counted(40, (round) => ways[round % ways.length]!(round))
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual(
        seen,
        Array.from({ length: 40 }, (_, round) => round)
      )
    })
  )

  it.effect("takes a hundred thousand rounds that end at once", () =>
    Effect.gen(function* () {
      const { exit, seen } = yield* counted(100_000, Effect.succeed)
      assert.deepEqual([exit, seen.length], [Exit.void, 100_000])
    })
  )

  it.effect("ends with the first round that fails, and with what is thrown", () =>
    Effect.gen(function* () {
      const thrown = (): never => {
        throw new Error("broken")
      }
      for (const fail of [Effect.fail("no"), later(Effect.fail("no")), later(Effect.flip(Effect.sync(() => "no")))]) {
        const { exit, seen } = yield* counted(9, (round) => (round === 3 ? fail : later(Effect.succeed(round))))
        assert.deepEqual([exit, seen], [Exit.fail("no"), [0, 1, 2]])
      }
      const body = yield* counted(9, (round) => (round === 3 ? thrown() : later(Effect.succeed(round))))
      assert.deepEqual([body.exit, body.seen], [Exit.die(new Error("broken")), [0, 1, 2]])
      const step = AtOnce.whileLoop({ while: () => true, body: () => later(Effect.succeed(1)), step: thrown })
      assert.deepEqual(yield* Effect.exit(step), Exit.die(new Error("broken")))
    })
  )

  it.live("is interrupted in the round under way, and begins no other", () =>
    Effect.gen(function* () {
      let begun = 0
      let givenUp = 0
      const body = () =>
        new Waiting<void>((done) => {
          const timer = setTimeout(() => done(Exit.void), ++begun < 3 ? 1 : 1000)
          return () => {
            givenUp++
            clearTimeout(timer)
            return undefined
          }
        })
      const fiber = yield* Effect.fork(AtOnce.whileLoop({ while: () => true, body, step: () => {} }))
      yield* Effect.sleep("50 millis")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.deepEqual([begun, givenUp], [3, 1])
    })
  )
})
