/**
 * What the emulator promises of trouble on purpose.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import { TransportError } from "../../../core/model/OssError.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { refusal } from "./refusal.ts"

const isReset = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && exit.cause._tag === "Fail" && exit.cause.error instanceof TransportError

export const faults = (it: It): void => {
  describe("a fault", () => {
    it.effect("drops the connection before anything happens, or after all is done", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* oss.inject({ operation: "PutObject", key: "f/drop", fault: "drop" })
        assert.isTrue(isReset(yield* Effect.exit(Client.put("f/drop", "x"))))
        assert.isTrue(Option.isNone(yield* oss.object("f/drop")))
        yield* oss.inject({ operation: "PutObject", key: "f/drop", fault: "loseAnswer" })
        assert.isTrue(isReset(yield* Effect.exit(Client.put("f/drop", "x"))))
        assert.isTrue(Option.isSome(yield* oss.object("f/drop")))
        assert.strictEqual((yield* Client.put("f/drop", "x")).status, 200)
      })
    )

    it.effect("strikes the n-th request of its kind, as often as told, and is then gone", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* oss.inject({ operation: "GetObject", fault: "error", status: 503, nth: 2, times: 2 })
        yield* Client.put("f/nth", "x")
        const statuses: Array<number> = []
        for (const _ of [1, 2, 3, 4]) statuses.push((yield* Client.get("f/nth")).status)
        assert.deepStrictEqual(statuses, [200, 503, 503, 200])
        assert.deepStrictEqual(yield* oss.faults.pending, [])
      })
    )

    it.effect("strikes one part and no other", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const begun = yield* Client.send({ method: "POST", key: "f/part", query: { uploads: "" } })
        const uploadId = begun.xml("UploadId") ?? ""
        const part = (n: number) =>
          Client.send({ method: "PUT", key: "f/part", query: { partNumber: `${n}`, uploadId }, body: "x" })
        yield* oss.inject({ operation: "UploadPart", partNumber: 2, fault: "error" })
        assert.strictEqual((yield* part(1)).status, 200)
        assert.deepStrictEqual(refusal(yield* part(2)).slice(0, 2), [500, "InternalError"])
        assert.strictEqual((yield* part(2)).status, 200)
      })
    )

    it.effect("answers an error although all is done", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* oss.inject({ operation: "PutObject", fault: "errorAfter" })
        assert.strictEqual((yield* Client.put("f/after", "x")).status, 500)
        assert.isTrue(Option.isSome(yield* oss.object("f/after")))
      })
    )

    it.effect("tells a wrong CRC-64, cuts an answer short, expires a token, doubts the clock", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const right = (yield* Client.put("f/many", "0123456789")).headers["x-oss-hash-crc64ecma"]
        yield* oss.inject({ fault: "wrongCrc" })
        assert.notStrictEqual((yield* Client.put("f/many", "0123456789")).headers["x-oss-hash-crc64ecma"], right)
        yield* oss.inject({ fault: "truncate" })
        assert.isTrue(isReset(yield* Effect.exit(Client.get("f/many"))))
        yield* oss.inject({ fault: "expiredToken" })
        assert.deepStrictEqual(refusal(yield* Client.get("f/many")), [403, "SecurityTokenExpired", "0002-00000007"])
        yield* oss.inject({ fault: "skew" })
        assert.strictEqual(refusal(yield* Client.get("f/many"))[1], "RequestTimeTooSkewed")
        assert.strictEqual((yield* Client.get("f/many")).status, 200)
      })
    )

    it.effect("lets time pass, or for ever", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* oss.inject({ operation: "PutObject", fault: "slow", delay: 10_000 })
        const slow = yield* Effect.fork(Client.put("f/slow", "x"))
        yield* TestClock.adjust("9 seconds")
        yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 50)))
        assert.isTrue(Option.isNone(yield* Fiber.poll(slow)))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(slow)).status, 200)
        yield* oss.inject({ operation: "PutObject", fault: "stall" })
        const stalled = yield* Effect.fork(Client.put("f/stall", "x"))
        yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 50)))
        assert.isTrue(Option.isNone(yield* Fiber.poll(stalled)))
        yield* Fiber.interrupt(stalled)
        assert.isTrue(Option.isNone(yield* oss.object("f/stall")))
      })
    )

    it.effect("sends a callback twice", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const before = (yield* oss.callbacks).length
        yield* oss.inject({ operation: "PutObject", fault: "duplicateCallback" })
        const callback = Buffer.from(
          JSON.stringify({ callbackUrl: "http://app.example.com/200", callbackBody: "a" })
        ).toString("base64")
        yield* Client.put("f/twice", "x", { headers: { "x-oss-callback": callback } })
        assert.strictEqual((yield* oss.callbacks).length, before + 2)
      })
    )

    it.effect("comes by chance as well, the same way for the same seed", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* Client.put("f/chaos", "x")
        const run = Effect.gen(function* () {
          yield* oss.faults.chaos({ seed: 7, rate: 0.5, faults: ["error", "drop"] })
          const seen: Array<string> = []
          for (let i = 0; i < 20; i++) {
            const exit = yield* Effect.exit(Client.get("f/chaos"))
            seen.push(Exit.isSuccess(exit) ? `${exit.value.status}` : "dropped")
          }
          yield* oss.faults.clear
          return seen
        })
        const first = yield* run
        assert.deepStrictEqual(yield* run, first)
        assert.deepStrictEqual([...new Set(first)].sort(), ["200", "500", "dropped"])
        assert.strictEqual((yield* Client.get("f/chaos")).status, 200)
      })
    )
  })

  describe("the journal", () => {
    it.effect("tells the last requests, and no secret of theirs", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* Client.put("journal", "x")
        const missing = yield* Client.sendPresigned({ key: "nothing-there" })
        const [put, get] = (yield* oss.requests).slice(-2)
        assert.deepInclude(put, { method: "PUT", operation: "PutObject", key: "journal", status: 200, code: undefined })
        assert.deepInclude(get, { operation: "GetObject", status: 404, code: "NoSuchKey" })
        assert.strictEqual(get?.requestId, missing.headers["x-oss-request-id"])
      })
    )
  })

  describe("the clock", () => {
    it.effect("can be shifted, stopped, and set by each request", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        yield* oss.clock.shift(3_600_000)
        assert.strictEqual(refusal(yield* Client.get("k"))[1], "RequestTimeTooSkewed")
        yield* oss.clock.set(1_000_000_000)
        assert.strictEqual((yield* Client.get("k", { skew: 1_000_000_000 })).status, 404)
        yield* oss.clock.set(({ headers }) => Number(headers["x-time"] ?? 0))
        assert.strictEqual((yield* Client.get("k", { skew: 5e12, headers: { "x-time": "5000000000000" } })).status, 404)
        yield* oss.clock.set(undefined)
        assert.strictEqual((yield* Client.get("k")).status, 404)
      })
    )
  })
}
