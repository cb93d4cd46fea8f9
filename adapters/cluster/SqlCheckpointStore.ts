/**
 * The port `CheckpointStore` in a database that many machines share: an upload that began on one goes on on another.
 *
 * The lock is a lease. Who takes it gets a token of its own and an end by the database's clock, renewed in the background
 * and by every save; who comes meanwhile finds `Locked`. A holder that died holds on until the lease ends, and no longer.
 * Whatever a run reads or writes names its token, and a takeover replaces it: a process that slept through the end of its
 * lease finds `Locked` and changes nothing (the token fences it off). Nobody who lost a lease gets it back unnoticed.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { sha256 } from "@noble/hashes/sha2"
import { bytesToHex } from "@noble/hashes/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Checkpoint from "../../core/model/Checkpoint.ts"
import { CheckpointError } from "../../core/model/OssError.ts"
import { CheckpointStore, released, type Handle, type Service } from "../../core/ports/CheckpointStore.ts"
import * as Database from "./Database.ts"

export interface Options {
  /** How long a run that does not renew its lease keeps others out, at least 1 second. Default 30 seconds. */
  readonly lease?: Duration.DurationInput | undefined
  /** How long a save waits for a database that is away before it fails, and the upload with it. Default 30 seconds. */
  readonly patience?: Duration.DurationInput | undefined
  /** Default `effect_oss_checkpoints`; made where it is missing. */
  readonly table?: string | undefined
}

const failed = (reason: "Read" | "Write", what: string) => (cause: SqlError) =>
  new CheckpointError({ reason, detail: `cannot ${what} in the database: ${cause.message}`, cause })

const lost = () =>
  new CheckpointError({
    reason: "Locked",
    detail: "this run lost its lease: it did not renew it in time, and another may have taken over"
  })

/** A lease that is ours, as far as we know, and the turn of those who use what it guards. */
interface Held {
  readonly id: string
  readonly token: string
  readonly turn: Effect.Semaphore
  isReleased: boolean
}

/** The store over the client at hand. Fails with `SqlError` when its table cannot be made. */
export const make = (options: Options = {}): Effect.Effect<Service, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const name = options.table ?? "effect_oss_checkpoints"
    const { now, sql } = yield* Database.open(
      (sql) => [
        // `checkpoint` is NULL while an upload has not begun; `token` is NULL while nobody holds the row.
        sql`CREATE TABLE IF NOT EXISTS ${sql(name)} (
          id CHAR(64) PRIMARY KEY,
          token CHAR(36),
          expires BIGINT NOT NULL,
          checkpoint TEXT
        )`
      ],
      [name]
    )
    const lease = Math.max(1000, Math.ceil(Duration.toMillis(options.lease ?? "30 seconds")))
    const patience = Duration.toMillis(options.patience ?? "30 seconds")
    const table = sql(name)
    const mine = ({ id, token }: Held) => sql`id = ${id} AND token = ${token}`
    const renewed = sql`${now} + ${sql.literal(String(lease))}`

    /** Ours is also what an earlier attempt took whose answer was lost. */
    const take = (id: string, token: string) =>
      sql<object>`
        INSERT INTO ${table} AS held (id, token, expires) VALUES (${id}, ${token}, ${renewed})
        ON CONFLICT (id) DO UPDATE SET token = excluded.token, expires = excluded.expires
        WHERE held.token IS NULL OR held.token = excluded.token OR held.expires <= ${now}
        RETURNING id`

    const lock = (identity: string): Effect.Effect<Held, CheckpointError> =>
      Effect.gen(function* () {
        const id = bytesToHex(sha256(identity))
        const token = globalThis.crypto.randomUUID()
        const taken = yield* Effect.mapError(
          Database.patientlyFor(Database.startMillis)(take(id, token)),
          failed("Write", "take a lease")
        )
        if (taken.length > 0) return { id, token, turn: yield* Effect.makeSemaphore(1), isReleased: false }
        const detail = "another run is uploading to the same key, or died less than a lease ago"
        return yield* new CheckpointError({ reason: "Locked", detail })
      })

    const unlock = (held: Held): Effect.Effect<void> =>
      Effect.gen(function* () {
        held.isReleased = true
        yield* sql`UPDATE ${table} SET token = NULL, expires = 0 WHERE ${mine(held)} AND checkpoint IS NOT NULL`
        yield* sql`DELETE FROM ${table} WHERE ${mine(held)}`
      }).pipe(
        Database.patientlyFor(Database.startMillis),
        Effect.catchAll((error) =>
          Effect.logWarning(`a lease was not given back, and ends by itself: ${error.message}`)
        ),
        held.turn.withPermits(1)
      )

    /** Three attempts in the time of a lease. A database that is away is asked again at the next. */
    const keepAlive = (held: Held) =>
      sql`UPDATE ${table} SET expires = ${renewed} WHERE ${mine(held)} RETURNING id`.pipe(
        Effect.catchAllDefect(() => Effect.succeed(["unknown"])),
        Effect.orElseSucceed(() => ["unknown"]),
        Effect.repeat({ schedule: Schedule.spaced(lease / 3), while: (rows) => rows.length > 0 && !held.isReleased }),
        Effect.delay(lease / 3)
      )

    /** What a run does with its row: one after the other, in the order of the calls, and to the end. */
    const use = (
      held: Held,
      reason: "Read" | "Write",
      what: string,
      statement: Effect.Effect<ReadonlyArray<object>, SqlError>
    ): Effect.Effect<object, CheckpointError> =>
      Effect.suspend(() =>
        held.isReleased
          ? Effect.fail(released())
          : Effect.mapError(Database.patientlyFor(patience)(statement), failed(reason, what)).pipe(
              Effect.flatMap(([row]) => (row === undefined ? Effect.fail(lost()) : Effect.succeed(row)))
            )
      ).pipe(Effect.uninterruptible, held.turn.withPermits(1))

    const handle = (held: Held): Handle => {
      const store = (checkpoint: string | null) => sql`
        UPDATE ${table} SET checkpoint = ${checkpoint}, expires = ${renewed} WHERE ${mine(held)} RETURNING id`
      return {
        load: use(held, "Read", "read a checkpoint", sql`SELECT checkpoint FROM ${table} WHERE ${mine(held)}`).pipe(
          Effect.flatMap((row) => {
            const text = "checkpoint" in row && typeof row.checkpoint === "string" ? row.checkpoint : undefined
            return Effect.transposeMapOption(Option.fromNullable(text), Checkpoint.decode)
          })
        ),
        save: (checkpoint) =>
          Effect.suspend(() => use(held, "Write", "save a checkpoint", store(Checkpoint.encode(checkpoint)))),
        remove: use(held, "Write", "remove a checkpoint", store(null))
      }
    }

    return {
      acquire: (identity) =>
        Effect.acquireRelease(lock(identity), unlock).pipe(
          Effect.tap((held) => Effect.forkScoped(keepAlive(held))),
          Effect.map(handle)
        )
    }
  })

/** `make` as a layer. */
export const layer = (options?: Options): Layer.Layer<CheckpointStore, SqlError, SqlClient.SqlClient> =>
  Layer.effect(CheckpointStore, make(options))
