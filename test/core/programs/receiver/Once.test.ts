/** The handler runs once for each callback, whoever sends it how often. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { StoreError } from "../../../../core/model/OssError.ts"
import * as ReplayGuard from "../../../../core/ports/ReplayGuard.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../../core/wire/Callback.ts"
import * as SignedCallback from "../../../support/SignedCallback.ts"
import { quietly, told } from "../../../support/SignedCallback.ts"

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video",
  bucket: "media",
  body: { key: Callback.object, etag: Callback.etag, request: Callback.reqId, size: Callback.size },
  response: Schema.Struct({ run: Schema.Number })
})

const callback = (facts: { readonly key?: string; readonly etag?: string; readonly request?: string } = {}) =>
  SignedCallback.make(
    `key=${facts.key ?? "a.mp4"}&etag=${facts.etag ?? "E1"}&request=${facts.request ?? "R1"}&size=9&bucket=media`
  )

/** A handler that counts its runs, and answers the count. */
const counting = (first: Effect.Effect<unknown, string> = Effect.void) => {
  const runs = { count: 0 }
  const handler = () => {
    const run = ++runs.count
    return Effect.as(run === 1 ? first : Effect.void, { run })
  }
  return { runs, handler }
}

const guarded = (
  handler: () => Effect.Effect<{ readonly run: number }, string>,
  options: Partial<CallbackReceiver.Replay<ReplayGuard.ReplayGuard>> = {},
  others: Omit<CallbackReceiver.Options<{ readonly run: number }, string>, "replay"> = {}
) => {
  const receiver = CallbackReceiver.make(VideoUploaded, handler, {
    ...others,
    replay: { guard: ReplayGuard.ReplayGuard, ...options }
  })
  const guard = ReplayGuard.makeMemory()
  return (request: CallbackReceiver.Request) =>
    Effect.provideService(quietly(receiver.handle(request)), ReplayGuard.ReplayGuard, guard)
}

