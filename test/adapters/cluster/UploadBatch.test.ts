/**
 * Many durable uploads: progress, dead letters, second tries, and what the durable state holds.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Jobs from "../../../adapters/cluster/jobs/Jobs.ts"
import * as UploadBatch from "../../../adapters/cluster/upload/UploadBatch.ts"
import * as UploadRequest from "../../../adapters/cluster/upload/UploadRequest.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import { content, counted, layer, makeFiles, partSize, request } from "./Fleet.ts"

const { files, layer: sources } = makeFiles()
const fleet = layer(sources)
const keys = Array.from({ length: 25 }, (_, i) => `${String(i).padStart(2, "0")}.bin`)
keys.forEach((key, i) => files.set(`/${key}`, content(i % 5 === 0 ? 3 * partSize + i : 100 * i, i)))
const requests = keys.map((key) => request(key))

const right = Effect.gen(function* () {
  const { object } = yield* OssEmulator.OssEmulator
  return yield* Effect.filter(keys, (key) =>
    Effect.map(object(key), (found) => Buffer.from(files.get(`/${key}`)!).equals(Option.getOrThrow(found)))
  )
})

describe("a batch", () => {
  it.live("uploads a list, and tells its progress", () =>
    Effect.gen(function* () {
      const summary = yield* UploadBatch.workflow.execute({ job: "j", requests, pageSize: 10 })
      assert.deepStrictEqual(summary, { stored: 25, failed: 0 })
      assert.deepStrictEqual(yield* right, keys)
      const jobs = yield* Jobs.Jobs
      const progress = yield* jobs.progress("j")
      assert.deepStrictEqual(progress.objects, { total: 25, waiting: 0, stored: 25, failed: 0, callbackFailed: 0 })
      assert.strictEqual(
        progress.bytes,
        keys.reduce((sum, key) => sum + files.get(`/${key}`)!.length, 0)
      )
      const second = yield* jobs.receipts("j", { after: "09.bin", limit: 2 })
      assert.deepStrictEqual(
        second.map(({ key }) => key),
        ["10.bin", "11.bin"]
      )
    }).pipe(Effect.provide(fleet))
  )

  it.live("fed twice, a stream is uploaded once", () =>
    Effect.gen(function* () {
      const feed = UploadBatch.feed("j", Stream.fromIterable(requests), { pageSize: 7, pagesAtOnce: 2 })
      assert.deepStrictEqual(yield* feed, { stored: 25, failed: 0 })
      const once = yield* counted
      assert.deepStrictEqual(yield* feed, { stored: 25, failed: 0 })
      assert.deepStrictEqual(yield* counted, once)
      assert.deepStrictEqual([once["PutObject"], once["CompleteMultipartUpload"]], [20, 5])
    }).pipe(Effect.provide(fleet))
  )

  it.live("the stream is asked for no more than the pages under way", () =>
    Effect.gen(function* () {
      let asked = 0
      const jobs = yield* Jobs.Jobs
      yield* jobs.setMode("j", "Paused")
      const stream = Stream.fromIterable(requests).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sync(() => void asked++))
      )
      const fiber = yield* Effect.fork(UploadBatch.feed("j", stream, { pageSize: 2, pagesAtOnce: 2 }))
      yield* Effect.sleep("300 millis")
      assert.isAtMost(asked, 10)
      yield* jobs.setMode("j", "Running")
      assert.strictEqual((yield* fiber).stored, 25)
    }).pipe(Effect.provide(fleet))
  )

  it.live("goes on when objects fail for good, keeps them with their reasons, and tries them again when told to", () =>
    Effect.gen(function* () {
      const jobs = yield* Jobs.Jobs
      const missing = [request("no/1"), request("no/2")]
      const summary = yield* UploadBatch.workflow.execute({ job: "j", requests: [...requests.slice(0, 3), ...missing] })
      assert.deepStrictEqual(summary, { stored: 3, failed: 2 })
      const letters = yield* Stream.runCollect(UploadBatch.deadLetters("j"))
      assert.deepStrictEqual(
        Array.from(letters, ({ failure, request }) => [request.key, failure.reason, failure.detail]),
        [
          ["no/1", "SourceError", "/no/1: is not there"],
          ["no/2", "SourceError", "/no/2: is not there"]
        ]
      )
      files.set("/no/1", content(9))
      assert.deepStrictEqual(yield* UploadBatch.redrive("j"), { stored: 1, failed: 1 })
      const left = yield* jobs.deadLetters("j")
      assert.deepStrictEqual(
        left.map(({ request }) => [request.key, request.attempt]),
        [["no/2", 2]]
      )
      files.set("/no/2", content(5 * partSize))
      assert.deepStrictEqual(yield* UploadBatch.redrive("j"), { stored: 1, failed: 0 })
      assert.deepStrictEqual(yield* UploadBatch.redrive("j"), { stored: 0, failed: 0 })
      const { objects } = yield* jobs.progress("j")
      assert.deepStrictEqual(objects, { total: 5, waiting: 0, stored: 5, failed: 0, callbackFailed: 0 })
    }).pipe(Effect.provide(fleet))
  )

  it.live("a cancelled job can be taken up again", () =>
    Effect.gen(function* () {
      const jobs = yield* Jobs.Jobs
      yield* jobs.setMode("j", "Cancelled")
      const summary = yield* UploadBatch.workflow.execute({ job: "j", requests })
      assert.deepStrictEqual(summary, { stored: 0, failed: 25 })
      assert.deepStrictEqual(yield* counted, {})
      yield* jobs.setMode("j", "Running")
      yield* Effect.sleep("1100 millis") // the gate remembers for a second
      const again = yield* UploadBatch.redrive("j", { filter: ({ failure }) => failure.reason === "Cancelled" })
      assert.deepStrictEqual(again, { stored: 25, failed: 0 })
    }).pipe(Effect.provide(fleet))
  )

  it("a request with a signed URL is refused before it is kept", () => {
    const signed = { key: "a", source: { _tag: "Url", url: "https://a.example/b?x-oss-signature=abc" } }
    const decoded = Schema.decodeUnknownEither(UploadRequest.UploadRequest)(signed)
    assert.strictEqual(decoded._tag, "Left")
    assert.notInclude(String(decoded), "abc")
  })
})
