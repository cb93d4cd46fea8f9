/**
 * What comes at a bad moment: a pause, a cancellation, a second try of a step that had won, an attempt right behind another.
 */
import { assert, describe, it } from "@effect/vitest"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Jobs from "../../../adapters/cluster/jobs/Jobs.ts"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"
import { Sources } from "../../../adapters/cluster/sources/Sources.ts"
import * as UploadBatch from "../../../adapters/cluster/upload/UploadBatch.ts"
import * as UploadWorkflow from "../../../adapters/cluster/upload/UploadWorkflow.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import { content, counted, layer, makeFiles, partSize, request } from "./Fleet.ts"

const { files, layer: sources } = makeFiles()
const fleet = layer(sources)
const put = (key: string, bytes: Uint8Array) => void files.set(`/${key}`, bytes)
const upload = (job: string, what: ReturnType<typeof request>) =>
  UploadWorkflow.workflow.execute({ job, request: what })
const pending = Effect.flatMap(OssEmulator.OssEmulator, ({ uploads }) => uploads())
const forbidding = { options: { partSize, forbidOverwrite: true } }

describe("a key that may not be overwritten", () => {
  it.live("and is taken by our own object, stored before the runner was killed, is done", () =>
    Effect.gen(function* () {
      put("own.txt", content(500))
      const stored = yield* Upload.simple("own.txt", Source.bytes(content(500)), { forbidOverwrite: true })
      const receipt = yield* upload("j", request("own.txt", forbidding))
      assert.deepStrictEqual([receipt.etag, receipt.crc64, receipt.size], [stored.etag, stored.crc64, 500])
      const { objects } = yield* Effect.flatMap(Jobs.Jobs, ({ progress }) => progress("j"))
      assert.strictEqual(objects.stored, 1)
    }).pipe(Effect.provide(fleet))
  )

  it.live("and is taken by another object is a dead letter, and the other object stays", () =>
    Effect.gen(function* () {
      put("other.txt", content(500))
      yield* Upload.simple("other.txt", Source.bytes(content(500, 2)))
      const failure = yield* Effect.flip(upload("j", request("other.txt", forbidding)))
      assert.strictEqual(failure.code, "FileAlreadyExists")
      const { object } = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(Option.getOrThrow(yield* object("other.txt")), content(500, 2))
    }).pipe(Effect.provide(fleet))
  )

  it.live("and is taken by our own parts, when OSS looks at the key before the upload, is done", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const bytes = content(3 * partSize)
      put("parts.bin", bytes)
      // Complete wins, its answer is lost, and the next one is refused for the object that is there.
      yield* emulator.inject({
        operation: "CompleteMultipartUpload",
        fault: "errorAfter",
        status: 409,
        code: "FileAlreadyExists"
      })
      const receipt = yield* upload("j", request("parts.bin", forbidding))
      assert.strictEqual(receipt.size, bytes.length)
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(fleet))
  )
})

describe("a pause", () => {
  it.live("lets parts under way end, sends none twice, and leaves the runner's room to other jobs", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const jobs = yield* Jobs.Jobs
      put("slow.bin", content(8 * partSize))
      put("quick.bin", content(3 * partSize))
      yield* emulator.inject({ operation: "UploadPart", key: "slow.bin", fault: "slow", delay: 1500, times: 4 })
      const slow = yield* Effect.fork(upload("slow", request("slow.bin")))
      yield* Effect.sleep("500 millis")
      yield* jobs.setMode("slow", "Paused")
      yield* Effect.timeoutFail(upload("quick", request("quick.bin")), {
        duration: "20 seconds",
        onTimeout: () => new Error("the paused job holds the room")
      })
      assert.isNull(yield* Fiber.poll(slow).pipe(Effect.map(Option.getOrNull)))
      yield* jobs.setMode("slow", "Running")
      yield* slow
      const parts = (yield* emulator.requests).filter(
        ({ key, operation }) => key === "slow.bin" && operation === "UploadPart"
      )
      assert.strictEqual(parts.length, 8)
    }).pipe(Effect.provide(layer(sources, { rangesHere: 1, partsInRange: 4, parts: 2 })))
  )
})

