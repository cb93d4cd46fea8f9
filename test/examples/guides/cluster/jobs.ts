import { Jobs, UploadBatch } from "effect-oss/cluster"
import * as Effect from "effect/Effect"

export const report = Effect.gen(function* () {
  const jobs = yield* Jobs.Jobs
  return {
    progress: yield* jobs.progress("list"), // objects waiting, stored, failed; callbacks failed; bytes at the server
    receipts: yield* jobs.receipts("list", { limit: 1000 }),
    dead: yield* jobs.deadLetters("list") // { request, failure: { reason, code, detail } }, page by page
  }
})

// Parts under way end, and no further one begins; "Running" goes on. "Cancelled" aborts, and leaves dead letters.
export const pause = Effect.flatMap(Jobs.Jobs, (jobs) => jobs.setMode("list", "Paused"))

export const again = UploadBatch.redrive("list", { filter: ({ failure }) => failure.code !== "AccessDenied" })
