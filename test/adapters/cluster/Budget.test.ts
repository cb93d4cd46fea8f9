/** A bucket's budget: never more at once than it says, never faster, and everybody's turn comes. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Budget from "../../../adapters/cluster/budget/Budget.ts"
import * as LocalBudget from "../../../adapters/cluster/budget/LocalBudget.ts"
import * as Share from "../../../adapters/cluster/budget/Share.ts"

/** Counts who is inside. */
const counted = () => {
  let [inside, most] = [0, 0]
  return {
    most: () => most,
    inside: () => inside,
    run: (millis: number) =>
      Effect.acquireUseRelease(
        Effect.sync(() => (most = Math.max(most, ++inside))),
        () => Effect.sleep(millis),
        () => Effect.sync(() => inside--)
      )
  }
}

describe("the budget of one process", () => {
  it.effect("lets no more run at once than the bucket allows, and that many", () =>
    Effect.gen(function* () {
      const budget = yield* LocalBudget.make({ concurrency: 7, buckets: { small: { concurrency: 2 } } })
      const [large, small] = [counted(), counted()]
      const all = Array.from({ length: 15 }, (_, i) => [
        budget.withPermit("large", 0)(large.run(2 + (i % 3))),
        budget.withPermit("small", 0)(small.run(1 + (i % 2)))
      ])
      const fiber = yield* Effect.fork(Effect.all(all.flat(), { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([large.most(), small.most(), large.inside()], [7, 2, 0])
    })
  )

  it.effect("serves in the order of asking, whatever was given back meanwhile", () =>
    Effect.gen(function* () {
      const budget = yield* LocalBudget.make({ concurrency: 2 })
      const served: Array<number> = []
      const fiber = yield* Effect.fork(
        Effect.forEach(
          Array.from({ length: 20 }, (_, i) => i),
          (i) =>
            budget.withPermit(
              "b",
              0
            )(
              Effect.zipRight(
                Effect.sync(() => served.push(i)),
                Effect.sleep(1 + (i % 5))
              )
            ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        served,
        Array.from({ length: 20 }, (_, i) => i)
      )
    })
  )

  it.effect("gives permits back after failures and interruptions, also of those who wait", () =>
    Effect.gen(function* () {
      const budget = yield* LocalBudget.make({ concurrency: 1 })
      const run = budget.withPermit("b", 0)
      yield* Effect.exit(run(Effect.fail("no")))
      yield* Effect.exit(run(Effect.die("no")))
      const inside = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(run(Effect.zipRight(Deferred.succeed(inside, undefined), Effect.never)))
      yield* Deferred.await(inside)
      const waiter = yield* Effect.fork(run(Effect.void))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiter)
      yield* Fiber.interrupt(holder)
      assert.strictEqual(yield* run(Effect.succeed("free")), "free")
    })
  )

  it.live("loses no permit, at whatever moment its holders are interrupted", () =>
    Effect.gen(function* () {
      const budget = yield* LocalBudget.make({ concurrency: 3 })
      const run = budget.withPermit("b", 0)
      for (let round = 0; round < 50; round++) {
        const fibers = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.fork(run(Effect.yieldNow())))
        for (let i = 0; i < round % 9; i++) yield* Effect.yieldNow()
        yield* Fiber.interruptAll(fibers)
      }
      const tracked = counted()
      yield* Effect.all(
        Array.from({ length: 9 }, () => run(tracked.run(5))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(tracked.most(), 3)
    })
  )

  for (const [name, sizes] of [
    ["parts of 8 MiB", Array.from({ length: 30 }, () => 8 * 1024 * 1024)],
    ["small objects", Array.from({ length: 60 }, (_, i) => 1024 + ((i * 7919) % 300_000))]
  ] as const) {
    it.effect(`keeps to the bandwidth within 10 %: ${name}`, () =>
      Effect.gen(function* () {
        const bytesPerSecond = 20_000_000
        const budget = yield* LocalBudget.make({ concurrency: 8, bytesPerSecond })
        const total = sizes.reduce((sum, size) => sum + size, 0)
        const work = Effect.forEach(sizes, (size) => budget.withPermit("b", size)(Effect.void), {
          concurrency: "unbounded",
          discard: true
        })
        const fiber = yield* Effect.fork(Effect.timed(work))
        yield* TestClock.adjust("1 hour")
        const [took] = yield* Fiber.join(fiber)
        const seconds = Duration.toSeconds(took)
        assert.approximately(total / seconds / bytesPerSecond, 1, 0.1)
      })
    )
  }

  it.effect("does not save bandwidth up: after a pause there is no burst", () =>
    Effect.gen(function* () {
      const budget = yield* LocalBudget.make({ concurrency: 100, bytesPerSecond: 1000 })
      yield* budget.withPermit("b", 1)(Effect.void)
      yield* TestClock.adjust("1 hour")
      let begun = 0
      const fiber = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 10 }), () => budget.withPermit("b", 1000)(Effect.sync(() => begun++)), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("2500 millis")
      assert.strictEqual(begun, 3)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("refuses limits that cannot be", () =>
    Effect.gen(function* () {
      const fields = yield* Effect.forEach(
        [
          { concurrency: 0 },
          { concurrency: 1.5 },
          { concurrency: 1, bytesPerSecond: 0 },
          { concurrency: 1, bytesPerSecond: NaN },
          { concurrency: 1, buckets: { media: { concurrency: -1 } } }
        ] satisfies ReadonlyArray<Budget.Options>,
        (options) => Effect.map(Effect.flip(LocalBudget.make(options)), ({ field }) => field)
      )
      assert.deepStrictEqual(fields, [
        "concurrency",
        "concurrency",
        "bytesPerSecond",
        "bytesPerSecond",
        "buckets.media.concurrency"
      ])
    })
  )

  it.effect("is not asked for, by the layer without limits", () =>
    Effect.gen(function* () {
      const budget = yield* Budget.Budget
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(budget.withPermit("b", 1e12)(Effect.void))))
    }).pipe(Effect.provide(Budget.unlimited))
  )
})

describe("shares of a bucket's slots", () => {
  const waits = [1, 2, 3, 50, Infinity]
  // One number for each runner: what it wants, and since when.
  const wants = fc
    .array(fc.nat({ max: 41 * waits.length - 1 }), { maxLength: 8 })
    .map((all) => all.map((n, i) => ({ runner: `r${i}`, wants: n % 41, since: waits[Math.floor(n / 41)]! })))
  const law = (
    sentence: string,
    holds: (slots: number, all: ReadonlyArray<Share.Want>, dealt: ReadonlyMap<string, number>) => boolean
  ) =>
    it(sentence, () => {
      fc.assert(
        fc.property(fc.nat({ max: 100 }), wants, (slots, all) => holds(slots, all, Share.deal(slots, all))),
        { numRuns: 10_000 }
      )
    })
  const sum = (dealt: ReadonlyMap<string, number>) => [...dealt.values()].reduce((a, b) => a + b, 0)
  const of = (dealt: ReadonlyMap<string, number>, { runner }: Share.Want) => dealt.get(runner) ?? 0

  law("are all of them, or all that is wanted", (slots, all, dealt) => {
    const wanted = all.reduce((total, one) => total + one.wants, 0)
    return sum(dealt) === Math.min(slots, wanted)
  })
  law("are never more than a runner wants", (_, all, dealt) => all.every((one) => of(dealt, one) <= one.wants))
  law("differ by one at most among those who want more", (_, all, dealt) => {
    const hungry = all.filter((one) => of(dealt, one) < one.wants).map((one) => of(dealt, one))
    const most = Math.max(0, ...dealt.values())
    return hungry.every((share) => most - share <= 1)
  })
  law("favour who waits longest", (_, all, dealt) => {
    const hungry = all.filter((one) => of(dealt, one) < one.wants)
    return hungry.every((one) =>
      all.every((other) => other.since <= one.since || of(dealt, other) <= of(dealt, one) || other.wants === 0)
    )
  })
})