describe("a callback that comes again", () => {
  it.effect("is refused with 409, and not handled", () =>
    Effect.gen(function* () {
      const { handler, runs } = counting()
      const handle = guarded(handler)
      assert.deepEqual(told(yield* handle(callback())), [200, { run: 1 }])
      assert.deepEqual(told(yield* handle(callback())), [409, { error: "Replayed" }])
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("is told what was answered the first time, if the receiver likes", () =>
    Effect.gen(function* () {
      const { handler, runs } = counting()
      const handle = guarded(handler, { onReplay: "answer" })
      const first = yield* handle(callback())
      assert.deepEqual(yield* handle(callback()), first)
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("is known by bucket, object, etag and request ID, wherever it was sent to", () =>
    Effect.gen(function* () {
      const { handler } = counting()
      const handle = guarded(handler)
      yield* handle(callback())
      const elsewhere = SignedCallback.make("size=9&request=R1&etag=E1&key=a.mp4&bucket=media", "/other", "x=1")
      assert.strictEqual((yield* handle(elsewhere)).status, 409)
      for (const other of [callback({ key: "b.mp4" }), callback({ etag: "E2" }), callback({ request: "R2" })]) {
        assert.strictEqual((yield* handle(other)).status, 200)
      }
    })
  )

  it.effect("gets 503 while the first is being handled, so that whoever sends it may try again", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const { handler, runs } = counting(Effect.zipRight(Deferred.succeed(started, undefined), Deferred.await(go)))
      const handle = guarded(handler)
      const first = yield* Effect.fork(handle(callback()))
      yield* Deferred.await(started)
      assert.deepEqual(told(yield* handle(callback())), [503, { error: "InProgress" }])
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* Fiber.join(first)).status, 200)
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("comes through when it is no longer remembered: after a day, or as long as was said", () =>
    Effect.gen(function* () {
      for (const [options, wait] of [
        [{}, "1 day"],
        [{ keepFor: "1 hour" }, "1 hour"]
      ] as const) {
        const handle = guarded(counting().handler, options)
        yield* handle(callback())
        yield* TestClock.adjust(wait)
        assert.strictEqual((yield* handle(callback())).status, 200)
      }
    })
  )
})

describe("a callback whose handler did not come to its end is handled again", () => {
  const ways: ReadonlyArray<readonly [string, Effect.Effect<unknown, string>]> = [
    ["it failed", Effect.fail("no")],
    ["it died", Effect.die("no")],
    ["it was interrupted", Effect.interrupt]
  ]
  for (const [what, first] of ways) {
    it.effect(`because ${what}`, () =>
      Effect.gen(function* () {
        const handle = guarded(counting(first).handler)
        assert.deepEqual(told(yield* handle(callback())), [500, { error: "HandlerFailed" }])
        assert.deepEqual(told(yield* handle(callback())), [200, { run: 2 }])
      })
    )
  }

  it.effect("because it failed, and no status could be had for it", () =>
    Effect.gen(function* () {
      const statusOf = () => {
        throw new Error("no status")
      }
      const handle = guarded(counting(Effect.fail("no")).handler, {}, { statusOf })
      assert.deepEqual(told(yield* handle(callback())), [500, { error: "ReceiverFailed" }])
      assert.deepEqual(told(yield* handle(callback())), [200, { run: 2 }])
    })
  )

  it.effect("because it was late, and was interrupted", () =>
    Effect.gen(function* () {
      const handle = guarded(counting(Effect.never).handler)
      const first = yield* Effect.fork(handle(callback()))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(first)).status, 503)
      yield* Effect.yieldNow()
      assert.deepEqual(told(yield* handle(callback())), [200, { run: 2 }])
    })
  )
})

describe("a callback whose handler came to its end is not handled again", () => {
  it.effect("though it was late, and went on in the background", () =>
    Effect.gen(function* () {
      const { handler, runs } = counting(Effect.sleep("10 seconds"))
      const handle = guarded(handler, { onReplay: "answer" }, { onLate: "background" })
      const first = yield* Effect.fork(handle(callback()))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(first)).status, 503)
      assert.deepEqual(told(yield* handle(callback())), [503, { error: "InProgress" }])
      yield* TestClock.adjust("5 seconds")
      assert.deepEqual(told(yield* handle(callback())), [200, { run: 1 }])
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("though its sender hung up meanwhile", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const { handler, runs } = counting(
        Effect.zipRight(Deferred.succeed(started, undefined), Effect.sleep("1 second"))
      )
      const handle = guarded(handler)
      const first = yield* Effect.fork(handle(callback()))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(first)
      assert.deepEqual(told(yield* handle(callback())), [503, { error: "InProgress" }])
      yield* TestClock.adjust("1 second")
      assert.deepEqual(told(yield* handle(callback())), [409, { error: "Replayed" }])
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("though its answer could not be sent", () =>
    Effect.gen(function* () {
      const handle = guarded(() => Effect.succeed({ run: "one" as unknown as number }))
      assert.deepEqual(told(yield* handle(callback())), [500, { error: "BadAnswer" }])
      assert.deepEqual(told(yield* handle(callback())), [409, { error: "Replayed" }])
    })
  )
})

describe("a guard that fails", () => {
  const broken = new StoreError({ store: "ReplayGuard", reason: "Write", detail: "no room" })
  const { handler, runs } = counting()
  const receiver = CallbackReceiver.make(VideoUploaded, handler, { replay: { guard: ReplayGuard.ReplayGuard } })
  const handleBy = (guard: ReplayGuard.Service) =>
    Effect.provideService(quietly(receiver.handle(callback())), ReplayGuard.ReplayGuard, guard)

  it.effect("keeps the handler from running: 503", () =>
    Effect.gen(function* () {
      const answer = yield* handleBy({ claim: () => Effect.fail(broken) })
      assert.deepEqual(told(answer), [503, { error: "GuardFailed" }])
      assert.strictEqual(runs.count, 0)
    })
  )

  it.effect("after the handler has run, changes nothing of the answer", () =>
    Effect.gen(function* () {
      const answer = yield* handleBy({
        claim: () =>
          Effect.succeed({ _tag: "Claimed", confirm: () => Effect.fail(broken), release: Effect.fail(broken) } as const)
      })
      assert.deepEqual(told(answer), [200, { run: 1 }])
    })
  )
})

describe("a contract that does not tell who a callback is", () => {
  const Nameless = Callback.make({
    url: "https://a",
    bucket: "media",
    body: { object: Callback.object, etag: Callback.etag },
    response: Schema.Struct({})
  })

  it.effect("does not compile with a guard; where nobody compiles, nothing is handled", () =>
    Effect.gen(function* () {
      let runs = 0
      const receiver = CallbackReceiver.make(Nameless, () => Effect.sync(() => ({ runs: runs++ })), {
        // @ts-expect-error without Callback.reqId, two uploads of one file are one to the guard
        replay: { guard: ReplayGuard.ReplayGuard }
      })
      const answer = yield* quietly(receiver.handle(SignedCallback.make("object=a&etag=E&bucket=media"))).pipe(
        Effect.provide(ReplayGuard.layerMemory())
      )
      assert.deepEqual(told(answer), [500, { error: "ReceiverFailed" }])
      assert.strictEqual(runs, 0)
    })
  )
})
