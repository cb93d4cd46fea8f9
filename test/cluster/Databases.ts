/**
 * Databases for tests: SQLite in a file, and a Postgres of our own where its programs are installed.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import * as Postgres from "./Postgres.ts"

/** A client of the database at `address`: `sqlite:<file>` or `pg:<port>`. Dies when it cannot be reached. */
export const client = (address: string): Layer.Layer<SqlClient.SqlClient> => {
  const where = address.slice(address.indexOf(":") + 1)
  return address.startsWith("sqlite:")
    ? Layer.orDie(SqliteClient.layer({ filename: where }))
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

/** Whether Postgres is here. Said aloud when it is not. */
export const hasPostgres = Postgres.isHere
if (!hasPostgres) process.stderr.write(`${Postgres.skipped}\n`)
