import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Checkpoint from "../../../core/model/Checkpoint.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import { CheckpointError } from "../../../core/model/OssError.ts"
import * as CheckpointStore from "../../../core/ports/CheckpointStore.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as Emulated from "../../support/Emulated.ts"

const partSize = Bytes.KiB(100)
const content = new Uint8Array(Bytes.KiB(450)).map((_, i) => Math.imul(i, 2654435761) >>> 24)
const k = Either.getOrThrow(ObjectKey.make("k"))
const source: Source.Source = { ...Source.bytes(content), fingerprint: "first" }

/** An emulator, a store that outlives the runs, and clients that try again at once. */
const world = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const store = CheckpointStore.makeMemory()
  const retry = Schedule.intersect(Schedule.recurs(1), Schedule.spaced(1))
  const layer = Layer.merge(Emulated.client(emulator, { retry }), Layer.succeed(CheckpointStore.CheckpointStore, store))
  const run = (from = source, options: Upload.ResumableOptions<undefined> & { readonly callback?: undefined } = {}) =>
    Upload.resumable("k", from, { partSize, concurrency: 1, ...options }).pipe(Effect.provide(layer))
  /** Operations since the last call, without those that only look. */
  let seen = 0
  const operations = Effect.map(emulator.requests, (requests) => {
    const since = requests.slice(seen)
    seen = requests.length
    return since.map(({ operation, partNumber }) => [operation, partNumber].filter(Boolean).join(" "))
  })
  const checkpoint = Effect.scoped(
    Effect.flatMap(
      store.acquire(Checkpoint.identity({ origin: emulator.endpoint, bucket: "media", key: "k" })),
      (handle) => handle.load
    )
  )
  const stored = Effect.map(emulator.object("k"), (bytes) => Crc64.of(Option.getOrThrow(bytes)))
  return { emulator, store, layer, run, operations, checkpoint, stored }
})

/** A run that ends before part `n` is sent. */
const endingAt = (emulator: OssEmulator.Service, n: number) =>
  emulator.inject({ operation: "UploadPart", partNumber: n, fault: "error", status: 403, code: "AccessDenied" })

