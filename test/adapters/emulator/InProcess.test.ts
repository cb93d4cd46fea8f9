/**
 * What is special about the emulator without a socket: time is the test's, and the source's failures stay its own.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import { SourceError, TransportError } from "../../../core/model/OssError.ts"
import type { Body } from "../../../core/ports/Transport.ts"
import * as Client from "./Client.ts"

const emulator = <A, E>(test: Effect.Effect<A, E, OssEmulator.OssEmulator | Client.Needs>) =>
  Effect.provide(test, OssEmulator.layerInProcess())

const chunks = (size: number, ...pieces: ReadonlyArray<Uint8Array | Error>): Body => ({
  _tag: "Chunks",
  size,
  chunks: async function* () {
    for (const piece of pieces) {
      if (piece instanceof Error) throw piece
      yield piece
    }
  }
})

it.effect("a stalled request times out by the test's clock", () =>
  emulator(
    Effect.gen(function* () {
      const oss = yield* OssEmulator.OssEmulator
      yield* oss.inject({ fault: "stall" })
      const fiber = yield* Effect.fork(Effect.flip(Client.get("k")))
      yield* TestClock.adjust("30 seconds")
      const error = yield* Fiber.join(fiber)
      assert.instanceOf(error, TransportError)
      assert.strictEqual(error.reason, "Timeout")
    })
  )
)

it.effect("a source that fails, or has other bytes than it declares, fails as itself and stores nothing", () =>
  emulator(
    Effect.gen(function* () {
      const oss = yield* OssEmulator.OssEmulator
      const gone = new SourceError({ reason: "NotFound", source: "file", detail: "is gone" })
      const piece = new Uint8Array(10)
      const bodies = [chunks(20, piece, gone), chunks(20, piece), chunks(5, piece)]
      const errors = yield* Effect.forEach(bodies, (body) => Effect.flip(Client.put("k", body)))
      assert.strictEqual(errors[0], gone)
      assert.deepStrictEqual(
        errors.map((error) => error instanceof SourceError && error.reason),
        ["NotFound", "Changed", "Changed"]
      )
      assert.isTrue(Option.isNone(yield* oss.object("k")))
    })
  )
)

it.effect("a source may reuse the memory of its chunks", () =>
  emulator(
    Effect.gen(function* () {
      const oss = yield* OssEmulator.OssEmulator
      const memory = new Uint8Array(1)
      const body: Body = {
        _tag: "Chunks",
        size: 5,
        chunks: async function* () {
          for (let i = 0; i < 5; i++) {
            memory[0] = i
            yield memory
          }
        }
      }
      yield* Client.put("k", body)
      assert.deepStrictEqual([...Option.getOrThrow(yield* oss.object("k"))], [0, 1, 2, 3, 4])
    })
  )
)

it.effect("interruption in the midst of a body stores nothing and does not wait for the server", () =>
  emulator(
    Effect.gen(function* () {
      const oss = yield* OssEmulator.OssEmulator
      const body: Body = {
        _tag: "Chunks",
        size: 5,
        chunks: async function* () {
          yield new Uint8Array(1)
          await new Promise(() => {})
        }
      }
      const fiber = yield* Effect.fork(Client.put("k", body))
      yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 30)))
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Option.isNone(yield* oss.object("k")))
      assert.strictEqual((yield* Client.put("k", "x")).status, 200)
    })
  )
)
