/** The budget of a bucket holds over processes: its slots, its bandwidth, and everybody's turn. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as SqlBudget from "../../adapters/cluster/budget/SqlBudget.ts"
import * as Databases from "./Databases.ts"

const program = fileURLToPath(new URL("budgetProgram.ts", import.meta.url))

interface Event {
  readonly time: number
  readonly change: 1 | -1
}

/** A runner in a process of its own, for the length of the scope. Killed, it has nothing in flight any more. */
const runner = (args: ReadonlyArray<string | number>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--import", "tsx", program, ...args.map(String)], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const events: Array<Event> = []
      createInterface({ input: child.stdout }).on("line", (line) => {
        events.push({ time: Number(line.slice(1)), change: line.startsWith("+") ? 1 : -1 })
      })
      const kill = Effect.promise(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const closed = once(child, "close")
        child.kill("SIGKILL")
        await closed
        const time = performance.timeOrigin + performance.now()
        const left = events.reduce((sum, { change }) => sum + change, 0)
        for (let i = 0; i < left; i++) events.push({ time, change: -1 })
      })
      return { events, kill, begun: Effect.repeat(Effect.sleep(20), { until: () => events.length > 0 }) }
    }),
    ({ kill }) => kill
  )

/** The most at once, and how many began, from a moment on. */
const observed = (all: ReadonlyArray<ReadonlyArray<Event>>, from = 0, to = Infinity) => {
  const events = all.flat().toSorted((a, b) => a.time - b.time || a.change - b.change)
  let [inside, most, begun] = [0, 0, 0]
  for (const { change, time } of events) {
    inside += change
    if (time < from || time > to) continue
    most = Math.max(most, inside)
    if (change === 1) begun++
  }
  return { most, begun }
}

const wallClock = Effect.sync(() => performance.timeOrigin + performance.now())

