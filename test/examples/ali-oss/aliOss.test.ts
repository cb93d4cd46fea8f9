/**
 * The five jobs of the guide to moving from ali-oss, both ways, against an emulator each: the same objects must be there
 * afterwards. Below, what the guide says the two do differently.
 *
 * ali-oss is a dependency of the benchmarks alone. Where it is not installed, its half is skipped, and says so.
 */
import { assert, describe, it } from "@effect/vitest"
import { CallbackReceiver, Source, Upload } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import { FsCheckpointStore } from "effect-oss/fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Emulated from "../../support/Emulated.ts"
import { VideoUploaded } from "../readme/contract.ts"
import { onVideoUploaded } from "../readme/receive.ts"
import * as Ours from "./ours.ts"
import * as Theirs from "./theirs.ts"

const require = createRequire(new URL("../../../benchmarks/package.json", import.meta.url))

const findAliOss = (): (new (options: object) => Theirs.AliOss) | undefined => {
  try {
    return require("ali-oss")
  } catch {
    console.warn("SKIPPED: ali-oss is not installed (npm install --prefix benchmarks)")
    return undefined
  }
}
const AliOss = findAliOss()

const MiB = 1024 ** 2

/** An emulator, a film of 5 MiB, and a client of each kind. */
const world = (receiver: CallbackReceiver.Receiver<never> = onVideoUploaded) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oss-ali-oss-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const path = join(folder, "holiday.mp4")
    writeFileSync(path, new Uint8Array(5 * MiB).fill(1))
    const receivers = { "https://api.example.com/oss/video-uploaded": receiver }
    const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
    const layer = Layer.merge(
      Layer.fresh(Emulated.client(emulator)),
      FsCheckpointStore.layer({ directory: join(folder, "checkpoints") })
    )
    return { emulator, layer, path }
  })

const aliOss = ({ bucket, credentials, region, ...emulator }: OssEmulator.Service, endpoint = emulator.endpoint) =>
  new AliOss!({
    accessKeyId: credentials.accessKeyId,
    accessKeySecret: Redacted.value(credentials.accessKeySecret),
    region: `oss-${region}`,
    endpoint,
    bucket,
    authorizationV4: true
  })

/** What must be there, however it came there. */
const expected = [
  ["form.txt", 5],
  ["multipart.mp4", 5 * MiB],
  ["presigned.txt", 5],
  ["put.txt", 5],
  ["resumed.mp4", 5 * MiB]
]

const stored = (emulator: OssEmulator.Service) =>
  Effect.map(emulator.objects(), (objects) =>
    objects.map(({ key, size }) => [key, size]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  )

/** How many parts of the resumed upload were asked for until now. */
const askedParts = (emulator: OssEmulator.Service) =>
  Effect.map(
    emulator.requests,
    (all) => all.filter(({ key, operation }) => key === "resumed.mp4" && operation === "UploadPart").length
  )

/** Ends the first run of the third job at its last part, for good. */
const refused = {
  fault: "error",
  operation: "UploadPart",
  key: "resumed.mp4",
  partNumber: 5,
  status: 403,
  code: "AccessDenied"
} as const

/** Runs the third job of ali-oss as far as it goes, and answers the checkpoint that the application has kept. */
const cutOff = (client: Theirs.AliOss, path: string) =>
  Effect.promise(async () => {
    let saved: object | undefined
    const save = async (checkpoint: object) => {
      saved = structuredClone(checkpoint)
    }
    await Theirs.resume(client, path, save).then(
      () => assert.fail("the fault did not strike"),
      () => {}
    )
    return saved
  })

/** PUTs "hello" as whoever was given the URL would, and answers the status. `*.localhost` is the loopback. */
const putByUrl = ({ host, pathname, port, search }: URL) =>
  Effect.async<number | undefined>((resume) => {
    const headers = { host, "content-type": "text/plain", "content-length": 5 }
    const options = { host: "127.0.0.1", port, path: pathname + search, method: "PUT", headers }
    request(options, ({ statusCode }) => resume(Effect.succeed(statusCode))).end("hello")
  })

const nowhere = () => Promise.resolve()

describe("five jobs", () => {
  it.scopedLive("are done by effect-oss", () =>
    Effect.gen(function* () {
      const { emulator, layer, path } = yield* world()
      yield* Effect.gen(function* () {
        yield* Ours.put
        assert.strictEqual(yield* Ours.multipart(path), "video-of-u_42")

        yield* emulator.inject(refused)
        assert.strictEqual((yield* Effect.flip(Ours.resume(path)))._tag, "ServiceError")
        const before = yield* askedParts(emulator)
        yield* Ours.resume(path)
        assert.strictEqual((yield* askedParts(emulator)) - before, 1)

        yield* Upload.presigned(yield* Ours.presign, Source.text("hello"))
        yield* Upload.form(yield* Ours.form, "form.txt", Source.text("hello"))
      }).pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None))
      assert.deepEqual(yield* stored(emulator), expected)
    })
  )

  it.skipIf(AliOss === undefined)("are done by ali-oss, with the same objects", () =>
    Effect.gen(function* () {
      const { emulator, path } = yield* world()
      const client = aliOss(emulator)
      yield* Effect.promise(() => Theirs.put(client))
      assert.strictEqual(yield* Effect.promise(() => Theirs.multipart(client, path)), "video-of-u_42")

      yield* emulator.inject(refused)
      const saved = yield* cutOff(client, path)
      const before = yield* askedParts(emulator)
      yield* Effect.promise(() => Theirs.resume(client, path, nowhere, saved))
      assert.strictEqual((yield* askedParts(emulator)) - before, 1)

      const { bucket, credentials, endpoint, region } = emulator
      // It signs URLs for a bucket in the host, so not for an IP address.
      const named = aliOss(emulator, endpoint.replace("127.0.0.1", "localhost"))
      const url = yield* Effect.promise(() => Theirs.presign(named))
      assert.strictEqual(yield* putByUrl(new URL(url)), 200)

      const body = new FormData()
      const fields = Theirs.form(client, credentials.accessKeyId, region, bucket)
      for (const [name, value] of Object.entries(fields)) body.append(name, value)
      body.append("file", new Blob(["hello"]))
      const post = yield* Effect.promise(() => fetch(`${endpoint}/${bucket}/`, { method: "POST", body }))
      assert.strictEqual(post.status, 204)
      assert.deepEqual(yield* stored(emulator), expected)
    }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None), Effect.runPromise)
  )
})

