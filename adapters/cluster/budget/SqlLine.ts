/**
 * A bucket's bandwidth as one line of time in a table: who wants to send books the next free stretch, as long as its bytes
 * take, and begins with it. Nobody can book the same stretch, so the sum keeps to the limit however many runners book.
 *
 * What waits on a runner is booked by one statement; small requests are booked ahead by a twentieth of a second, so that
 * not each of them needs one. A stretch that was booked in vain (a runner died, a request was interrupted) stays unused.
 * Times in milliseconds, sizes in bytes.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import { BudgetError } from "./Budget.ts"
import * as Database from "../Database.ts"
import * as SqlSlots from "./SqlSlots.ts"

export interface Options {
  readonly bucket: string
  readonly bytesPerSecond: number
  readonly buckets: string
  /** How long to wait for a database that is away. */
  readonly patience: number
  /** Runners that share the line. */
  readonly live: () => number
}

/** How much of the line all runners together may book ahead. */
const aheadMillis = 50

interface Booking {
  readonly bytes: number
  outcome: { readonly begin: number } | BudgetError | undefined
}

/** Waits until so many bytes may be sent. Fails with `BudgetError` when the database is away for longer than its patience. */
export const make = (
  { now: databaseNow, sql }: Database.Database,
  { bucket, buckets, bytesPerSecond, live, patience }: Options
): Effect.Effect<(bytes: number) => Effect.Effect<void, BudgetError>> =>
  Effect.gen(function* () {
    const now = SqlSlots.spans(yield* Effect.clock)
    const oneByOne = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const perMilli = bytesPerSecond / 1000
    const waiting = new Set<Booking>()
    // What is booked ahead: so many bytes, from then on.
    let ahead = { bytes: 0, begin: 0 }

    const later = sql.onDialectOrElse({
      pg: () => sql`GREATEST(line, ${databaseNow})`,
      orElse: () => sql`MAX(line, ${databaseNow})`
    })

    /** Books a stretch, and answers in how many milliseconds it begins. */
    const book = (millis: number): Effect.Effect<number, SqlError> => {
      const span = sql.literal(millis.toFixed(6))
      return Effect.map(
        Database.patientlyFor(patience)(
          sql<{ readonly wait: number | string }>`UPDATE ${sql(buckets)} SET line = ${later} + ${span}
            WHERE bucket = ${bucket} RETURNING line - ${span} - ${databaseNow} AS wait`
        ),
        ([row]) => Math.max(0, Number(row?.wait ?? 0))
      )
    }

    const take = (booking: Booking): boolean => {
      if (ahead.bytes < booking.bytes) return false
      const begin = Math.max(now(), ahead.begin)
      ahead = { bytes: ahead.bytes - booking.bytes, begin: begin + booking.bytes / perMilli }
      booking.outcome = { begin }
      return true
    }

    const bookAll = Effect.gen(function* () {
      const all = [...waiting]
      waiting.clear()
      const total = all.reduce((sum, { bytes }) => sum + bytes, 0)
      const bytes = Math.max(total, (aheadMillis * perMilli) / live())
      const booked = yield* Effect.either(book(bytes / perMilli))
      if (booked._tag === "Left") {
        const detail = `its database does not answer: ${booked.left.message}`
        for (const booking of all) booking.outcome = new BudgetError({ bucket, detail, cause: booked.left })
        return
      }
      ahead = { bytes, begin: now() + booked.right }
      for (const booking of all) take(booking)
    })

    return (bytes) =>
      Effect.suspend(() => {
        const booking: Booking = { bytes, outcome: undefined }
        if (bytes === 0 || (waiting.size === 0 && take(booking))) return Effect.succeed(booking)
        waiting.add(booking)
        // Whoever comes first books for all; nothing may interrupt between taking them from the list and telling them.
        const booked = oneByOne(
          Effect.uninterruptible(Effect.suspend(() => (booking.outcome === undefined ? bookAll : Effect.void)))
        )
        return Effect.onInterrupt(Effect.as(booked, booking), () => Effect.sync(() => waiting.delete(booking)))
      }).pipe(
        Effect.flatMap(({ outcome }) => {
          if (outcome === undefined) return Effect.void
          return "begin" in outcome
            ? Effect.suspend(() => Effect.sleep(Math.max(0, Math.ceil(outcome.begin - now()))))
            : Effect.fail(outcome)
        })
      )
  })
