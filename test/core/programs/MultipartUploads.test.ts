/** Pending uploads, listed and swept, against the emulator. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as MultipartUploads from "../../../core/programs/MultipartUploads.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"

const run = <A, E>(effect: Effect.Effect<A, E, OssClient.OssClient | OssEmulator.OssEmulator>) =>
  effect.pipe(
    Effect.provide(
      Layer.unwrapEffect(
        Effect.map(OssEmulator.OssEmulator, ({ bucket, credentials, endpoint, region }) =>
          OssClient.layer({ bucket, endpoint, region, addressing: "path" }).pipe(
            Layer.provide(Layer.merge(NodeCrypto.layer, CredentialsProvider.layer(credentials)))
          )
        )
      )
    ),
    Effect.provide(OssEmulator.layerInProcess())
  )

const initiate = (name: string) =>
  Effect.flatMap(OssClient.OssClient, (client) =>
    client.execute(MultipartOperation.initiateMultipartUpload(Either.getOrThrow(ObjectKey.make(name)), {}))
  )

const keys = (uploads: Iterable<MultipartUploads.PendingUpload>) => Array.from(uploads, ({ key }) => key)

const pending = Effect.map(Stream.runCollect(MultipartUploads.list()), keys)

describe("MultipartUploads.list", () => {
  it.effect("tells every page, in order, and only what begins with the prefix", () =>
    run(
      Effect.gen(function* () {
        const names = Array.from({ length: 1003 }, (_, i) => `a +&%/${String(i).padStart(4, "0")}`)
        yield* Effect.forEach([...names, "b"], initiate, { concurrency: 8 })
        const listed = yield* Stream.runCollect(MultipartUploads.list({ prefix: "a +&" }))
        assert.deepEqual(keys(listed), names)
        const requests = yield* (yield* OssEmulator.OssEmulator).requests
        assert.strictEqual(requests.filter(({ operation }) => operation === "ListMultipartUploads").length, 2)
        assert.strictEqual((yield* pending).length, 1004)
      })
    )
  )

  it.effect("asks for no more pages than are taken", () =>
    run(
      Effect.gen(function* () {
        const id = yield* initiate("a")
        const first = yield* Stream.runCollect(Stream.take(MultipartUploads.list(), 1))
        assert.deepEqual(Chunk.toReadonlyArray(first), [{ key: "a", uploadId: id, initiated: 0 }])
        assert.deepEqual(keys(yield* Stream.runCollect(MultipartUploads.list({ prefix: "b" }))), [])
      })
    )
  )
})

describe("MultipartUploads.abortOlderThan", () => {
  it.effect("aborts what is old enough and has the prefix, and answers just that", () =>
    run(
      Effect.gen(function* () {
        yield* Effect.forEach(["videos/old", "pictures/old"], initiate)
        yield* TestClock.adjust("1 hour")
        yield* initiate("videos/young")
        yield* TestClock.adjust("23 hours")
        assert.deepEqual(keys(yield* MultipartUploads.abortOlderThan("1 day", { prefix: "videos/" })), ["videos/old"])
        assert.deepEqual(yield* pending, ["pictures/old", "videos/young"])
      })
    )
  )

  it.effect("aborts over more than one page, and leaves nothing", () =>
    run(
      Effect.gen(function* () {
        yield* Effect.forEach(
          Array.from({ length: 1001 }, (_, i) => `k${i}`),
          initiate,
          { concurrency: 8 }
        )
        assert.strictEqual((yield* MultipartUploads.abortOlderThan("0 seconds", { concurrency: 8 })).length, 1001)
        assert.deepEqual(yield* pending, [])
      })
    )
  )

  it.effect("tells age by OSS's clock, not by ours", () =>
    run(
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.OssEmulator
        yield* emulator.clock.set(Date.parse("2026-01-02T00:00:00Z"))
        yield* initiate("a") // teaches the client the time
        yield* emulator.clock.set(Date.parse("2026-01-02T00:10:00Z"))
        assert.deepEqual(keys(yield* MultipartUploads.abortOlderThan("11 minutes")), [])
        yield* TestClock.adjust("10 minutes")
        assert.deepEqual(keys(yield* MultipartUploads.abortOlderThan("10 minutes")), ["a"])
      })
    )
  )

  it.effect("passes over an upload that is gone meanwhile", () =>
    run(
      Effect.gen(function* () {
        yield* Effect.forEach(["a", "b"], initiate)
        yield* (yield* OssEmulator.OssEmulator).inject({
          fault: "error",
          status: 404,
          code: "NoSuchUpload",
          operation: "AbortMultipartUpload",
          key: "a"
        })
        assert.deepEqual(keys(yield* MultipartUploads.abortOlderThan("0 seconds")), ["b"])
      })
    )
  )

  it.effect("refuses a concurrency below one", () =>
    run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(MultipartUploads.abortOlderThan("1 day", { concurrency: 0 }))
        assert.strictEqual(error.message, "concurrency: must be a whole number from 1, got 0")
      })
    )
  )
})
