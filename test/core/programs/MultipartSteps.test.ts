/**
 * A multipart upload whose steps are done by different processes, some of them twice.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as MultipartSteps from "../../../core/programs/MultipartSteps.ts"
import { client } from "../../support/Emulated.ts"
import * as SharedLayer from "../../support/SharedLayer.ts"

const Emulated = Layer.unwrapEffect(Effect.map(OssEmulator.OssEmulator, (emulator) => client(emulator))).pipe(
  Layer.provideMerge(OssEmulator.layer())
)

const content = Uint8Array.from({ length: 5 * 102_400 + 77 }, (_, i) => (i * 31) >> 3)
const source = Source.bytes(content)
const planned = PartPlan.make(content.length, { partSize: 102_400 })

const partsSent = Effect.gen(function* () {
  const { requests } = yield* OssEmulator.OssEmulator
  return (yield* requests).filter(({ operation }) => operation === "UploadPart").length
})

SharedLayer.tests("MultipartSteps", Emulated, (it) => {
  it.effect("a range that is sent again sends only what the server does not show", () =>
    Effect.gen(function* () {
      const plan = yield* planned
      const key = "again.bin"
      const uploadId = yield* MultipartSteps.initiate(key, {})
      const before = yield* partsSent
      yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 2 }, source)
      const first = yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 3 }, source)
      assert.strictEqual((yield* partsSent) - before, 3)
      const second = yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 4, to: 6 }, source)
      const uploaded = yield* MultipartSteps.complete({ key, uploadId }, [...first, ...second], {})
      assert.strictEqual(uploaded.crc64, Crc64.of(content))
      const stored = yield* Effect.flatMap(OssEmulator.OssEmulator, ({ object }) => object(key))
      assert.deepStrictEqual(Option.getOrThrow(stored), content)
    })
  )

  it.effect("a part whose bytes at the server are others is sent again", () =>
    Effect.gen(function* () {
      const plan = yield* planned
      const key = "other.bin"
      const uploadId = yield* MultipartSteps.initiate(key, {})
      const older = Source.bytes(content.slice().fill(7, 0, 10))
      yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 2 }, older)
      const before = yield* partsSent
      const parts = yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 6 }, source)
      assert.strictEqual((yield* partsSent) - before, 5)
      const uploaded = yield* MultipartSteps.complete({ key, uploadId }, parts, {})
      assert.strictEqual(uploaded.crc64, Crc64.of(content))
    })
  )

  it.effect("a Complete done again finds the object that the first has made", () =>
    Effect.gen(function* () {
      const plan = yield* planned
      const key = "twice.bin"
      const uploadId = yield* MultipartSteps.initiate(key, {})
      const parts = yield* MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 6 }, source)
      const first = yield* MultipartSteps.complete({ key, uploadId }, parts, {})
      const second = yield* MultipartSteps.complete({ key, uploadId }, parts, {})
      assert.strictEqual(second.etag, first.etag)
      assert.strictEqual(second.crc64, first.crc64)
    })
  )

  it.effect(
    "an upload whose ID was lost is found among those that were not there before, and no other is touched",
    () =>
      Effect.gen(function* () {
        const key = "lost.bin"
        const neighbour = yield* MultipartSteps.initiate(`${key}.2`, {})
        const earlier = yield* MultipartSteps.initiate(key, {})
        const before = yield* MultipartSteps.pendingOf(key)
        yield* MultipartSteps.initiate(key, {}) // its answer is forgotten
        const kept = yield* MultipartSteps.initiate(key, {})
        yield* MultipartSteps.abortOthers(key, [...before, kept])
        assert.sameMembers([...(yield* MultipartSteps.pendingOf(key))], [earlier, kept])
        assert.deepStrictEqual(yield* MultipartSteps.pendingOf(`${key}.2`), [neighbour])
      })
  )

  it.effect("a range of an upload that is gone fails with NoSuchUpload", () =>
    Effect.gen(function* () {
      const plan = yield* planned
      const key = "gone.bin"
      const uploadId = yield* MultipartSteps.initiate(key, {})
      yield* MultipartSteps.abortOthers(key, [])
      const exit = yield* Effect.exit(
        MultipartSteps.sendRange({ key, uploadId }, plan, { from: 1, to: 1 }, source).pipe(
          Effect.mapError((error) => ("code" in error ? error.code : error._tag))
        )
      )
      assert.deepStrictEqual(exit, Exit.fail("NoSuchUpload"))
    })
  )
})
