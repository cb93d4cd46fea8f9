/** Temporary credentials: fetched once for all who ask, before they end, and again when OSS refuses them. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Operation from "../../../core/wire/Operation.ts"

const hour = Duration.toMillis("1 hour")

const token = (n: number, expiresAt: number): CredentialsProvider.Temporary => ({
  accessKeyId: `STS.${n}`,
  accessKeySecret: Redacted.make(`secret-${n}`),
  securityToken: Redacted.make(`token-${n}`),
  expiresAt
})

/** An STS that takes `delay` milliseconds and issues tokens for `life` milliseconds; `fault` may fail the n-th fetch. */
const sts = (options: { life?: number; delay?: number; fault?: (nth: number) => Effect.Effect<void, string> } = {}) => {
  const { delay = 100, fault = () => Effect.void, life = hour } = options
  const at: Array<number> = []
  const fetch = Effect.gen(function* () {
    const n = at.push(yield* Clock.currentTimeMillis)
    yield* Effect.sleep(delay)
    yield* fault(n)
    return token(n, (yield* Clock.currentTimeMillis) + life)
  })
  return { at, fetch }
}

/** `get`, with a second for the fetch. */
const getOf = (provider: CredentialsProvider.Service) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(provider.get)
    yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

describe("CredentialsProvider.refreshing", () => {
  it.effect("fetches once for all who ask at once, and not again while the credentials hold", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts()
      const provider = yield* CredentialsProvider.refreshing(fetch)
      const all = yield* Effect.fork(Effect.all(Effect.replicate(provider.get, 200), { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 second")
      const got = yield* Fiber.join(all)
      assert.strictEqual(new Set(got).size, 1)
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(yield* provider.get, got[0])
      assert.deepEqual(at, [0])
    })
  )

  it.effect("fetches nothing before the first who asks", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts()
      yield* CredentialsProvider.refreshing(fetch)
      yield* TestClock.adjust("1 hour")
      assert.deepEqual(at, [])
    })
  )

  it.effect("fetches again five minutes before the end, and answers only what is new", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts({ delay: 0 })
      const provider = yield* CredentialsProvider.refreshing(fetch)
      assert.strictEqual((yield* provider.get).accessKeyId, "STS.1")
      yield* TestClock.setTime(hour - Duration.toMillis("5 minutes") - 1)
      assert.strictEqual((yield* provider.get).accessKeyId, "STS.1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* provider.get).accessKeyId, "STS.2")
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("never takes more than a quarter of a short life as margin", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts({ delay: 0, life: 60_000 })
      const provider = yield* CredentialsProvider.refreshing(fetch, { margin: "10 minutes" })
      yield* provider.get
      yield* TestClock.setTime(44_999)
      yield* provider.get
      assert.strictEqual(at.length, 1)
      yield* TestClock.setTime(45_000)
      yield* provider.get
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("answers the old credentials on while they hold, when an early fetch fails or hangs", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts({
        fault: (nth) => (nth === 2 ? Effect.fail("STS is down") : nth === 3 ? Effect.never : Effect.void)
      })
      const provider = yield* CredentialsProvider.refreshing(fetch)
      yield* getOf(provider)
      yield* TestClock.setTime(hour - 299_000)
      assert.strictEqual((yield* getOf(provider)).accessKeyId, "STS.1")
      // A tenth of what is left passes before it is tried again.
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* provider.get).accessKeyId, "STS.1")
      assert.strictEqual(at.length, 2)
      yield* TestClock.adjust("20 seconds")
      const hanging = yield* Effect.fork(provider.get)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(hanging)).accessKeyId, "STS.1")
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual((yield* getOf(provider)).accessKeyId, "STS.4")
    })
  )

  it.effect("fails everybody who waits when nothing is left, and tries again for the next", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts({ fault: (nth) => (nth === 2 ? Effect.fail("STS is down") : Effect.void) })
      const provider = yield* CredentialsProvider.refreshing(fetch)
      yield* getOf(provider)
      yield* TestClock.adjust("2 hours")
      const both = yield* Effect.fork(
        Effect.all([Effect.exit(provider.get), Effect.exit(provider.get)], { concurrency: 2 })
      )
      yield* TestClock.adjust("1 second")
      for (const exit of yield* Fiber.join(both)) assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual((yield* getOf(provider)).accessKeyId, "STS.3")
      assert.strictEqual(at.length, 3)
    })
  )

  it.effect("says why, as a CredentialsError with the cause", () =>
    Effect.gen(function* () {
      const provider = yield* CredentialsProvider.refreshing(Effect.fail("STS is down"))
      const error = yield* Effect.flip(provider.get)
      assert.strictEqual(error.message, "no credentials: they could not be fetched")
      assert.strictEqual(error.cause, "STS is down")
    })
  )

  it.effect("goes on fetching for the others when one who waits is interrupted, even the first", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts()
      const provider = yield* CredentialsProvider.refreshing(fetch)
      const [first, second] = [yield* Effect.fork(provider.get), yield* Effect.fork(provider.get)]
      yield* TestClock.adjust("50 millis")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("50 millis")
      assert.strictEqual((yield* Fiber.join(second)).accessKeyId, "STS.1")
      assert.strictEqual(at.length, 1)
    })
  )

  it.effect("interrupts one who waits at once, even when the fetch hangs", () =>
    Effect.gen(function* () {
      const provider = yield* CredentialsProvider.refreshing(Effect.never)
      const fiber = yield* Effect.fork(provider.get)
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
    })
  )

  it.effect("fetches once when OSS refuses the credentials, and keeps newer ones when older are refused", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts()
      const provider = yield* CredentialsProvider.refreshing(fetch)
      const old = yield* getOf(provider)
      const renew = Effect.zipRight(provider.invalidate(old), provider.get)
      const all = yield* Effect.fork(Effect.all(Effect.replicate(renew, 50), { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 second")
      const [renewed] = yield* Fiber.join(all)
      yield* provider.invalidate(old)
      assert.strictEqual(yield* provider.get, renewed)
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("answers the same object when asking again brought the same credentials", () =>
    Effect.gen(function* () {
      const provider = yield* CredentialsProvider.refreshing(Effect.sync(() => token(1, hour)))
      const first = yield* provider.get
      yield* provider.invalidate(first)
      assert.strictEqual(yield* provider.get, first)
    })
  )

  it.effect("does not fetch at every request when our clock is ahead of STS's", () =>
    Effect.gen(function* () {
      const { at, fetch } = sts({ delay: 0, life: -1 })
      const provider = yield* CredentialsProvider.refreshing(fetch)
      const first = yield* provider.get
      assert.strictEqual(yield* provider.get, first)
      yield* provider.invalidate(first)
      assert.strictEqual((yield* provider.get).accessKeyId, "STS.2")
      assert.strictEqual(at.length, 2)
    })
  )
})

describe("a client with refreshing credentials", () => {
  const key = Either.getOrThrow(ObjectKey.make("a.txt"))
  const life = Duration.toMillis("15 minutes")
  const issued = Array.from({ length: 20 }, (_, n) => token(n, n * life + life))

  const withClient = <A, E>(
    fetch: Effect.Effect<CredentialsProvider.Temporary>,
    use: (client: OssClient.Service, emulator: OssEmulator.Service) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      const { bucket, endpoint, region } = emulator
      const client = yield* OssClient.make({ bucket, endpoint, region, addressing: "path" }).pipe(
        Effect.provide(Layer.merge(NodeCrypto.layer, CredentialsProvider.layerRefreshing(fetch)))
      )
      return yield* use(client, emulator)
    }).pipe(Effect.provide(OssEmulator.layerInProcess({ credentials: issued })))

  const put = (client: OssClient.Service) =>
    client.execute(Operation.putObject(key, {}, Transport.bytes(new Uint8Array(9))))

  it.effect(
    "gets 200 requests across the end of the tokens through, with one fetch for each token and no refusal",
    () => {
      let fetches = 0
      const fetch = Effect.gen(function* () {
        fetches++
        yield* Effect.sleep("2 seconds")
        // What STS issues lasts from now on; the emulator knows the end of each.
        const now = yield* Clock.currentTimeMillis
        return yield* Effect.fromNullable(issued.find(({ expiresAt }) => expiresAt >= now + life - 300_000))
      }).pipe(Effect.orDie)
      return withClient(fetch, (client, emulator) =>
        Effect.gen(function* () {
          for (let round = 0; round < 20; round++) {
            const all = yield* Effect.fork(Effect.all(Effect.replicate(put(client), 10), { concurrency: "unbounded" }))
            yield* TestClock.adjust("2 seconds") // the time a fetch takes
            yield* Fiber.join(all)
            yield* TestClock.setTime((round + 1) * 120_000)
          }
          const journal = yield* emulator.requests
          assert.deepEqual(
            journal.filter(({ status }) => status !== 200),
            []
          )
          assert.strictEqual(fetches, 3)
        })
      )
    }
  )

  it.effect("gets 200 requests that were refused at once through with one more fetch", () => {
    let fetches = 0
    const fetch = Effect.gen(function* () {
      const n = fetches++
      yield* Effect.sleep("2 seconds")
      return yield* Effect.fromNullable(issued[n + 5])
    }).pipe(Effect.orDie)
    return withClient(fetch, (client, emulator) =>
      Effect.gen(function* () {
        yield* emulator.inject({ fault: "expiredToken", times: 200 })
        const all = yield* Effect.fork(Effect.all(Effect.replicate(put(client), 200), { concurrency: "unbounded" }))
        yield* TestClock.adjust("2 seconds")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(all)).length, 200)
        const codes = (yield* emulator.requests).map(({ code, status }) => code ?? status)
        assert.deepEqual(codes, [...Array(200).fill("SecurityTokenExpired"), ...Array(200).fill(200)])
        assert.strictEqual(fetches, 2)
      })
    )
  })
})