describe.each(Object.entries(Databases.engines))("a budget in %s", (_, engine) => {
  const scope = Effect.runSync(Scope.make())
  let address = ""
  beforeAll(async () => {
    address = await Effect.runPromise(Scope.extend(engine, scope))
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const provided = <A, E>(test: Effect.Effect<A, E, SqlClient.SqlClient | Scope.Scope>) =>
    test.pipe(Effect.scoped, Effect.provide(Databases.client(address)))

  it.live("holds over two processes, is shared evenly, and comes back from one that was killed", () =>
    Effect.gen(function* () {
      const slots = 6
      const args = [address, slots, "none", 20, 0, 30]
      const one = yield* runner(args)
      const two = yield* runner(args)
      yield* Effect.all([one.begun, two.begun])
      yield* Effect.sleep(1500)
      const shared = yield* wallClock
      yield* Effect.sleep(3000)
      yield* one.kill
      const killed = yield* wallClock
      yield* Effect.sleep(4000)
      const over = yield* wallClock

      const all = [one.events, two.events]
      assert.strictEqual(observed(all).most, slots)
      const mine = all.map((events) => observed([events], shared, killed - 50))
      assert.deepStrictEqual(
        mine.map(({ most }) => most),
        [slots / 2, slots / 2]
      )
      assert.isAbove(Math.min(...mine.map(({ begun }) => begun)) / Math.max(...mine.map(({ begun }) => begun)), 0.5)
      // Within the lease the dead runner's slots stay its own.
      assert.strictEqual(observed([two.events], killed, killed + 700).most, slots / 2)
      assert.strictEqual(observed([two.events], killed + 2500, over).most, slots)
    }).pipe(provided)
  )

  it.live("holds bandwidth over two processes", () =>
    Effect.gen(function* () {
      const bytesPerSecond = 10_000_000
      const size = 100_000
      const args = [address, 50, bytesPerSecond, 8, size, 5]
      const one = yield* runner(args)
      const two = yield* runner(args)
      yield* Effect.all([one.begun, two.begun])
      yield* Effect.sleep(1000)
      const from = yield* wallClock
      yield* Effect.sleep(4000)
      const to = yield* wallClock
      const perSecond = (observed([one.events, two.events], from, to).begun * size) / ((to - from) / 1000)
      assert.isBelow(perSecond / bytesPerSecond, 1.1)
      assert.isAbove(perSecond / bytesPerSecond, 0.6)
    }).pipe(provided)
  )

  it.live("lets everybody's turn come where there are fewer slots than runners", () =>
    Effect.gen(function* () {
      const prefix = "few"
      const runners = yield* Effect.forEach(Array.from({ length: 5 }), () =>
        SqlBudget.make({ concurrency: 2, interval: 50, prefix })
      )
      const served = runners.map(() => 0)
      let [inside, most] = [0, 0]
      const request = Effect.acquireUseRelease(
        Effect.sync(() => (most = Math.max(most, ++inside))),
        () => Effect.sleep(10),
        () => Effect.sync(() => inside--)
      )
      const fibers = yield* Effect.forEach(runners, ({ withPermit }, i) => {
        // The first has ten times the work of the others.
        const workers = Array.from({ length: i === 0 ? 20 : 2 }, () =>
          Effect.forever(
            withPermit(
              "media",
              0
            )(
              Effect.zipRight(
                request,
                Effect.sync(() => served[i]!++)
              )
            )
          )
        )
        return Effect.fork(Effect.all(workers, { concurrency: "unbounded" }))
      })
      yield* Effect.sleep(5000)
      yield* Fiber.interruptAll(fibers)
      assert.isAtMost(most, 2)
      assert.isAbove(Math.min(...served), 0)
      assert.isBelow(Math.max(...served) / Math.min(...served), 4)
    }).pipe(provided)
  )

  it.live("is not held by a runner that has nothing to do, nor by one that is gone", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const options = { concurrency: 4, interval: 50, prefix: "idle" }
      const rows = sql`SELECT runner FROM idle_runners`
      const gone = yield* Scope.make()
      const left = yield* Scope.extend(SqlBudget.make(options), gone)
      yield* left.withPermit("media", 0)(Effect.void)
      yield* Scope.close(gone, Exit.void)
      assert.deepStrictEqual(yield* rows, [])
      const idle = yield* SqlBudget.make(options)
      yield* idle.withPermit("media", 0)(Effect.void)
      assert.strictEqual((yield* rows).length, 1)
      yield* Effect.repeat(Effect.sleep(20), { until: () => Effect.map(rows, ({ length }) => length === 0) })
      yield* idle.withPermit("media", 0)(Effect.void)
    }).pipe(Effect.timeout("20 seconds"), provided)
  )

  it.live("costs statements by the second, not by the request", () =>
    Effect.gen(function* () {
      let statements = 0
      const counted: Statement.Statement.Transformer = (statement) =>
        Effect.sync(() => {
          statements++
          return statement
        })
      yield* Effect.gen(function* () {
        const { withPermit } = yield* SqlBudget.make({ concurrency: 8, bytesPerSecond: 100_000_000, prefix: "cost" })
        yield* Effect.forEach(Array.from({ length: 1000 }), () => withPermit("media", 10_000)(Effect.sleep(10)), {
          concurrency: 50,
          discard: true
        })
      }).pipe(Effect.scoped, Statement.withTransformer(counted))
      assert.isAbove(statements, 0)
      assert.isBelow(statements, 200)
    }).pipe(provided)
  )

  it.live("fails those who wait when its database is away for longer than its patience", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { withPermit } = yield* SqlBudget.make({ concurrency: 1, interval: 50, patience: 300, prefix: "away" })
      const holder = yield* Effect.fork(withPermit("media", 0)(Effect.never))
      yield* Effect.sleep(200)
      yield* sql`DROP TABLE away_runners`
      const waited = yield* Effect.either(withPermit("media", 0)(Effect.void))
      assert.match(
        Either.isLeft(waited) ? waited.left.message : "",
        /^the budget of media: its database does not answer/
      )
      yield* Fiber.interrupt(holder)
    }).pipe(Effect.timeout("20 seconds"), provided)
  )
})
