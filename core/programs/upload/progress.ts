/**
 * Tells the caller's `onProgress` how far an upload has come, without making the upload wait for it.
 *
 * Reports come from inside the transport, many a second; the caller's effect runs in a fiber of its own and sees the
 * newest one. What it sees rises strictly, and the last report of a finished upload is exact.
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
  /** The upload is done: reports everything as sent, and waits until the caller has seen it. */
  readonly finish: (total: number) => Effect.Effect<void>
}

interface Report {
  readonly sent: number
  readonly last: boolean
}

const silent: Reporter = { report: () => {}, finish: () => Effect.void }

/** A reporter for the length of a scope; silent without `onProgress`. `total` in bytes, where it is known. */
export const make = (
  total: number | undefined,
  onProgress: OnProgress | undefined
): Effect.Effect<Reporter, never, Scope.Scope> => {
  if (onProgress === undefined) return Effect.succeed(silent)
  return Effect.gen(function* () {
    const reports = yield* Queue.sliding<Report>(1)
    const fiber = yield* Effect.forkScoped(
      Effect.gen(function* () {
        let seen = -1
        for (;;) {
          const { sent, last } = yield* Queue.take(reports)
          if (sent > seen) {
            seen = sent
            yield* onProgress({ sent, total: last ? sent : total })
          }
          if (last) return
        }
      })
    )
    return {
      report: (sent) => void reports.unsafeOffer({ sent, last: false }),
      finish: (sent) => Effect.zipRight(Queue.offer(reports, { sent, last: true }), Fiber.join(fiber))
    }
  })
}
