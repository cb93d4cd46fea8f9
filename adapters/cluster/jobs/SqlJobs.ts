/**
 * The book of jobs in the database that the engine uses, so that it is there after every restart and on every machine.
 *
 * Three tables: jobs and whether they may go on, objects and how each ended, ranges of the objects under way. Each entry is one
 * statement that may be run twice. Keys are kept as JSON texts, for a database need not take every character that OSS takes.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Database from "../Database.ts"
import { defaultLimit, Jobs, JobsError, type Mode, type Outcome, type Page, type Service } from "./Jobs.ts"
import { Receipt, UploadFailed } from "../upload/Receipt.ts"
import { attemptOf, UploadRequest } from "../upload/UploadRequest.ts"

export interface Options {
  /** What the names of the three tables begin with: 1 to 40 of a-z, 0-9 and "_". Default `effect_oss`. */
  readonly prefix?: string | undefined
}

const failed = (what: string) => (cause: SqlError) =>
  new JobsError({ detail: `cannot ${what} in the database: ${cause.message}`, cause })

const ReceiptJson = Schema.parseJson(Receipt)
const LetterJson = Schema.parseJson(Schema.Struct({ request: UploadRequest, failure: UploadFailed }))
const encodeReceipt = Schema.encodeSync(ReceiptJson)
const encodeLetter = Schema.encodeSync(LetterJson)

interface Ended {
  readonly status: "Stored" | "Failed"
  readonly size: number
  readonly callbackFailed: number
  readonly detail: string
}

const endedAs = (request: UploadRequest, outcome: Outcome): Ended =>
  outcome._tag === "Stored"
    ? {
        status: "Stored",
        size: outcome.receipt.size,
        callbackFailed: outcome.receipt.callback._tag === "Failed" ? 1 : 0,
        detail: encodeReceipt(outcome.receipt)
      }
    : {
        status: "Failed",
        size: 0,
        callbackFailed: 0,
        detail: encodeLetter({ request, failure: outcome.failure })
      }

const isMode = (mode: unknown): mode is Mode => mode === "Running" || mode === "Paused" || mode === "Cancelled"

