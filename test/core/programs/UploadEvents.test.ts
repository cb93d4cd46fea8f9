import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import type { CallbackFailed } from "../../../core/model/OssError.ts"
import type { Uploaded } from "../../../core/model/Uploaded.ts"
import * as Source from "../../../core/ports/Source.ts"
import type * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Emulated from "../../support/Emulated.ts"

const partSize = Bytes.KiB(100)
const source = Source.bytes(new Uint8Array(5 * partSize))

describe("Upload.events", () => {
  it.scopedLive("tells the progress, and at the end the receipt", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const stream: Stream.Stream<Upload.Event<Uploaded>, Upload.UploadError, OssClient.OssClient> = Upload.events(
        (onProgress) => Upload.multipart("k", source, { partSize, onProgress })
      )
      const seen = Chunk.toReadonlyArray(
        yield* Stream.runCollect(stream).pipe(Effect.provide(Emulated.client(emulator)))
      )
      const last = seen.at(-1)
      assert.strictEqual(last?._tag === "Done" && last.uploaded.size, source.size)
      const before = seen.at(-2)
      assert.deepEqual(before?._tag === "Progress" && before.progress, {
        sent: source.size,
        total: source.size,
        parts: 5,
        totalParts: 5
      })
    })
  )

  it.scopedLive("fails as the upload does", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "PutObject", fault: "error", status: 403, code: "AccessDenied" })
      const stream = Upload.events((onProgress) => Upload.simple("k", source, { onProgress }))
      const error = yield* Effect.flip(Stream.runDrain(stream)).pipe(Effect.provide(Emulated.client(emulator)))
      assert.strictEqual(error._tag === "ServiceError" && error.code, "AccessDenied")
      // @ts-expect-error without a callback, none can fail
      const _none: CallbackFailed = error
    })
  )

  it.scopedLive("interrupts the upload when it is left", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", partNumber: 4, fault: "stall" })
      const stream = Upload.events((onProgress) =>
        Upload.multipart("k", source, { partSize, concurrency: 1, onProgress })
      )
      yield* stream.pipe(
        Stream.takeUntil((event) => event._tag === "Progress" && event.progress.parts === 3),
        Stream.runDrain,
        Effect.provide(Emulated.client(emulator))
      )
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )

  it.scopedLive("can be left at once, with reports that nobody reads", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const stream = Upload.events((onProgress) => Upload.multipart("k", source, { partSize, onProgress }))
      for (let i = 0; i < 10; i++) {
        yield* stream.pipe(
          Stream.tap(() => Effect.sleep(20)),
          Stream.take(1),
          Stream.runDrain,
          Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => "it hangs" }),
          Effect.provide(Emulated.client(emulator))
        )
      }
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )
})