describe("a cancellation", () => {
  it.live("that comes while the parts are made the object comes too late, and the receipt is kept", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const jobs = yield* Jobs.Jobs
      put("late.bin", content(2 * partSize))
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "slow", delay: 4000 })
      const fiber = yield* Effect.fork(upload("j", request("late.bin")))
      yield* Effect.repeat(Effect.delay(counted, "50 millis"), { until: (counts) => counts["UploadPart"] === 2 })
      yield* Effect.sleep("500 millis")
      yield* jobs.setMode("j", "Cancelled")
      assert.strictEqual((yield* fiber).key, "late.bin")
      const { objects } = yield* jobs.progress("j")
      assert.deepStrictEqual([objects.stored, objects.failed], [1, 0])
    }).pipe(Effect.provide(fleet))
  )
})

describe("an attempt right behind another", () => {
  it.live("is not aborted by it: what failed is a dead letter only once its uploads are gone", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const jobs = yield* Jobs.Jobs
      put("again.bin", content(4 * partSize))
      yield* emulator.inject(
        { operation: "UploadPart", fault: "error", status: 403, code: "AccessDenied", times: 4 },
        { operation: "AbortMultipartUpload", fault: "slow", delay: 700, times: 3 }
      )
      const first = yield* Effect.fork(Effect.exit(upload("j", request("again.bin"))))
      yield* Effect.repeat(Effect.delay(jobs.deadLetters("j"), "20 millis"), { until: ({ length }) => length === 1 })
      assert.deepStrictEqual(yield* pending, [])
      assert.deepStrictEqual(yield* UploadBatch.redrive("j"), { stored: 1, failed: 0 })
      yield* first
      assert.deepStrictEqual(yield* pending, [])
    }).pipe(Effect.provide(fleet), Logger.withMinimumLogLevel(LogLevel.None))
  )
})

describe("a feeder", () => {
  it.live("whose waiting for a page is interrupted, as by a runner that goes, asks again and misses nothing", () =>
    Effect.gen(function* () {
      const engine = yield* WorkflowEngine.WorkflowEngine
      let interruptions = 0
      const shaky = WorkflowEngine.WorkflowEngine.of({
        ...engine,
        execute: ((workflow, options) =>
          workflow.name === UploadBatch.page.name && interruptions++ < 2
            ? Effect.interrupt
            : engine.execute(workflow, options)) as typeof engine.execute // as generic as the engine's own
      })
      const requests = Array.from({ length: 10 }, (_, i) => request(`shaky/${i}`))
      for (const { key } of requests) put(key, content(50))
      const fed = yield* UploadBatch.feed("j", Stream.fromIterable(requests)).pipe(
        Effect.provideService(WorkflowEngine.WorkflowEngine, shaky)
      )
      assert.deepStrictEqual(fed, { stored: 10, failed: 0 })
      assert.isAbove(interruptions, 2)
    }).pipe(Effect.provide(fleet))
  )
})

describe("a runner", () => {
  it.live("opens no more sources at once than its rooms have place for, however much there is to do", () =>
    Effect.gen(function* () {
      let [open, most] = [0, 0]
      const watched = Layer.succeed(Sources, {
        open: (ref) => {
          const size = SourceRef.describe(ref).endsWith(".bin") ? 4 * partSize : 100
          const source = Source.bytes(content(size), SourceRef.describe(ref))
          const held = Effect.acquireRelease(
            Effect.sync(() => (most = Math.max(most, ++open))),
            () => Effect.sync(() => open--)
          )
          return Effect.succeed({ ...source, open: Effect.zipRight(held, source.open) })
        }
      })
      const requests = Array.from({ length: 12 }, (_, i) => request(i % 2 === 0 ? `${i}.bin` : `${i}.txt`))
      const summary = yield* UploadBatch.workflow
        .execute({ job: "j", requests, pageSize: 2, pagesAtOnce: 6 })
        .pipe(Effect.provide(layer(watched, { rangesHere: 2, objectsAtOnce: 1 })))
      assert.deepStrictEqual(summary, { stored: 12, failed: 0 })
      assert.strictEqual(most, 3)
    })
  )
})
