/** The snippets of the guides, run against an emulator. Those of browser, receiver and tests are run beside them. */
import { assert, describe, it } from "@effect/vitest"
import { CallbackReceiver, Outbox, Source, Transport, Upload } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import { FsCheckpointStore } from "effect-oss/fs"
import { NodeCrypto, NodeTransport } from "effect-oss/node"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Emulated from "../../support/Emulated.ts"
import { VideoUploaded } from "../readme/contract.ts"
import { compare, publish, redeliver } from "./redeliver.ts"
import { backUp } from "./resume.ts"
import { sweep } from "./sweep.ts"
import worker from "./worker.ts"

const MiB = 1024 ** 2

describe("the guide to resuming", () => {
  it.scopedLive("goes on where an interrupted run ended, and sweeps what nobody goes on with", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oss-guide-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const path = join(folder, "today.tar")
      writeFileSync(path, new Uint8Array(40 * MiB).fill(1))
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const layer = Layer.merge(
        Layer.fresh(Emulated.client(emulator)),
        FsCheckpointStore.layer({ directory: join(folder, "checkpoints") })
      )

      yield* emulator.inject({ fault: "stall", operation: "UploadPart", partNumber: 5 })
      const first = yield* Deferred.make<void>()
      const run = yield* Effect.fork(
        backUp(path, ({ parts }) => (parts >= 3 ? Deferred.succeed(first, undefined) : Effect.void)).pipe(
          Effect.provide(layer)
        )
      )
      yield* Deferred.await(first)
      yield* Fiber.interrupt(run)
      yield* emulator.faults.clear

      assert.strictEqual((yield* emulator.uploads()).length, 1)
      const before = yield* emulator.requests
      yield* backUp(path, () => Effect.void).pipe(Effect.provide(layer))
      const again = (yield* emulator.requests)
        .slice(before.length)
        .filter(({ operation }) => operation === "UploadPart")
      assert.isBelow(again.length, 5)
      assert.isAbove(again.length, 0)
      assert.strictEqual(Option.getOrThrow(yield* emulator.object("backups/today.tar")).length, 40 * MiB)
      assert.deepEqual(yield* sweep.pipe(Effect.provide(layer)), [])
    })
  )
})

describe("the guide to the outbox", () => {
  it.scopedLive("redelivers what was kept, and what the bucket holds and nobody knows", () =>
    Effect.gen(function* () {
      const secret = Redacted.make("a secret drawn at random")
      const known: Array<string> = []
      const receiver = CallbackReceiver.make(
        VideoUploaded,
        ({ etag, object, userId }) => Effect.sync(() => ({ videoId: `${userId} ${known.push(`${object} ${etag}`)}` })),
        { redelivery: { secrets: [secret] } }
      )
      // The application is down for OSS, and up for redeliveries: they go to it without a socket.
      const url = "https://api.example.com/oss/video-uploaded"
      const down = { status: 503, headers: {}, body: new Uint8Array(0) }
      const receivers = { [url]: { maxBodyBytes: 65_536, handle: () => Effect.succeed(down) } }
      const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
      yield* emulator.clock.shift(-120_000) // what is stored now is 2 minutes old, and settled
      const toApplication = Layer.map(NodeTransport.layer(), (context) =>
        Context.make(Transport.Transport, {
          send: (request) => {
            if (request.url !== url || request.body._tag !== "Bytes")
              return Context.get(context, Transport.Transport).send(request)
            const { headers, method, body } = request
            return receiver
              .handle({ method, path: "/oss/video-uploaded", query: undefined, headers, body: body.bytes })
              .pipe(Effect.provide(NodeCrypto.layer))
          }
        })
      )
      const layer = Layer.mergeAll(Emulated.client(emulator), Outbox.layerMemory)
      yield* Effect.gen(function* () {
        const kept = yield* Effect.flip(publish("videos/a.mp4", Source.text("a"), "u_1"))
        assert.strictEqual(kept._tag, "CallbackFailed")
        const metadata = { user: "u_2" }
        yield* Upload.simple("videos/b.mp4", Source.text("b"), { metadata }) // as if its uploader had been killed
        const told = yield* Effect.provide(redeliver(secret), toApplication)
        assert.deepStrictEqual([told.delivered.length, told.kept.length], [1, 0])
        const isKnown = (key: string, etag: string) => Effect.succeed(known.includes(`${key} ${etag}`))
        const found = yield* Effect.provide(compare(secret, isKnown), toApplication)
        assert.deepStrictEqual(
          found.delivered.map(({ stored }) => stored.key as string),
          ["videos/b.mp4"]
        )
        assert.deepStrictEqual(yield* Effect.provide(compare(secret, isKnown), toApplication), {
          delivered: [],
          kept: []
        })
      }).pipe(Effect.provide(layer))
    })
  )
})

describe("the guide to Workers", () => {
  it.scopedLive("stores a body of unknown length, and refuses a callback that OSS did not sign", () =>
    Effect.gen(function* () {
      const { bucket, credentials, endpoint, object, region } = yield* OssEmulator.make({ bucket: "media" })
      const env = {
        OSS_BUCKET: bucket,
        OSS_REGION: region,
        OSS_ENDPOINT: endpoint,
        OSS_ACCESS_KEY_ID: credentials.accessKeyId,
        OSS_ACCESS_KEY_SECRET: Redacted.value(credentials.accessKeySecret)
      }
      const post = (path: string, body: Uint8Array<ArrayBuffer>) =>
        Effect.promise(() =>
          worker.fetch(new Request(`https://worker.example.com${path}`, { method: "POST", body }), env)
        )
      const stored = yield* post("/upload", new Uint8Array(10 * MiB).fill(3))
      assert.strictEqual(stored.status, 200)
      const { key, size } = (yield* Effect.promise(() => stored.json())) as { key: string; size: number } // as `store` says
      assert.strictEqual(size, 10 * MiB)
      assert.strictEqual(Option.getOrThrow(yield* object(key)).length, size)
      assert.strictEqual((yield* post("/oss/video-uploaded", new TextEncoder().encode("object=a"))).status, 403)
    })
  )
})
