/**
 * Counts what a fleet asks of its Postgres, by pg_stat_statements: what its work costs, and what it says without any.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import * as Databases from "../Databases.ts"
import * as Postgres from "../Postgres.ts"

/** What the database needs. */
export const settings = {
  ...Postgres.forgetful,
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "top"
}

/** Statements by what they are for. */
export interface Counts {
  /** Of messages and replies: stored, found again, marked as done. */
  readonly engine: number
  /** Looking for work and for replies, shard locks, the list of runners, the job's mode: asked by the clock. */
  readonly talk: number
  /** Of the book of jobs. */
  readonly book: number
  /** BEGIN, COMMIT and their like. */
  readonly transactions: number
}

export interface Counted extends Counts {
  readonly seconds: number
  /** Statements a second of each runner that has no work, of all kinds. */
  readonly idle: number
}

const kindOf = (query: string): keyof Counts => {
  if (/^\s*WITH messages|SELECT mode/i.test(query)) return "talk"
  if (/effect_oss_/.test(query)) return "book"
  if (/^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/i.test(query)) return "transactions"
  const isWork = /^\s*INSERT|request_id = |message_id = |last_reply_id|DELETE/i.test(query)
  return isWork && /cluster_(messages|replies)/.test(query) ? "engine" : "talk"
}

const count = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ query: string; calls: string }>`SELECT query, calls FROM pg_stat_statements
    WHERE query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%under_way%'`
  const counts = { engine: 0, talk: 0, book: 0, transactions: 0 }
  for (const { calls, query } of rows) counts[kindOf(query)] += Number(calls)
  if (process.env["STATEMENTS"] !== undefined) {
    const lines = rows.map(({ calls, query }) => `${calls}\t${kindOf(query)}\t${query.replaceAll(/\s+/g, " ")}\n`)
    Fs.writeFileSync(process.env["STATEMENTS"], lines.join(""))
  }
  return counts
})

const reset = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT pg_stat_statements_reset()`)
const total = ({ book, engine, talk, transactions }: Counts) => book + engine + talk + transactions

/** Waits until every runner has told its log that it is ready, listens to them idle, and begins to count. Answers the end. */
export const begin = (
  database: string,
  logs: ReadonlyArray<string>
): Effect.Effect<Effect.Effect<Counted>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Layer.build(Databases.client(database))
    const isReady = (log: string) => Fs.readFileSync(log, "utf8").includes('"ready"')
    yield* Effect.repeat(
      Effect.delay(
        Effect.sync(() => logs.every(isReady)),
        "100 millis"
      ),
      { until: (all) => all }
    )
    yield* Effect.sleep("3 seconds") // until shards are dealt out
    yield* Effect.provide(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE EXTENSION IF NOT EXISTS pg_stat_statements`),
      client
    )
    yield* Effect.provide(reset, client)
    yield* Effect.sleep("5 seconds")
    const idle = total(yield* Effect.provide(count, client)) / 5 / logs.length
    yield* Effect.provide(reset, client)
    const begun = performance.now()
    return Effect.map(Effect.orDie(Effect.provide(count, client)), (counts) => ({
      ...counts,
      idle,
      seconds: (performance.now() - begun) / 1000
    }))
  }).pipe(Effect.orDie)