/** The book over the client at hand. Fails with `SqlError` when its tables cannot be made. */
export const make = ({ prefix = "effect_oss" }: Options = {}): Effect.Effect<Service, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const names = { jobs: `${prefix}_jobs`, objects: `${prefix}_objects`, ranges: `${prefix}_ranges` }
    const { sql } = yield* Database.open(
      (sql) => [
        sql`CREATE TABLE IF NOT EXISTS ${sql(names.jobs)} (job TEXT PRIMARY KEY, mode VARCHAR(10) NOT NULL)`,
        sql`CREATE TABLE IF NOT EXISTS ${sql(names.objects)} (
          job TEXT NOT NULL,
          object_key TEXT NOT NULL,
          attempt INTEGER NOT NULL,
          status VARCHAR(10) NOT NULL,
          size BIGINT NOT NULL,
          callback_failed INTEGER NOT NULL,
          detail TEXT,
          PRIMARY KEY (job, object_key)
        )`,
        sql`CREATE TABLE IF NOT EXISTS ${sql(names.ranges)} (
          job TEXT NOT NULL,
          object_key TEXT NOT NULL,
          first_part INTEGER NOT NULL,
          bytes BIGINT NOT NULL,
          PRIMARY KEY (job, object_key, first_part)
        )`
      ],
      Object.values(names)
    )
    const jobs = sql(names.jobs)
    const objects = sql(names.objects)
    const ranges = sql(names.ranges)
    const idOf = (key: string) => JSON.stringify(key)
    const run = <A>(what: string, statement: Effect.Effect<A, SqlError>) =>
      Effect.mapError(Database.patiently(statement), failed(what))

    const mode = (job: string): Effect.Effect<Mode, JobsError> =>
      run("read a job", sql<{ mode: unknown }>`SELECT mode FROM ${jobs} WHERE job = ${job}`).pipe(
        Effect.map(([row]) => (isMode(row?.mode) ? row.mode : "Running"))
      )

    const page = <A, I>(
      schema: Schema.Schema<A, I>,
      status: Ended["status"],
      job: string,
      { after = "", limit = defaultLimit }: Page = {}
    ): Effect.Effect<ReadonlyArray<A>, JobsError> =>
      run(
        "read a job's objects",
        sql<{ detail: unknown }>`SELECT detail FROM ${objects}
          WHERE job = ${job} AND status = ${status} AND object_key > ${after === "" ? "" : idOf(after)}
          ORDER BY object_key LIMIT ${limit}`
      ).pipe(
        Effect.flatMap(
          Effect.forEach(({ detail }) =>
            Effect.mapError(
              Schema.decodeUnknown(schema)(detail),
              (cause) => new JobsError({ detail: "an entry is not what this version writes", cause })
            )
          )
        )
      )

    return {
      mode,
      setMode: (job, mode) =>
        Effect.asVoid(
          run(
            "write a job",
            sql`INSERT INTO ${jobs} (job, mode) VALUES (${job}, ${mode})
              ON CONFLICT (job) DO UPDATE SET mode = excluded.mode`
          )
        ),
      admit: (job, requests) => {
        // One statement must not name a row twice, nor have more values than the database takes.
        const rows = [...new Map(requests.map((request) => [request.key, request])).values()].map((request) => ({
          job,
          object_key: idOf(request.key),
          attempt: attemptOf(request),
          status: "Waiting",
          size: 0,
          callback_failed: 0
        }))
        const batches = Array.from({ length: Math.ceil(rows.length / 500) }, (_, i) =>
          rows.slice(i * 500, i * 500 + 500)
        )
        return Effect.forEach(
          batches,
          (rows) =>
            run(
              "note objects",
              sql`INSERT INTO ${objects} AS held ${sql.insert(rows)}
                ON CONFLICT (job, object_key) DO UPDATE SET attempt = excluded.attempt, status = excluded.status,
                  size = 0, callback_failed = 0, detail = NULL
                WHERE held.attempt < excluded.attempt`
            ),
          { discard: true }
        )
      },
      sent: (job, key, from, bytes) =>
        Effect.asVoid(
          run(
            "note a range",
            sql`INSERT INTO ${ranges} (job, object_key, first_part, bytes) VALUES (${job}, ${idOf(key)}, ${from}, ${bytes})
              ON CONFLICT (job, object_key, first_part) DO UPDATE SET bytes = excluded.bytes`
          )
        ),
      settle: (job, request, outcome) => {
        const { callbackFailed, detail, size, status } = endedAs(request, outcome)
        const key = idOf(request.key)
        const noted = run(
          "note an object's end",
          sql`INSERT INTO ${objects} AS held (job, object_key, attempt, status, size, callback_failed, detail)
            VALUES (${job}, ${key}, ${attemptOf(request)}, ${status}, ${size}, ${callbackFailed}, ${detail})
            ON CONFLICT (job, object_key) DO UPDATE SET attempt = excluded.attempt, status = excluded.status,
              size = excluded.size, callback_failed = excluded.callback_failed, detail = excluded.detail
            WHERE held.attempt < excluded.attempt OR (held.attempt = excluded.attempt AND (held.status <> 'Stored'
              OR (excluded.status = 'Stored' AND held.callback_failed >= excluded.callback_failed)))`
        )
        // An object made of parts has them in its ETag; any other stored one has no ranges.
        const hasRanges = outcome._tag === "Failed" || outcome.receipt.etag.includes("-")
        return hasRanges
          ? Effect.zipRight(
              noted,
              Effect.asVoid(run("forget ranges", sql`DELETE FROM ${ranges} WHERE job = ${job} AND object_key = ${key}`))
            )
          : Effect.asVoid(noted)
      },
      progress: (job) =>
        Effect.gen(function* () {
          const [row] = yield* run(
            "count a job's objects",
            sql<Record<string, unknown>>`SELECT COUNT(*) AS total,
                COALESCE(SUM(CASE WHEN status = 'Waiting' THEN 1 ELSE 0 END), 0) AS waiting,
                COALESCE(SUM(CASE WHEN status = 'Stored' THEN 1 ELSE 0 END), 0) AS stored,
                COALESCE(SUM(CASE WHEN status = 'Failed' THEN 1 ELSE 0 END), 0) AS failed,
                COALESCE(SUM(callback_failed), 0) AS callback_failed,
                COALESCE(SUM(size), 0) AS bytes,
                (SELECT COALESCE(SUM(bytes), 0) FROM ${ranges} AS sent WHERE job = ${job} AND NOT EXISTS (
                  SELECT 1 FROM ${objects} AS ended WHERE ended.job = sent.job AND ended.object_key = sent.object_key
                    AND ended.status <> 'Waiting')) AS under_way
              FROM ${objects} WHERE job = ${job}`
          )
          const count = (name: string) => Number(row?.[name] ?? 0) // a BIGINT may come as text
          return {
            mode: yield* mode(job),
            objects: {
              total: count("total"),
              waiting: count("waiting"),
              stored: count("stored"),
              failed: count("failed"),
              callbackFailed: count("callback_failed")
            },
            bytes: count("bytes") + count("under_way")
          }
        }),
      deadLetters: (job, asked) => page(LetterJson, "Failed", job, asked),
      receipts: (job, asked) => page(ReceiptJson, "Stored", job, asked)
    }
  })

/** `make` as a layer. */
export const layer = (options: Options = {}): Layer.Layer<Jobs, SqlError, SqlClient.SqlClient> =>
  Layer.effect(Jobs, make(options))
