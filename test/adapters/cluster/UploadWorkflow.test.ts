/**
 * Durable uploads of one object, on an engine in memory, against the emulator.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Callbacks from "../../../adapters/cluster/upload/Callbacks.ts"
import * as Jobs from "../../../adapters/cluster/jobs/Jobs.ts"
import * as UploadWorkflow from "../../../adapters/cluster/upload/UploadWorkflow.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as MultipartSteps from "../../../core/programs/MultipartSteps.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import { content, counted, layer, makeFiles, partSize, request } from "./Fleet.ts"

const VideoUploaded = Callback.make({
  url: "http://app.example.com/uploaded",
  bucket: "examplebucket",
  body: { object: Callback.object, size: Callback.size, owner: Callback.var("owner", Schema.NumberFromString) },
  response: Schema.Struct({ id: Schema.String })
})
const callbacks = Callbacks.make({ video: VideoUploaded })
const told: Array<string> = []
const onVideo = CallbackReceiver.make(VideoUploaded, ({ object, owner, size }) =>
  Effect.sync(() => {
    told.push(object)
    return { id: `${owner}:${size}` }
  })
)

const { files, layer: sources } = makeFiles()
const fleet = layer(sources, { callbacks }, { receivers: { "http://app.example.com/uploaded": onVideo } })
const failing = CallbackReceiver.make(VideoUploaded, () => Effect.fail("the database is down"))
const deaf = layer(sources, { callbacks }, { receivers: { "http://app.example.com/uploaded": failing } })
const put = (key: string, bytes: Uint8Array) => void files.set(`/${key}`, bytes)
const upload = (job: string, what: ReturnType<typeof request>) =>
  UploadWorkflow.workflow.execute({ job, request: what })

const stored = (key: string) =>
  Effect.flatMap(OssEmulator.OssEmulator, ({ object }) => Effect.map(object(key), Option.getOrUndefined))
const pending = Effect.flatMap(OssEmulator.OssEmulator, ({ uploads }) => uploads())

describe("an upload as a workflow", () => {
  it.live("sends every part once, in ranges, and its receipt is the object's", () =>
    Effect.gen(function* () {
      const bytes = content(5 * partSize + 9)
      put("large.bin", bytes)
      const receipt = yield* upload("j", request("large.bin"))
      assert.strictEqual(receipt.crc64, Crc64.of(bytes))
      assert.deepStrictEqual(yield* stored("large.bin"), bytes)
      const counts = yield* counted
      assert.strictEqual(counts["UploadPart"], 6)
      assert.strictEqual(counts["CompleteMultipartUpload"], 1)
      assert.deepStrictEqual(receipt.callback, { _tag: "None" })
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(fleet))
  )

  it.live("stores an object of one part with one request", () =>
    Effect.gen(function* () {
      put("small.txt", content(500))
      yield* upload("j", request("small.txt"))
      assert.deepStrictEqual(yield* counted, { PutObject: 1 })
    }).pipe(Effect.provide(fleet))
  )

  it.live("the same job, key and attempt are one upload, however often they are asked for", () =>
    Effect.gen(function* () {
      put("once.bin", content(3 * partSize))
      const receipts = yield* Effect.forEach([1, 2, 3], () => upload("j", request("once.bin")), { concurrency: 3 })
      assert.strictEqual((yield* counted)["CompleteMultipartUpload"], 1)
      assert.deepStrictEqual(receipts[1], receipts[0])
      yield* upload("j", request("once.bin", { attempt: 2 }))
      assert.strictEqual((yield* counted)["CompleteMultipartUpload"], 2)
    }).pipe(Effect.provide(fleet))
  )

  it.live("a callback is named and typed, and its answer can be read from the receipt", () =>
    Effect.gen(function* () {
      put("film.mp4", content(2 * partSize))
      const callback = yield* callbacks.ref("video", { owner: 42 })
      assert.deepStrictEqual(callback, { name: "video", variables: { owner: "42" } })
      const receipt = yield* upload("j", request("film.mp4", { callback }))
      assert.deepStrictEqual(callbacks.answer("video", receipt.callback), Either.right({ id: `42:${2 * partSize}` }))
      assert.deepStrictEqual(
        told.filter((key) => key === "film.mp4"),
        ["film.mp4"]
      )
    }).pipe(Effect.provide(fleet))
  )

  it.live("a callback that fails is no failed upload", () =>
    Effect.gen(function* () {
      put("mute.mp4", content(2 * partSize))
      const callback = yield* callbacks.ref("video", { owner: 1 })
      const receipt = yield* upload("j", request("mute.mp4", { callback }))
      assert.strictEqual(receipt.callback._tag, "Failed")
      const { objects } = yield* Effect.flatMap(Jobs.Jobs, ({ progress }) => progress("j"))
      assert.deepStrictEqual(objects, { total: 1, waiting: 0, stored: 1, failed: 0, callbackFailed: 1 })
    }).pipe(Effect.provide(deaf), Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.live("a contract the runner does not know fails the upload before anything is sent", () =>
    Effect.gen(function* () {
      put("who.bin", content(10))
      const failure = yield* Effect.flip(
        upload("j", request("who.bin", { callback: { name: "nobody", variables: {} } }))
      )
      assert.strictEqual(failure.reason, "InvalidParam")
      assert.deepStrictEqual(yield* counted, {})
    }).pipe(Effect.provide(fleet))
  )

  it.live("a request of another bucket is refused", () =>
    Effect.gen(function* () {
      put("far.bin", content(10))
      const failure = yield* Effect.flip(upload("j", request("far.bin", { bucket: "other" })))
      assert.match(failure.detail, /^bucket: is of the bucket other/)
    }).pipe(Effect.provide(fleet))
  )

  it.live("an upload that fails for good is aborted, and is a dead letter with its reason", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      put("bad.bin", content(6 * partSize))
      yield* emulator.inject({
        operation: "UploadPart",
        partNumber: 4,
        fault: "error",
        status: 403,
        code: "AccessDenied",
        times: 100
      })
      const failure = yield* Effect.flip(upload("j", request("bad.bin")))
      assert.strictEqual(failure.code, "AccessDenied")
      assert.deepStrictEqual(yield* pending, [])
      const jobs = yield* Jobs.Jobs
      const [letter] = yield* jobs.deadLetters("j")
      assert.deepStrictEqual([letter?.request.key, letter?.failure.reason], ["bad.bin", "ServiceError"])
    }).pipe(Effect.provide(fleet))
  )

  it.live("what may pass is tried again, and no part that arrived is sent again", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const bytes = content(4 * partSize)
      put("patience.bin", bytes)
      yield* emulator.inject({
        operation: "UploadPart",
        partNumber: 4,
        fault: "error",
        status: 503,
        code: "ServiceUnavailable",
        times: 6
      })
      yield* upload("j", request("patience.bin"))
      assert.deepStrictEqual(yield* stored("patience.bin"), bytes)
      const requests = yield* emulator.requests
      const part3 = requests.filter(({ partNumber }) => partNumber === 3)
      assert.strictEqual(part3.length, 1)
    }).pipe(Effect.provide(layer(sources, { patience: Schedule.recurs(3) })))
  )

  it.live("a source that changes while it is uploaded fails the upload, and nothing is left pending", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      put("changing.bin", content(6 * partSize))
      yield* emulator.inject({ operation: "UploadPart", partNumber: 1, fault: "slow", delay: 300 })
      const fiber = yield* Effect.fork(Effect.flip(upload("j", request("changing.bin"))))
      yield* Effect.sleep("150 millis")
      put("changing.bin", content(5 * partSize))
      const failure = yield* fiber
      assert.strictEqual(failure.reason, "SourceError")
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(layer(sources, { rangesAtOnce: 1 })))
  )

  it.live("an upload that an earlier try opened is aborted, one that was pending before is not", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      put("orphan.bin", content(2 * partSize))
      const foreign = yield* MultipartSteps.initiate("orphan.bin", {})
      // The server acts on the first Initiate, and its answer never comes.
      yield* emulator.inject({ operation: "InitiateMultipartUpload", fault: "loseAnswer" })
      yield* upload("j", request("orphan.bin"))
      assert.deepStrictEqual(
        (yield* pending).map(({ upload }) => upload.uploadId),
        [foreign]
      )
    }).pipe(Effect.provide(fleet))
  )

  it.live("a cancelled job's upload ends within seconds, and is aborted", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const jobs = yield* Jobs.Jobs
      put("stop.bin", content(4 * partSize))
      yield* emulator.inject({ operation: "UploadPart", fault: "slow", delay: 20_000, times: 100 })
      const fiber = yield* Effect.fork(Effect.flip(upload("j", request("stop.bin"))))
      yield* Effect.sleep("300 millis")
      yield* jobs.setMode("j", "Cancelled")
      assert.strictEqual((yield* fiber).reason, "Cancelled")
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(fleet))
  )

  it.live("a paused job sends nothing more, and goes on when it is set running", () =>
    Effect.gen(function* () {
      const jobs = yield* Jobs.Jobs
      put("rest.bin", content(2 * partSize))
      yield* jobs.setMode("j", "Paused")
      const fiber = yield* Effect.fork(upload("j", request("rest.bin")))
      yield* Effect.sleep("300 millis")
      assert.deepStrictEqual(yield* counted, {})
      yield* jobs.setMode("j", "Running")
      yield* fiber
      assert.strictEqual((yield* counted)["UploadPart"], 2)
    }).pipe(Effect.provide(fleet))
  )
})
