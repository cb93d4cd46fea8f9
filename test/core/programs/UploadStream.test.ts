import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import type { Progress } from "../../../core/model/Progress.ts"
import type { UploadError } from "../../../core/programs/Upload.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import type * as OssClient from "../../../core/programs/OssClient.ts"
import * as Emulated from "../../support/Emulated.ts"

const partSize = Bytes.KiB(100)
const content = new Uint8Array(Bytes.KiB(450)).map((_, i) => Math.imul(i, 2654435761) >>> 24)

/** The content in pieces of so many bytes, some of them empty. */
const inPieces = (size: number, bytes = content): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) {
        yield bytes.slice(at, at + size)
        if (at % 3 === 0) yield new Uint8Array(0)
      }
    })()
  )

class TapeError extends Data.TaggedError("TapeError") {}
class Tape extends Context.Tag("test/Tape")<Tape, { readonly bytes: Uint8Array<ArrayBuffer> }>() {}

describe("Upload.multipart of a stream of unknown length", () => {
  for (const size of [1_000, partSize - 1, partSize, partSize + 1, 300_000, content.length]) {
    it.scopedLive(`stores the bytes, cut as they may be: pieces of ${size} bytes`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const uploaded = yield* Upload.multipart("k", inPieces(size), { partSize }).pipe(
          Effect.provide(Emulated.client(emulator))
        )
        assert.strictEqual(uploaded.crc64, Crc64.of(content))
        assert.strictEqual(uploaded.size, content.length)
        assert.isTrue(Buffer.from(Option.getOrThrow(yield* emulator.object("k"))).equals(content))
        const parts = (yield* emulator.requests).filter(({ operation }) => operation === "UploadPart")
        assert.strictEqual(parts.length, 5)
      })
    )
  }

  for (const size of [0, 1, partSize - 1, partSize]) {
    it.scopedLive(`is one PutObject when it ends within its first part: ${size} bytes`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const bytes = content.subarray(0, size)
        const uploaded = yield* Upload.multipart("k", inPieces(1_000, bytes), { partSize }).pipe(
          Effect.provide(Emulated.client(emulator))
        )
        assert.deepEqual([uploaded.method, uploaded.size], ["multipart", size])
        assert.deepEqual(
          (yield* emulator.requests).map(({ operation }) => operation),
          ["PutObject"]
        )
      })
    )
  }

  it.scopedLive("says how many bytes and parts it has sent, and of how many once it knows", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const seen: Array<Progress> = []
      const onProgress = (progress: Progress) => Effect.sync(() => void seen.push(progress))
      yield* Upload.multipart("k", inPieces(9_999), { partSize, onProgress }).pipe(
        Effect.provide(Emulated.client(emulator))
      )
      assert.deepEqual(seen.at(-1), { sent: content.length, total: content.length, parts: 5, totalParts: 5 })
      assert.strictEqual(seen[0]?.total, undefined)
    })
  )

  it.scopedLive("asks for no more than the parts in flight can hold", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject({ operation: "UploadPart", fault: "slow", delay: 300, times: 99 })
      let asked = 0
      let acknowledged = 0
      let most = 0
      const counted = inPieces(10_240).pipe(
        Stream.tap((piece) =>
          Effect.sync(() => {
            asked += piece.length
            most = Math.max(most, asked - acknowledged)
          })
        )
      )
      const onProgress = ({ parts }: Progress) => Effect.sync(() => void (acknowledged = parts * partSize))
      yield* Upload.multipart("k", counted, { partSize, concurrency: 2, onProgress }).pipe(
        Effect.provide(Emulated.client(emulator))
      )
      assert.isAtMost(most, 3 * partSize + 4096 * 10) // two in flight, the news of one on its way, a stream's chunk
    })
  )

  it.scopedLive("keeps the stream's own errors and requirements, and leaves nothing behind when it fails", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const tape = Stream.unwrap(Effect.map(Tape, ({ bytes }) => inPieces(1_000, bytes))).pipe(
        Stream.concat(Stream.fail(new TapeError()))
      )
      const upload: Effect.Effect<unknown, UploadError | TapeError, OssClient.OssClient | Tape> = Upload.multipart(
        "k",
        tape,
        { partSize }
      )
      // @ts-expect-error TapeError is among the errors
      const _unsaid: Effect.Effect<unknown, UploadError, OssClient.OssClient | Tape> = upload
      const error = yield* Effect.flip(upload).pipe(
        Effect.provide(Emulated.client(emulator)),
        Effect.provideService(Tape, { bytes: content })
      )
      assert.strictEqual(error._tag, "TapeError")
      assert.deepEqual(yield* emulator.uploads(), [])
      assert.isTrue(Option.isNone(yield* emulator.object("k")))
    })
  )

  it.scopedLive("sends a part again out of memory, for the stream gives its bytes but once", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* emulator.inject(
        { operation: "UploadPart", partNumber: 2, fault: "drop" },
        { operation: "UploadPart", partNumber: 4, fault: "wrongCrc" }
      )
      yield* Upload.multipart("k", inPieces(5_000), { partSize }).pipe(Effect.provide(Emulated.client(emulator)))
      assert.isTrue(Buffer.from(Option.getOrThrow(yield* emulator.object("k"))).equals(content))
    })
  )
})
