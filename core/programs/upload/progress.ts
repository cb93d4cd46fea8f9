/**
 * Tells the caller's `onProgress` how far an upload has come, without making the upload wait for it.
 *
 * Reports come from inside the transport, many a second; the caller's effect runs in a fiber of its own and sees the
 * newest one. What it sees never falls, and the last report of a finished upload is exact.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Progress } from "../../model/Progress.ts"

export type OnProgress = (progress: Progress) => Effect.Effect<void>

export interface Reporter {
  /** Bytes sent so far; a retry may report fewer than before, which is not passed on. Safe to call from anywhere. */
  readonly report: (sent: number) => void
  /** One more part is at the server. Safe to call from anywhere. */
  readonly partDone: () => void
  /** The upload is done: reports everything as sent, and waits until the caller has seen it. */
  readonly finish: (total: number) => Effect.Effect<void>
}

const silent: Reporter = { report: () => {}, partDone: () => {}, finish: () => Effect.void }

/** What is known of the whole before it begins; nothing of a stream. */
export interface Whole {
  /** Bytes. */
  readonly total: number
  readonly totalParts: number
}

/** A reporter for the length of a scope; silent without `onProgress`. */
export const make = (
  whole: Whole | undefined,
  onProgress: OnProgress | undefined
): Effect.Effect<Reporter, never, Scope.Scope> => {
  if (onProgress === undefined) return Effect.succeed(silent)
  return Effect.gen(function* () {
    const reports = yield* Queue.sliding<"more" | "last">(1)
    const now = { sent: 0, parts: 0 }
    const fiber = yield* Effect.forkScoped(
      Effect.gen(function* () {
        let told = { sent: -1, parts: -1 }
        for (;;) {
          const last = (yield* Queue.take(reports)) === "last"
          const { sent, parts } = now
          const isNews = last && whole === undefined // how much it was in all
          if (sent > told.sent || parts > told.parts || isNews) {
            told = { sent, parts }
            const { total, totalParts } = whole ?? (last ? { total: sent, totalParts: parts } : nothingKnown)
            yield* onProgress({ sent, total, parts, totalParts })
          }
          if (last) return
        }
      })
    )
    return {
      report: (sent) => {
        now.sent = Math.max(now.sent, sent)
        reports.unsafeOffer("more")
      },
      partDone: () => {
        now.parts++
        reports.unsafeOffer("more")
      },
      finish: (total) =>
        Effect.suspend(() => {
          now.sent = total
          now.parts = whole?.totalParts ?? Math.max(1, now.parts)
          return Effect.zipRight(Queue.offer(reports, "last" as const), Fiber.join(fiber))
        })
    }
  })
}

const nothingKnown = { total: undefined, totalParts: undefined }
