/**
 * Databases for tests: SQLite in a file where its native module could be built, and a Postgres of our own where its programs
 * are installed.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import { join } from "node:path"
import * as Postgres from "./Postgres.ts"

// Loaded when it is asked for: where its native module is missing, Postgres still serves.
const sqliteClient = (filename: string) =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("@effect/sql-sqlite-node/SqliteClient")),
      ({ layer }) => layer({ filename })
    )
  )

/** A client of the database at `address`: `sqlite:<file>` or `pg:<port>`. Dies when it cannot be reached. */
export const client = (address: string): Layer.Layer<SqlClient.SqlClient> => {
  const where = address.slice(address.indexOf(":") + 1)
  return address.startsWith("sqlite:")
    ? Layer.orDie(sqliteClient(where))
    : Layer.orDie(
        PgClient.layer({ host: "127.0.0.1", port: Number(where), username: "postgres", database: "postgres" })
      )
}

/** The address of an empty SQLite database. */
export const sqlite = Effect.map(
  Postgres.newFolder("cluster-sqlite-"),
  (folder) => `sqlite:${join(folder, "cluster.db")}`
)

/** The address of an empty Postgres that need not survive the machine. */
export const postgres: Effect.Effect<string, never, Scope.Scope> = Effect.map(Postgres.make(), ({ address }) => address)

const isBuilt = (): boolean => {
  try {
    createRequire(import.meta.url).resolve("better-sqlite3/build/Release/better_sqlite3.node")
    return true
  } catch {
    return false
  }
}

/** Whether each is here. Said aloud when it is not. */
export const hasPostgres = Postgres.isHere
export const hasSqlite = isBuilt()
if (!hasPostgres) process.stderr.write(`${Postgres.skipped}\n`)
if (!hasSqlite) process.stderr.write("SKIPPED: no SQLite here (better-sqlite3 could be neither downloaded nor built)\n")

/** How to begin each of those that are here. */
export const engines = {
  ...(hasSqlite ? { SQLite: sqlite } : {}),
  ...(hasPostgres ? { Postgres: postgres } : {})
}