describe("Upload.resumable", () => {
  it.scopedLive("goes on where the last run ended, and removes its checkpoint", () =>
    Effect.gen(function* () {
      const { checkpoint, emulator, operations, run, stored } = yield* world
      yield* endingAt(emulator, 3)
      assert.strictEqual((yield* Effect.flip(run()))._tag, "ServiceError")
      assert.deepEqual(yield* operations, ["InitiateMultipartUpload", "UploadPart 1", "UploadPart 2", "UploadPart 3"])
      assert.deepEqual(
        Option.getOrThrow(yield* checkpoint).parts.map(({ number }) => number),
        [1, 2]
      )
      const uploaded = yield* run()
      assert.deepEqual(
        [uploaded.method, uploaded.size, uploaded.crc64],
        ["resumable", content.length, Crc64.of(content)]
      )
      assert.deepEqual(yield* operations, [
        "ListParts",
        "UploadPart 3",
        "UploadPart 4",
        "UploadPart 5",
        "CompleteMultipartUpload"
      ])
      assert.strictEqual(yield* stored, Crc64.of(content))
      assert.isTrue(Option.isNone(yield* checkpoint))
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )

  it.scopedLive("uses parts with gaps between them", () =>
    Effect.gen(function* () {
      const { emulator, operations, run } = yield* world
      // Side by side: part 2 is refused while 1, 3 and 4 go up.
      yield* emulator.inject({ operation: "UploadPart", partNumber: 2, fault: "slow", delay: 400 })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 2, fault: "error", status: 403 })
      yield* Effect.flip(run(source, { concurrency: 4 }))
      yield* operations
      yield* run()
      assert.deepEqual(yield* operations, ["ListParts", "UploadPart 2", "CompleteMultipartUpload"])
    })
  )

  it.scopedLive("goes on after an interruption, also one during Complete", () =>
    Effect.gen(function* () {
      const { emulator, operations, run, stored } = yield* world
      for (const [operation, expected] of [
        ["UploadPart", ["ListParts", "UploadPart 1", "UploadPart 2"]],
        ["CompleteMultipartUpload", ["ListParts", "CompleteMultipartUpload"]]
      ] as const) {
        yield* emulator.inject({ operation, fault: "stall" })
        const fiber = yield* Effect.fork(run())
        yield* Effect.repeat(emulator.faults.pending, {
          until: (pending) => pending.length === 0,
          schedule: Schedule.spaced(5)
        })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual((yield* emulator.uploads()).length, 1)
        yield* operations
        yield* run()
        assert.deepEqual((yield* operations).slice(0, expected.length), [...expected])
        assert.strictEqual(yield* stored, Crc64.of(content))
      }
    })
  )

  it.scopedLive("sends a part again whose bytes are not what went up, whatever the fingerprint says", () =>
    Effect.gen(function* () {
      const { emulator, operations, run, stored } = yield* world
      yield* endingAt(emulator, 4)
      yield* Effect.flip(run())
      yield* operations
      const other = content.slice()
      other[partSize + 5]! ^= 1 // in part 2
      const uploaded = yield* run({ ...Source.bytes(other), fingerprint: "first" })
      assert.strictEqual(uploaded.crc64, Crc64.of(other))
      assert.strictEqual(yield* stored, Crc64.of(other))
      assert.deepEqual((yield* operations).slice(0, 3), ["ListParts", "UploadPart 2", "UploadPart 4"])
    })
  )

  it.scopedLive("sends a part again that the server has no more, or another of", () =>
    Effect.gen(function* () {
      const { emulator, operations, run, stored } = yield* world
      yield* endingAt(emulator, 4)
      yield* Effect.flip(run())
      const [upload] = yield* emulator.uploads()
      // Somebody with another tool has sent other bytes as part 2.
      const tool = yield* Effect.provide(OssClient.OssClient, Emulated.client(emulator))
      const foreign = Transport.bytes(new Uint8Array(partSize))
      yield* tool.execute(MultipartOperation.uploadPart(k, upload!.upload.uploadId, 2, {}, foreign))
      yield* operations
      yield* run()
      assert.deepEqual((yield* operations).slice(0, 3), ["ListParts", "UploadPart 2", "UploadPart 4"])
      assert.strictEqual(yield* stored, Crc64.of(content))
    })
  )

  it.scopedLive("fails with Changed when the source is another one, and keeps what was sent", () =>
    Effect.gen(function* () {
      const { checkpoint, emulator, operations, run } = yield* world
      yield* endingAt(emulator, 3)
      yield* Effect.flip(run())
      const before = yield* checkpoint
      yield* operations
      for (const other of [
        { ...source, fingerprint: "second" },
        { ...Source.bytes(content.subarray(1)), fingerprint: "first" },
        { ...Source.text("small"), fingerprint: "first" }
      ]) {
        const error = yield* Effect.flip(run(other))
        assert.strictEqual(error._tag === "SourceError" && error.reason, "Changed", error.message)
      }
      assert.deepEqual(yield* operations, [])
      assert.deepEqual(yield* checkpoint, before)
      assert.strictEqual((yield* emulator.uploads()).length, 1)
    })
  )

  it.scopedLive("begins anew with another source when told so, and aborts the upload that it replaces", () =>
    Effect.gen(function* () {
      const { emulator, run, stored } = yield* world
      for (const other of [Source.bytes(content.toReversed()), Source.text("small")]) {
        yield* endingAt(emulator, 3)
        yield* Effect.flip(run())
        const uploaded = yield* run({ ...other, fingerprint: "second" }, { ifChanged: "restart" })
        assert.strictEqual(uploaded.crc64, yield* stored)
        assert.strictEqual(uploaded.size, other.size)
        assert.strictEqual(uploaded.method, "resumable")
        assert.deepEqual(yield* emulator.uploads(), [])
      }
    })
  )

  it.scopedLive("begins anew for other headers or another part size, and aborts the upload that it replaces", () =>
    Effect.gen(function* () {
      const { emulator, operations, run, stored } = yield* world
      for (const options of [{ contentType: "text/plain" }, { partSize: partSize + 1 }]) {
        yield* endingAt(emulator, 3)
        yield* Effect.flip(run())
        yield* operations
        yield* run(source, options)
        const done = yield* operations
        assert.deepEqual(done.slice(0, 3), ["AbortMultipartUpload", "AbortMultipartUpload", "InitiateMultipartUpload"])
        assert.strictEqual(yield* stored, Crc64.of(content))
        assert.deepEqual(yield* emulator.uploads(), [])
      }
    })
  )

  it.scopedLive("begins anew, once, when its upload is gone and the object is not there", () =>
    Effect.gen(function* () {
      const { emulator, operations, run, stored } = yield* world
      yield* endingAt(emulator, 3)
      yield* Effect.flip(run())
      const [upload] = yield* emulator.uploads()
      const tool = yield* Effect.provide(OssClient.OssClient, Emulated.client(emulator))
      yield* tool.execute(MultipartOperation.abortMultipartUpload(k, upload!.upload.uploadId))
      yield* operations
      yield* run()
      assert.deepEqual((yield* operations).slice(0, 3), ["ListParts", "InitiateMultipartUpload", "UploadPart 1"])
      assert.strictEqual(yield* stored, Crc64.of(content))
      // Gone again and again, it gives up.
      yield* emulator.inject({
        operation: "UploadPart",
        partNumber: 2,
        fault: "error",
        status: 404,
        code: "NoSuchUpload",
        times: 9
      })
      const error = yield* Effect.flip(run())
      assert.strictEqual(error._tag === "ServiceError" && error.code, "NoSuchUpload", error.message)
      assert.strictEqual((yield* operations).filter((name) => name === "InitiateMultipartUpload").length, 2)
    })
  )

  it.scopedLive("finds out that a Complete whose answer was lost has won", () =>
    Effect.gen(function* () {
      const { checkpoint, emulator, operations, run } = yield* world
      // The answer to Complete is lost, and so is every HeadObject that would tell: the run fails, not knowing.
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "loseAnswer" })
      yield* emulator.inject({ operation: "HeadObject", fault: "drop", times: 9 })
      const error = yield* Effect.flip(run())
      assert.strictEqual(error._tag, "TransportError", error.message)
      yield* emulator.faults.clear
      yield* operations
      const uploaded = yield* run()
      assert.strictEqual(uploaded.crc64, Crc64.of(content))
      assert.deepEqual(yield* operations, ["ListParts", "HeadObject"])
      assert.isTrue(Option.isNone(yield* checkpoint))
    })
  )

  it.scopedLive("does not take a lost upload's object for its own when the source has other bytes by now", () =>
    Effect.gen(function* () {
      const { emulator, run, stored } = yield* world
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "loseAnswer" })
      yield* emulator.inject({ operation: "HeadObject", fault: "drop", times: 9 })
      yield* Effect.flip(run())
      yield* emulator.faults.clear
      const other = content.slice()
      other[7]! ^= 1
      const uploaded = yield* run({ ...Source.bytes(other), fingerprint: "first" })
      assert.strictEqual(uploaded.crc64, Crc64.of(other))
      assert.strictEqual(yield* stored, Crc64.of(other))
    })
  )

  it.scopedLive("fails with Locked while another run is at work", () =>
    Effect.gen(function* () {
      const { emulator, run } = yield* world
      yield* emulator.inject({ operation: "UploadPart", fault: "slow", delay: 400 })
      const first = yield* Effect.fork(run())
      yield* Effect.sleep(150)
      const error = yield* Effect.flip(run())
      assert.strictEqual(error._tag === "CheckpointError" && error.reason, "Locked", error.message)
      yield* Fiber.join(first)
    })
  )

  it.scopedLive("aborts an upload whose first checkpoint cannot be saved, for nobody would remember it", () =>
    Effect.gen(function* () {
      const { emulator, layer } = yield* world
      const full = new CheckpointError({ reason: "Write", detail: "no space left on device" })
      const store: CheckpointStore.Service = {
        acquire: () => Effect.succeed({ load: Effect.succeedNone, save: () => Effect.fail(full), remove: Effect.void })
      }
      const error = yield* Effect.flip(Upload.resumable("k", source, { partSize })).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, store),
        Effect.provide(layer)
      )
      assert.strictEqual(error.message, full.message)
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )

  it.scopedLive("fails when a later save fails, and the next run goes on from the one before", () =>
    Effect.gen(function* () {
      const { emulator, layer, operations, store } = yield* world
      let saves = 0
      const full = new CheckpointError({ reason: "Write", detail: "no space left on device" })
      const filling: CheckpointStore.Service = {
        acquire: (identity) =>
          Effect.map(store.acquire(identity), (handle) => ({
            ...handle,
            save: (checkpoint) => (++saves === 2 ? Effect.fail(full) : handle.save(checkpoint))
          }))
      }
      const run = Upload.resumable("k", source, { partSize, concurrency: 1 }).pipe(
        Effect.provideService(CheckpointStore.CheckpointStore, filling),
        Effect.provide(layer)
      )
      assert.strictEqual((yield* Effect.flip(run)).message, full.message)
      assert.strictEqual((yield* emulator.uploads()).length, 1)
      yield* operations
      yield* run
      const done = yield* operations
      assert.deepEqual([done[0], done.at(-1)], ["ListParts", "CompleteMultipartUpload"])
    })
  )

  it.scopedLive("is done with its checkpoint when the callback fails, and keeps the receipt", () =>
    Effect.gen(function* () {
      const { checkpoint, emulator, layer } = yield* world
      const contract = (url: string) =>
        Callback.make({ url, bucket: "media", body: { key: Callback.object }, response: Schema.Struct({}) })
      const { url } = yield* Emulated.server(
        emulator,
        CallbackReceiver.make(contract("http://x"), () => Effect.fail("the database is down"))
      )
      const callback = contract(url)()
      const error = yield* Effect.flip(Upload.resumable("k", source, { partSize, callback })).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(error._tag, "CallbackFailed", error.message)
      if (error._tag === "CallbackFailed") {
        assert.deepEqual([error.reason, error.stored.crc64], ["BadStatus", Crc64.of(content)])
      }
      assert.isTrue(Option.isNone(yield* checkpoint))
    })
  )

  it.scopedLive("is one PutObject for a source of one part", () =>
    Effect.gen(function* () {
      const { operations, run } = yield* world
      assert.strictEqual((yield* run(Source.text("small"))).method, "resumable")
      assert.deepEqual(yield* operations, ["PutObject"])
    })
  )
})
