/**
 * What the tables of this folder have in common: one clock, which is the database's, and what is done when it fails.
 *
 * SQLite and Postgres: both take `INSERT … ON CONFLICT … RETURNING`, by which a lease is taken in one statement. MySQL has
 * neither clause, so it is not spoken. Times are whole milliseconds since 1970.
 * Sources: https://www.sqlite.org/lang_upsert.html; https://www.postgresql.org/docs/15/sql-insert.html
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Statement from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

export interface Database {
  readonly sql: SqlClient.SqlClient
  /** The database's own time. Runners' clocks differ, and a lease is a promise between them. */
  readonly now: Statement.Fragment
}

/**
 * Runs a statement, and again while the database is away, for so many milliseconds: the time in which one starts anew. Every
 * statement that comes here may be run twice, for an answer may be lost: its condition is that the row is still the runner's
 * own.
 */
export const patientlyFor =
  (millis: number) =>
  <A, R>(statement: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SqlError, R> =>
    Effect.retry(
      statement,
      Schedule.exponential("50 millis").pipe(
        Schedule.union(Schedule.spaced("1 second")),
        Schedule.jittered,
        Schedule.upTo(millis)
      )
    )

/** Who begins learns so soon that there is no database, or that it is the wrong one. */
export const startMillis = 3000

/** `patientlyFor` half a minute. */
export const patiently = patientlyFor(30_000)

const tableName = /^[a-z_][a-z0-9_]{0,50}$/

/**
 * The client at hand, and its tables made where they are missing. Dies for a database that is not spoken, and for the name
 * of a table that is not 1 to 51 of a-z, 0-9 and "_".
 */
export const open = (
  tables: (sql: SqlClient.SqlClient) => ReadonlyArray<Statement.Statement<object>>,
  names: ReadonlyArray<string>
): Effect.Effect<Database, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const bad = names.find((name) => !tableName.test(name))
    if (bad !== undefined) return yield* Effect.dieMessage(`no name for a table: ${JSON.stringify(bad)}`)
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    const now = sql.onDialectOrElse({
      // Of the statement, not of its transaction, which may have begun long before.
      pg: () => sql`CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`,
      sqlite: () => sql`CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`,
      orElse: () => undefined
    })
    if (now === undefined) return yield* Effect.dieMessage("effect-oss/cluster speaks SQLite and Postgres")
    // Postgres may fail when two processes make one table at once; the second attempt finds it.
    yield* Effect.forEach(tables(sql), patientlyFor(startMillis))
    return { sql, now }
  })
