/**
 * What every book of jobs must do.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Jobs from "../../adapters/cluster/jobs/Jobs.ts"
import { UploadFailed, type Receipt } from "../../adapters/cluster/upload/Receipt.ts"
import * as SourceRef from "../../adapters/cluster/sources/SourceRef.ts"
import type { UploadRequest } from "../../adapters/cluster/upload/UploadRequest.ts"

const request = (key: string, attempt?: number): UploadRequest => ({
  key,
  source: SourceRef.path(`/data/${key}`),
  ...(attempt === undefined ? {} : { attempt })
})

const receipt = (key: string, size: number, callback: Receipt["callback"] = { _tag: "None" }): Receipt => ({
  bucket: "media",
  key,
  size,
  etag: "9BB58F26192E4BA00F01E2E7B136BBD8-3",
  crc64: 18_446_744_073_709_551_615n,
  versionId: null,
  requestId: "5CAC015CB7AEADE01700B1F2",
  callback
})

const failure = new UploadFailed({ reason: "SourceError", code: null, detail: "is not there", isTransient: false })
const stored = (key: string, size: number) => ({ _tag: "Stored", receipt: receipt(key, size) }) as const

/** The laws; `make` gives an empty book each time. */
export const jobsContract = (make: Effect.Effect<Jobs.Service>) => {
  const law = (name: string, body: (jobs: Jobs.Service) => Effect.Effect<void, Jobs.JobsError>) =>
    it.live(name, () => Effect.flatMap(make, body))

  law("a job that nobody has spoken of is running and empty", (jobs) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* jobs.progress("j"), {
        mode: "Running",
        objects: { total: 0, waiting: 0, stored: 0, failed: 0, callbackFailed: 0 },
        bytes: 0
      })
    })
  )

  law("keeps each job's mode", (jobs) =>
    Effect.gen(function* () {
      yield* jobs.setMode("j", "Paused")
      yield* jobs.setMode("k", "Cancelled")
      assert.deepStrictEqual([yield* jobs.mode("j"), yield* jobs.mode("k")], ["Paused", "Cancelled"])
      yield* jobs.setMode("j", "Running")
      assert.strictEqual(yield* jobs.mode("j"), "Running")
    })
  )

  law("counts objects once, however often they are noted", (jobs) =>
    Effect.gen(function* () {
      yield* jobs.admit("j", [request("a"), request("b"), request("c"), request("a")])
      yield* jobs.settle("j", request("a"), stored("a", 10))
      yield* jobs.admit("j", [request("a"), request("b"), request("c")])
      yield* jobs.settle("j", request("a"), stored("a", 10))
      yield* jobs.settle("j", request("b"), { _tag: "Failed", failure })
      const { objects } = yield* jobs.progress("j")
      assert.deepStrictEqual(objects, { total: 3, waiting: 1, stored: 1, failed: 1, callbackFailed: 0 })
    })
  )

  law("counts the bytes of ranges under way, until their object has ended", (jobs) =>
    Effect.gen(function* () {
      yield* jobs.admit("j", [request("a"), request("b")])
      yield* jobs.sent("j", "a", 1, 6_000_000_000)
      yield* jobs.sent("j", "a", 1, 6_000_000_000)
      yield* jobs.sent("j", "a", 17, 5)
      yield* jobs.sent("j", "b", 1, 7)
      assert.strictEqual((yield* jobs.progress("j")).bytes, 6_000_000_012)
      yield* jobs.settle("j", request("a"), stored("a", 6_000_000_006))
      yield* jobs.settle("j", request("b"), { _tag: "Failed", failure })
      assert.strictEqual((yield* jobs.progress("j")).bytes, 6_000_000_006)
    })
  )

  law("a later attempt waits again, and the end of an earlier one changes nothing", (jobs) =>
    Effect.gen(function* () {
      yield* jobs.admit("j", [request("a")])
      yield* jobs.settle("j", request("a"), { _tag: "Failed", failure })
      yield* jobs.admit("j", [request("a", 2)])
      assert.strictEqual((yield* jobs.progress("j")).objects.waiting, 1)
      yield* jobs.settle("j", request("a", 1), { _tag: "Failed", failure })
      assert.strictEqual((yield* jobs.progress("j")).objects.waiting, 1)
      yield* jobs.settle("j", request("a", 2), stored("a", 1))
      yield* jobs.settle("j", request("a"), { _tag: "Failed", failure })
      assert.deepStrictEqual(yield* jobs.deadLetters("j"), [])
    })
  )

  law("keeps what is stored and what its application answered, when the same attempt ends again and worse", (jobs) =>
    Effect.gen(function* () {
      const answered = { _tag: "Answered", answer: "{}" } as const
      const lost = { _tag: "Failed", reason: "AnswerLost", detail: "the answer was lost" } as const
      const ended = (callback: Receipt["callback"]) =>
        ({ _tag: "Stored", receipt: receipt("a", 10, callback) }) as const
      const callbackNow = Effect.map(jobs.receipts("j"), ([first]) => first?.callback._tag)
      yield* jobs.settle("j", request("a"), ended(lost))
      yield* jobs.settle("j", request("a"), { _tag: "Failed", failure })
      assert.strictEqual(yield* callbackNow, "Failed")
      yield* jobs.settle("j", request("a"), ended(answered))
      yield* jobs.settle("j", request("a"), ended(lost))
      yield* jobs.settle("j", request("a"), { _tag: "Failed", failure })
      assert.strictEqual(yield* callbackNow, "Answered")
      assert.deepStrictEqual((yield* jobs.progress("j")).objects.callbackFailed, 0)
      yield* jobs.settle("j", request("a", 2), { _tag: "Failed", failure })
      assert.strictEqual((yield* jobs.deadLetters("j")).length, 1)
    })
  )

  law("counts no range that is told of when its object has ended", (jobs) =>
    Effect.gen(function* () {
      yield* jobs.admit("j", [request("a")])
      yield* jobs.settle("j", request("a"), stored("a", 10))
      yield* jobs.sent("j", "a", 1, 5)
      assert.strictEqual((yield* jobs.progress("j")).bytes, 10)
    })
  )

  law("gives dead letters and receipts back as they were, page by page", (jobs) =>
    Effect.gen(function* () {
      const keys = ["a", "a b/ä\u{1F600}", 'a"quoted\\', "z"]
      yield* jobs.admit(
        "j",
        keys.map((key) => request(key))
      )
      for (const key of keys) yield* jobs.settle("j", request(key), { _tag: "Failed", failure })
      const all = yield* jobs.deadLetters("j")
      assert.sameDeepMembers(
        all.map((letter) => letter.request),
        keys.map((key) => request(key))
      )
      assert.deepStrictEqual(all[0]?.failure.message, failure.message)
      const pages: Array<string> = []
      for (let after: string | undefined = undefined; ; after = pages.at(-1)) {
        const page: ReadonlyArray<Jobs.DeadLetter> = yield* jobs.deadLetters("j", { after, limit: 2 })
        if (page.length === 0) break
        pages.push(...page.map((letter) => letter.request.key))
      }
      assert.deepStrictEqual(
        pages,
        all.map((letter) => letter.request.key)
      )
      const told = receipt("z", 5, { _tag: "Failed", reason: "TimedOut", detail: "too late" })
      yield* jobs.settle("j", request("z", 2), { _tag: "Stored", receipt: told })
      assert.deepStrictEqual(yield* jobs.receipts("j"), [told])
      assert.strictEqual((yield* jobs.progress("j")).objects.callbackFailed, 1)
    })
  )
}
