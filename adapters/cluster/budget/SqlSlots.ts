/**
 * One runner's part of a bucket's slots: leased from a table that all runners share, admitted in order.
 *
 * What the table says of a runner is never less than what it uses: slots grow in the table first and here after, and
 * shrink here first. `Database.Database`'s clock rules leases; here only spans of time count, measured from before a
 * statement was sent, so that a lease ends here before it ends there. Times in milliseconds.
 */
import { SqlError } from "@effect/sql/SqlError"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { BudgetError } from "./Budget.ts"
import type * as Database from "../Database.ts"
import * as Share from "./Share.ts"
import * as Turnstile from "./Turnstile.ts"

export interface Options {
  readonly bucket: string
  /** This runner, by a name that nobody else has. */
  readonly runner: string
  /** Slots of the bucket in all. */
  readonly slots: number
  readonly interval: number
  readonly lease: number
  readonly patience: number
  /** Tables: one row for each bucket, one for each bucket and runner. */
  readonly buckets: string
  readonly runners: string
}

export interface Slots {
  readonly turnstile: Turnstile.Turnstile<BudgetError>
  /** Runners that use the bucket, as of late; at least 1. */
  readonly live: () => number
}

/** Up to so many runners speak to the database at every interval; more take turns, so that the bucket's row is not the jam. */
const chorus = 50

/** What the table tells of a runner; Postgres gives its long integers as text. */
interface Row {
  readonly runner: string
  readonly slots: number | string
  readonly wants: number | string
  /** Milliseconds that its foremost request has waited, less than 0 when none waits. */
  readonly waited: number | string
  /** Milliseconds of its lease. */
  readonly remaining: number | string
}

/** Spans of time in milliseconds, by a clock that is never set. */
export const spans = (clock: Clock.Clock) => (): number => Number(clock.unsafeCurrentTimeNanos()) / 1e6

/** The slots for the length of the scope; then they are given back. */
export const make = (db: Database.Database, options: Options): Effect.Effect<Slots, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { bucket, interval, patience, runner, slots } = options
    const { now: databaseNow, sql } = db
    const now = spans(yield* Effect.clock)
    const wake = Effect.unsafeMakeLatch()

    // What the table says we hold, what our share was, what we asked for, and until when that is good.
    let state = { held: 0, share: 0, asked: 0, until: -Infinity, live: 1 }
    let silentSince: number | undefined

    const turnstile = Turnstile.make<BudgetError>(
      () => (now() < state.until ? Math.min(state.held, state.share) : 0),
      now,
      // Who was given less than he asked for waits for his turn; who now wants more than he asked for says so.
      () => void (state.share >= state.asked && wants() > state.asked && wake.unsafeOpen())
    )
    const wants = (): number => Math.min(slots, turnstile.inUse() + turnstile.waiting())
    const pause = () => interval * Math.max(1, state.live / chorus)

    const buckets = sql(options.buckets)
    const runners = sql(options.runners)

    /** All that runners say of the bucket, with nobody else speaking: the bucket's row is locked by the first statement. */
    const everybody = Effect.zipRight(
      sql`UPDATE ${buckets} SET line = line WHERE bucket = ${bucket}`,
      sql<Row>`SELECT runner, slots, wants, CASE WHEN since = 0 THEN -1 ELSE ${databaseNow} - since END AS waited,
          expires - ${databaseNow} AS remaining FROM ${runners} WHERE bucket = ${bucket}`
    )

    const speak = Effect.gen(function* () {
      const sent = now()
      const lease = Math.max(options.lease, 3 * pause())
      const asked = wants()
      const keeps = Math.max(sent < state.until ? Math.min(state.held, state.share) : 0, turnstile.inUse())
      const since = turnstile.frontSince()
      const waited = since === undefined ? undefined : Math.max(0, sent - since)
      const told = yield* Effect.gen(function* () {
        const rows = yield* everybody
        const others = rows.filter((row) => row.runner !== runner && Number(row.remaining) > 0)
        if (rows.some((row) => Number(row.remaining) <= 0)) {
          yield* sql`DELETE FROM ${runners} WHERE bucket = ${bucket} AND expires <= ${databaseNow}`
        }
        const mine: Share.Want = { runner, wants: asked, since: waited === undefined ? Infinity : -waited }
        const all = others.map((row): Share.Want => {
          const waited = Number(row.waited)
          return { runner: row.runner, wants: Number(row.wants), since: waited < 0 ? Infinity : -waited }
        })
        const share = Share.deal(slots, [mine, ...all]).get(runner) ?? 0
        const free = slots - others.reduce((sum, row) => sum + Number(row.slots), 0)
        const held = Math.max(keeps, Math.min(share, free))
        if (held === 0 && asked === 0) {
          yield* sql`DELETE FROM ${runners} WHERE bucket = ${bucket} AND runner = ${runner}`
        } else {
          const millis = (value: number) => sql.literal(String(Math.ceil(value)))
          const since = waited === undefined ? sql.literal("0") : sql`${databaseNow} - ${millis(waited)}`
          yield* sql`INSERT INTO ${runners} (bucket, runner, slots, wants, since, expires)
            VALUES (${bucket}, ${runner}, ${held}, ${asked}, ${since}, ${databaseNow} + ${millis(lease)})
            ON CONFLICT (bucket, runner) DO UPDATE SET slots = excluded.slots, wants = excluded.wants,
              since = excluded.since, expires = excluded.expires`
        }
        return { held, share, live: others.length + 1 }
      }).pipe(sql.withTransaction)
      state = { ...told, asked, until: sent + lease }
      silentSince = undefined
      turnstile.admit()
    })

    const failed = (cause: SqlError) =>
      Effect.suspend(() => {
        silentSince ??= now()
        if (now() - silentSince >= patience) {
          const detail = `its database does not answer: ${cause.message}`
          turnstile.refuse(new BudgetError({ bucket, detail, cause }))
        }
        return Effect.logDebug(`the budget of ${bucket} cannot be asked`, cause)
      })

    const turn = Effect.gen(function* () {
      // Nothing to ask for and nothing to give back: until somebody comes.
      if (wants() === 0 && state.held === 0) yield* wake.await
      wake.unsafeClose()
      // A client's defect, too, must not end the talk: everybody would wait for ever.
      const spoken = Effect.catchAllDefect(speak, (cause) => new SqlError({ cause, message: "the client broke" }))
      yield* Effect.catchAll(spoken, failed)
      yield* Effect.sleep(interval / 10)
      yield* Effect.race(wake.await, Effect.sleep(pause()))
    })
    yield* Effect.addFinalizer(() =>
      Effect.ignore(sql`DELETE FROM ${runners} WHERE bucket = ${bucket} AND runner = ${runner}`)
    )
    yield* Effect.forkScoped(Effect.interruptible(Effect.forever(turn)))
    return { turnstile, live: () => state.live }
  })
