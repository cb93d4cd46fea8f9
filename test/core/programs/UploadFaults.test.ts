import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import { SourceError } from "../../../core/model/OssError.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as Emulated from "../../support/Emulated.ts"

const content = new Uint8Array(Bytes.KiB(450)).map((_, i) => Math.imul(i, 2654435761) >>> 24)
const source = Source.bytes(content)
const partSize = Bytes.KiB(100)

/** A client that tries again at once. */
const impatient = (emulator: OssEmulator.Service) =>
  Emulated.client(emulator, { retry: Schedule.intersect(Schedule.recurs(4), Schedule.spaced(1)) })

const operations = (emulator: OssEmulator.Service) =>
  Effect.map(emulator.requests, (requests) => requests.map(({ operation }) => operation))

/** The object is what was sent, and nothing is left pending. */
const expectWhole = (emulator: OssEmulator.Service) =>
  Effect.gen(function* () {
    const stored = Option.getOrThrow(yield* emulator.object("k"))
    assert.isTrue(Buffer.from(stored).equals(content))
    assert.deepEqual(yield* emulator.uploads(), [])
    assert.deepEqual(yield* emulator.faults.pending, [])
  })

const shaky: ReadonlyArray<readonly [string, OssEmulator.FaultName]> = [
  ["the connection drops", "drop"],
  ["the answer is lost", "loseAnswer"],
  ["OSS answers 500 before it acts", "error"],
  ["OSS answers 500 after it acted", "errorAfter"],
  ["the answer is cut short", "truncate"],
  ["our clock is off", "skew"]
]

describe("Upload under a fault ends well", () => {
  for (const [what, fault] of shaky) {
    it.scopedLive(`when ${what}: simple`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        yield* emulator.inject({ operation: "PutObject", fault })
        yield* Upload.simple("k", source).pipe(Effect.provide(impatient(emulator)))
        yield* expectWhole(emulator)
      })
    )

    for (const operation of ["UploadPart", "CompleteMultipartUpload"] as const) {
      it.scopedLive(`when ${what} at ${operation}: multipart`, () =>
        Effect.gen(function* () {
          const emulator = yield* OssEmulator.make({ bucket: "media" })
          yield* emulator.inject({ operation, ...(operation === "UploadPart" ? { partNumber: 3 } : {}), fault })
          const uploaded = yield* Upload.multipart("k", source, { partSize }).pipe(Effect.provide(impatient(emulator)))
          assert.strictEqual(uploaded.crc64, Crc64.of(content))
          yield* expectWhole(emulator)
        })
      )
    }
  }

  it.scopedLive("when a part arrives wrong: it is sent again", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 2, fault: "wrongCrc" })
      yield* Upload.multipart("k", source, { partSize }).pipe(Effect.provide(impatient(emulator)))
      yield* expectWhole(emulator)
      const parts = (yield* operations(emulator)).filter((operation) => operation === "UploadPart")
      assert.strictEqual(parts.length, 6)
    })
  )
})

describe("Upload under a fault ends badly, in one defined way", () => {
  it.scopedLive("a wrong object is Crc64Mismatch, with both numbers", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      for (const [operation, upload] of [
        ["PutObject", Upload.simple("k", source)],
        ["CompleteMultipartUpload", Upload.multipart("k", source, { partSize })]
      ] as const) {
        yield* emulator.inject({ operation, fault: "wrongCrc" })
        const error = yield* Effect.flip(upload).pipe(Effect.provide(impatient(emulator)))
        assert.strictEqual(error._tag, "Crc64Mismatch", error.message)
        if (error._tag === "Crc64Mismatch") assert.strictEqual(error.client, Crc64.of(content))
      }
    })
  )

  it.scopedLive("a part that never arrives right fails the upload, which is aborted", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 2, fault: "wrongCrc", times: 9 })
      const error = yield* Effect.flip(Upload.multipart("k", source, { partSize })).pipe(
        Effect.provide(impatient(emulator))
      )
      assert.strictEqual(error.message.split(":")[0], "part 2")
      assert.deepEqual(yield* emulator.uploads(), [])
      assert.isTrue(Option.isNone(yield* emulator.object("k")))
    })
  )

  it.scopedLive("interrupted, it leaves no pending upload behind", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 4, fault: "stall" })
      const upload = yield* Effect.fork(
        Upload.multipart("k", source, { partSize }).pipe(Effect.provide(impatient(emulator)))
      )
      yield* Effect.repeat(emulator.faults.pending, {
        until: (pending) => pending.length === 0,
        schedule: Schedule.spaced(5)
      })
      assert.strictEqual((yield* emulator.uploads()).length, 1)
      yield* Fiber.interrupt(upload)
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )

  it.scopedLive("a Complete that never came leaves no upload behind, though an older object has the same bytes", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const upload = Upload.multipart("k", source, { partSize }).pipe(Effect.provide(impatient(emulator)))
      yield* upload
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "drop" })
      yield* upload
      yield* expectWhole(emulator)
    })
  )

  it.scopedLive("a source that changes meanwhile stores nothing", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const changed = new SourceError({ reason: "Changed", source: "f", detail: "changed" })
      const changing: Source.Source = {
        ...source,
        open: Effect.map(source.open, (reader) => ({ ...reader, unchanged: Effect.fail(changed) }))
      }
      const small: Source.Source = { ...changing, size: 1000 }
      for (const upload of [Upload.simple("k", small), Upload.multipart("k", changing, { partSize })]) {
        const error = yield* Effect.flip(upload).pipe(Effect.provide(impatient(emulator)))
        assert.strictEqual(error._tag === "SourceError" && error.reason, "Changed", error.message)
      }
      assert.deepEqual(yield* emulator.uploads(), [])
      assert.isTrue(Option.isNone(yield* emulator.object("k")))
    })
  )

  it.scopedLive("a key that appears in between is not overwritten by Complete where that is forbidden", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 5, fault: "slow", delay: 500 })
      const client = impatient(emulator)
      const upload = yield* Effect.fork(
        Effect.flip(Upload.multipart("k", source, { partSize, forbidOverwrite: true })).pipe(Effect.provide(client))
      )
      yield* Effect.sleep(200)
      yield* Upload.simple("k", Source.text("first")).pipe(Effect.provide(client))
      const error = yield* Fiber.join(upload)
      assert.strictEqual(error._tag === "ServiceError" && error.code, "FileAlreadyExists", error.message)
      assert.strictEqual(new TextDecoder().decode(Option.getOrThrow(yield* emulator.object("k"))), "first")
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )
})

it.scopedLive(
  "an answer to Complete that is lost with its callback is CallbackFailed: AnswerLost, and the object is there",
  () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const contract = (url: string) =>
        Callback.make({
          url,
          bucket: "media",
          body: { object: Callback.object },
          response: Schema.Struct({ ok: Schema.Boolean })
        })
      let calls = 0
      const receiver = CallbackReceiver.make(contract("http://x"), () => Effect.sync(() => ({ ok: ++calls > 0 })))
      const { url } = yield* Emulated.server(emulator, receiver)
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "loseAnswer" })
      const callback = contract(url)()
      const error = yield* Effect.flip(Upload.multipart("k", source, { partSize, callback })).pipe(
        Effect.provide(impatient(emulator))
      )
      assert.strictEqual(error._tag === "CallbackFailed" && error.reason, "AnswerLost", error.message)
      assert.strictEqual(calls, 1)
      yield* expectWhole(emulator)
    })
)
