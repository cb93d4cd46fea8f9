/**
 * How fast a fleet of runners can be, and what holds it back first: bounds by arithmetic, and a simulation under TestClock
 * that finds them again by queueing.
 *
 * Pure but for the clock. Rates are a second, sizes in bytes, times in milliseconds where not said otherwise. What was
 * measured comes from test/cluster/statements.ts; what OSS allows, from its page "Limits" (an account's defaults, which can be
 * raised): https://www.alibabacloud.com/help/en/oss/user-guide/limits
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as LocalBudget from "../../adapters/cluster/budget/LocalBudget.ts"

/** Transactions a second that one database does when it does nothing else; for a fleet of 1,000 where that matters. */
export interface Database {
  readonly storeMessage: number
  /** In the job's book: that it is to be stored, and later its receipt. */
  readonly noteObject: number
  readonly lookForMessages: number
  readonly lookForReplies: number
  readonly listRunners: number
  readonly lookOverLocks: number
  readonly speakToBudget: number
  readonly bookBandwidth: number
}

/** Postgres 15, durable, on 2 cores of an EPYC that others kept busy (load 15): 8 connections, pgbench, 4 s each. */
export const measured: Database = {
  storeMessage: 521,
  noteObject: 592,
  lookForMessages: 1495,
  lookForReplies: 4040,
  listRunners: 741,
  lookOverLocks: 374,
  speakToBudget: 164,
  bookBandwidth: 526
}

/** Seconds between two of the same question, for each runner; the engine's defaults, or what is set for a large fleet. */
export interface Intervals {
  readonly replies: number
  readonly messages: number
  readonly runners: number
  readonly locks: number
}

export const defaults: Intervals = { replies: 0.2, messages: 10, runners: 3, locks: 10 }
export const large: Intervals = { replies: 2, messages: 10, runners: 30, locks: 30 }

export interface Plan {
  readonly runners: number
  /** Bytes of an object, on average; up to the size of a part it is one request. */
  readonly size: number
  readonly partSize: number
  readonly messagesPerObject: number
  readonly shards: number
  readonly buckets: number
  readonly database: Database
  /** How many times faster than what was measured; 1 is that machine. */
  readonly databaseFactor: number
  readonly intervals: Intervals
  /** Objects a second that one runner can do by itself. */
  readonly perRunner: number
  /** What OSS allows in one bucket. */
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
}

/** A fleet against the defaults of OSS; figures of a runner from the plan's own guide. */
export const plan = (runners: number, more: Partial<Plan> = {}): Plan => ({
  runners,
  size: 1024 * 1024,
  partSize: 8 * 1024 * 1024,
  messagesPerObject: 1,
  shards: 300,
  buckets: 1,
  database: measured,
  databaseFactor: 1,
  intervals: defaults,
  perRunner: 50,
  requestsPerSecond: 10_000,
  bytesPerSecond: 1.25e9,
  ...more
})

/** Requests that one object takes: one, or its parts with Initiate and Complete. */
export const requestsOf = ({ partSize, size }: Plan): number => (size <= partSize ? 1 : Math.ceil(size / partSize) + 2)

/** The share of the database that goes into talk, whatever is uploaded: 1 is all of it. */
export const talk = ({ database, databaseFactor, intervals, runners, shards }: Plan) => {
  // What lists the fleet or its locks takes longer the larger they are.
  const thousands = runners / 1000
  const locks = shards / 3000
  const each = {
    replies: runners / intervals.replies / database.lookForReplies,
    messages: runners / intervals.messages / database.lookForMessages,
    runners: (runners / intervals.runners / database.listRunners) * thousands,
    locks: (runners / intervals.locks / database.lookOverLocks) * locks,
    // From 50 runners on they take turns: 50 a second in all (SqlBudget).
    budget: (Math.min(runners, 50) / database.speakToBudget) * thousands
  }
  const scaled = Object.entries(each).map(([what, share]) => [what, share / databaseFactor] as const)
  return { each: Object.fromEntries(scaled), all: scaled.reduce((sum, [, share]) => sum + share, 0) }
}

export interface Bound {
  readonly by: "runners" | "shards" | "database" | "bucket requests" | "bucket bandwidth"
  /** Objects a second. */
  readonly rate: number
}

/** Milliseconds of the database for one object, where the talk has its share; `Infinity` when that is all. */
const perObject = (of: Plan): number => {
  const { noteObject, storeMessage } = of.database
  const free = Math.max(0, 1 - talk(of).all) * of.databaseFactor
  return (1000 * (of.messagesPerObject / storeMessage + 1 / noteObject)) / free
}

/** What each part of the fleet could do if nothing else held it back; the least first. */
export const bounds = (of: Plan): ReadonlyArray<Bound> =>
  [
    { by: "runners" as const, rate: of.runners * of.perRunner },
    // Work lies in shards, and a shard on one runner: more runners than shards stand idle.
    { by: "shards" as const, rate: Math.min(of.shards, of.runners) * of.perRunner },
    { by: "database" as const, rate: 1000 / perObject(of) },
    { by: "bucket requests" as const, rate: (of.buckets * of.requestsPerSecond) / requestsOf(of) },
    { by: "bucket bandwidth" as const, rate: (of.buckets * of.bytesPerSecond) / of.size }
  ].toSorted((a, b) => a.rate - b.rate)

/** Hours for so many objects. */
export const hours = (of: Plan, objects: number): number => objects / (bounds(of)[0]?.rate ?? 0) / 3600

/** A server that does one thing after the other: answers when what is asked of it now will be done. */
const line = () => {
  let free = 0
  return (now: number, cost: number): number => (free = Math.max(now, free) + cost)
}

/**
 * The fleet at work, in simulated time, until every group of runners has done its rounds; objects a second. Runners stand in
 * groups, and objects in batches that take each about `step` milliseconds where nobody waits: the shape is the fleet's, the
 * grain is coarser. A bucket's bandwidth is kept by the budget itself.
 */
export const simulate = (
  of: Plan,
  options: { readonly groups: number; readonly rounds: number; readonly step: number }
) =>
  Effect.gen(function* () {
    const { groups, rounds, step } = options
    const working = Math.min(of.runners, of.shards)
    const perGroup = (working / groups) * of.perRunner
    const batch = Math.max(1, (perGroup * step) / 1000)
    const database = line()
    const requests = Array.from({ length: of.buckets }, line)
    const each = perObject(of)
    const budget = yield* LocalBudget.make({ concurrency: 100_000, bytesPerSecond: of.bytesPerSecond })
    const begun = yield* Clock.currentTimeMillis
    let ended = begun

    const group = (number: number) =>
      Effect.gen(function* () {
        const bucket = number % of.buckets
        for (let round = 0; round < rounds; round++) {
          const now = yield* Clock.currentTimeMillis
          const done = Math.max(
            now + step,
            database(now, batch * each),
            requests[bucket]?.(now, (batch * requestsOf(of) * 1000) / of.requestsPerSecond) ?? now
          )
          yield* budget.withPermit(`bucket-${bucket}`, Math.round(batch * of.size))(Effect.void)
          const paced = yield* Clock.currentTimeMillis
          yield* Effect.sleep(Duration.millis(Math.ceil(Math.max(0, done - paced))))
        }
        ended = yield* Clock.currentTimeMillis
      })
    const fiber = yield* Effect.fork(
      Effect.all(
        Array.from({ length: groups }, (_, number) => group(number)),
        { concurrency: "unbounded" }
      )
    )
    yield* TestClock.adjust("3650 days")
    yield* fiber.await
    return (groups * rounds * batch * 1000) / (ended - begun)
  })