/** Which bytes occur in what is stored. */
const bytesOf = (emulator: OssEmulator.Service, key: string) =>
  Effect.map(emulator.object(key), (bytes) => [...new Set(Option.getOrThrow(bytes))])

describe("a file that changed between two runs", () => {
  it.scopedLive("is told by effect-oss, and nothing is stored", () =>
    Effect.gen(function* () {
      const { emulator, layer, path } = yield* world()
      yield* emulator.inject(refused)
      yield* Effect.flip(Ours.resume(path)).pipe(Effect.provide(layer))
      writeFileSync(path, new Uint8Array(5 * MiB).fill(2))
      const error = yield* Effect.flip(Ours.resume(path)).pipe(Effect.provide(layer))
      assert.deepInclude(error, { _tag: "SourceError", reason: "Changed" })
      assert.deepEqual(yield* stored(emulator), [])
    })
  )

  it.skipIf(AliOss === undefined)("becomes one object of both files by ali-oss", () =>
    Effect.gen(function* () {
      const { emulator, path } = yield* world()
      const client = aliOss(emulator)
      yield* emulator.inject(refused)
      const saved = yield* cutOff(client, path)
      writeFileSync(path, new Uint8Array(5 * MiB).fill(2))
      yield* Effect.promise(() => Theirs.resume(client, path, nowhere, saved))
      assert.deepEqual(yield* bytesOf(emulator, "resumed.mp4"), [1, 2])
    }).pipe(Effect.scoped, Effect.runPromise)
  )
})

describe("a callback that the application does not take", () => {
  const broken = CallbackReceiver.make(VideoUploaded, () => Effect.die("out of order"))

  it.scopedLive("leaves the receipt in the error of effect-oss", () =>
    Effect.gen(function* () {
      const { layer, path } = yield* world(broken)
      const error = yield* Effect.flip(Ours.multipart(path)).pipe(Effect.provide(layer))
      assert.strictEqual(error._tag, "CallbackFailed")
      if (error._tag === "CallbackFailed") assert.strictEqual(error.stored.size, 5 * MiB)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.skipIf(AliOss === undefined)("is an error like any other by ali-oss, though the object is stored", () =>
    Effect.gen(function* () {
      const { emulator, path } = yield* world(broken)
      const error = yield* Effect.flip(Effect.tryPromise(() => Theirs.multipart(aliOss(emulator), path)))
      assert.deepInclude(error.error, { code: "CallbackFailed", status: 203 })
      assert.deepEqual(yield* stored(emulator), [["multipart.mp4", 5 * MiB]])
    }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None), Effect.runPromise)
  )
})

describe("a CRC-64 that is not that of the bytes", () => {
  it.scopedLive("fails with effect-oss", () =>
    Effect.gen(function* () {
      const { emulator, layer } = yield* world()
      yield* emulator.inject({ fault: "wrongCrc", operation: "PutObject" })
      assert.strictEqual((yield* Effect.flip(Ours.put).pipe(Effect.provide(layer)))._tag, "Crc64Mismatch")
    })
  )

  it.skipIf(AliOss === undefined)("is not looked at by ali-oss", () =>
    Effect.gen(function* () {
      const { emulator } = yield* world()
      yield* emulator.inject({ fault: "wrongCrc", operation: "PutObject" })
      yield* Effect.promise(() => Theirs.put(aliOss(emulator)))
    }).pipe(Effect.scoped, Effect.runPromise)
  )
})
