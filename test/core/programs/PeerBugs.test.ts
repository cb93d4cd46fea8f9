/**
 * Faults that were found in other clients, each by name. All with files on a disk and an emulator on a socket.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as FsCheckpointStore from "../../../adapters/fs/FsCheckpointStore.ts"
import * as FileSource from "../../../adapters/node/FileSource.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as Emulated from "../../support/Emulated.ts"

const partSize = Bytes.KiB(100)
const bytes = (size: number, seed = 1) => new Uint8Array(size).map((_, i) => Math.imul(i + seed, 2654435761) >>> 24)

/** An emulator, a folder for files, and a client that keeps its checkpoints in that folder. */
const world = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-test-"))),
    (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
  )
  const file = Path.join(folder, "video.mp4")
  const write = (content: Uint8Array) => Effect.promise(() => Fs.writeFile(file, content))
  const client = Layer.merge(
    Emulated.client(emulator, { retry: Schedule.intersect(Schedule.recurs(2), Schedule.spaced(1)) }),
    FsCheckpointStore.layer({ directory: Path.join(folder, "checkpoints") })
  )
  const stored = Effect.map(emulator.object("k"), (object) => Option.getOrThrow(object))
  return { emulator, file, write, client, stored }
})

describe("what went wrong elsewhere goes right here", () => {
  it.scopedLive("a file that changed between two runs does not become an object of old and new parts", () =>
    Effect.gen(function* () {
      const { client, emulator, file, stored, write } = yield* world
      const [before, after] = [bytes(4 * partSize), bytes(4 * partSize, 99)]
      yield* write(before)
      yield* emulator.inject({ operation: "UploadPart", partNumber: 3, fault: "error", status: 403, times: 9 })
      const upload = (ifChanged?: "restart") =>
        Effect.flatMap(FileSource.make(file), (source) =>
          Upload.resumable("k", source, { partSize, concurrency: 1, ifChanged })
        ).pipe(Effect.provide(client))
      yield* Effect.flip(upload())
      yield* emulator.faults.clear
      yield* write(after)
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error._tag === "SourceError" && error.reason, "Changed", error.message)
      assert.isTrue(Option.isNone(yield* emulator.object("k")))
      yield* upload("restart")
      assert.isTrue(Buffer.from(yield* stored).equals(after))
      assert.deepEqual(yield* emulator.uploads(), [])
    })
  )

  it.scopedLive("a run that finds every part there completes, and its CRC is the object's", () =>
    Effect.gen(function* () {
      const { client, emulator, file, write } = yield* world
      const content = bytes(4 * partSize) // a multiple of the part size
      yield* write(content)
      const upload = Effect.flatMap(FileSource.make(file), (source) =>
        Upload.resumable("k", source, { partSize })
      ).pipe(Effect.provide(client))
      yield* emulator.inject({ operation: "CompleteMultipartUpload", fault: "error", status: 403, times: 9 })
      yield* Effect.flip(upload)
      yield* emulator.faults.clear
      assert.strictEqual((yield* upload).crc64, Crc64.of(content))
      const parts = (yield* emulator.requests).filter(({ operation }) => operation === "UploadPart")
      assert.strictEqual(parts.length, 4)
    })
  )

  it.scopedLive("a callback is not lost when a file is large enough for parts", () =>
    Effect.gen(function* () {
      const { client, emulator, file, write } = yield* world
      const contract = (url: string) =>
        Callback.make({
          url,
          bucket: "media",
          body: { size: Callback.size },
          response: Schema.Struct({ seen: Schema.Number })
        })
      const receiver = CallbackReceiver.make(contract("http://x"), ({ size }) => Effect.succeed({ seen: size }))
      const callback = contract((yield* Emulated.server(emulator, receiver)).url)()
      for (const size of [Bytes.KiB(1), Bytes.MiB(12)]) {
        yield* write(bytes(size))
        const source = yield* FileSource.make(file)
        for (const upload of [Upload.multipart, Upload.resumable]) {
          const uploaded = yield* upload("k", source, { callback, partSize: Bytes.MiB(1) }).pipe(Effect.provide(client))
          assert.deepEqual(uploaded.callback, { seen: size })
        }
      }
      assert.strictEqual((yield* emulator.callbacks).length, 4)
    })
  )

  it.scopedLive("every part has its own budget of retries: four resets are not too many for four parts", () =>
    Effect.gen(function* () {
      const { client, emulator, file, stored, write } = yield* world
      const content = bytes(4 * partSize)
      yield* write(content)
      for (const partNumber of [1, 2, 3, 4]) {
        yield* emulator.inject({ operation: "UploadPart", partNumber, fault: "drop", times: 2 })
      }
      const source = yield* FileSource.make(file)
      yield* Upload.multipart("k", source, { partSize }).pipe(Effect.provide(client))
      assert.isTrue(Buffer.from(yield* stored).equals(content))
      const parts = (yield* emulator.requests).filter(({ operation }) => operation === "UploadPart")
      assert.strictEqual(parts.length, 12)
    })
  )

  it.scopedLive("uploads at once, as a token ends, all go by the new one, for which one fetch was enough", () =>
    Effect.gen(function* () {
      const issued = (name: string): Credentials => ({
        accessKeyId: `STS.${name}`,
        accessKeySecret: Redacted.make(`secret-of-${name}`),
        securityToken: Redacted.make(`token-of-${name}`)
      })
      // The emulator knows only the new one: whoever uses the old one is refused.
      const emulator = yield* OssEmulator.make({ bucket: "media", credentials: issued("new") })
      let fetches = 0
      const provider = yield* CredentialsProvider.refreshing(
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const [name, lifetime] = ++fetches === 1 ? ["old", 400] : ["new", 3_600_000]
          return Effect.succeed({ ...issued(String(name)), expiresAt: now + Number(lifetime) }).pipe(Effect.delay(50))
        })
      )
      yield* provider.get
      yield* Effect.sleep(400)
      yield* Effect.all(
        [1, 2, 3, 4, 5].map((i) => Upload.simple(`k-${i}`, Source.text("x"))),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(Emulated.client(emulator, { credentials: provider })))
      assert.strictEqual(fetches, 2)
      assert.deepEqual(
        (yield* emulator.requests).map(({ status }) => status),
        [200, 200, 200, 200, 200]
      )
    })
  )
})
