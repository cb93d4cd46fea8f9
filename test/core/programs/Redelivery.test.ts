/** Callbacks that OSS could not deliver, delivered by the uploader's side. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import { CallbackFailed, TransportError } from "../../../core/model/OssError.ts"
import type { Crypto } from "../../../core/ports/Crypto.ts"
import * as Outbox from "../../../core/ports/Outbox.ts"
import * as ReplayGuard from "../../../core/ports/ReplayGuard.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as OneTimeToken from "../../../core/programs/OneTimeToken.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as RedeliverySignature from "../../../core/wire/RedeliverySignature.ts"
import { undelivered } from "../../support/SampleUndelivered.ts"
import * as SignedCallback from "../../support/SignedCallback.ts"
import { text } from "../../support/SignedCallback.ts"

const secret = Redacted.make("a secret drawn at random")
const contractFor = (bodyType: "form" | "json") =>
  Callback.make({
    url: "https://api.example.com/oss/video?v=1",
    bucket: "media",
    bodyType,
    body: {
      object: Callback.object,
      etag: Callback.etag,
      request: Callback.reqId,
      size: Callback.size,
      crc64: Callback.crc64,
      operation: Callback.operation,
      width: Callback.imageWidth,
      userId: Callback.var("user_id", Schema.String)
    },
    response: Schema.Struct({ videoId: Schema.String })
  })
const VideoUploaded = contractFor("form")
const callback = VideoUploaded({ userId: "u_42 & co" })
const { stored } = undelivered(1)
const failed = new CallbackFailed({ stored, reason: "BadStatus", detail: "Error status : 502.", ec: "" })
const facts = {
  object: "日.mp4",
  etag: stored.etag,
  request: stored.requestId,
  size: 5_000_000_000,
  crc64: 2n ** 64n - 1n,
  operation: "CompleteMultipartUpload",
  width: undefined,
  userId: "u_42 & co"
}

/** A transport that hands requests to a receiver, after as many failures as it is told of. */
const wired = <R>(receiver: CallbackReceiver.Receiver<R>, failures: ReadonlyArray<number | "down"> = []) => {
  const sent: Array<Transport.Request> = []
  const waiting = [...failures]
  const send = (request: Transport.Request) =>
    Effect.gen(function* () {
      sent.push(request)
      const failure = waiting.shift()
      if (failure === "down") {
        return yield* new TransportError({ reason: "Connect", sent: "nothing", host: "api", detail: "down" })
      }
      if (failure !== undefined) return { status: failure, headers: {}, body: new Uint8Array() }
      const { pathname, search } = new URL(request.url)
      return yield* receiver.handle({
        method: request.method,
        path: pathname,
        query: search === "" ? undefined : search.slice(1),
        headers: request.headers,
        body: request.body._tag === "Bytes" ? request.body.bytes : new Uint8Array()
      })
    })
  return { sent, send }
}

const receiving = (name = "v", contract = VideoUploaded) => {
  const seen: Array<unknown> = []
  const receiver = CallbackReceiver.make(
    contract,
    (body) =>
      Effect.sync(() => {
        seen.push(body)
        return { videoId: `${name}_${seen.length}` }
      }),
    { replay: { guard: ReplayGuard.ReplayGuard }, redelivery: { secrets: [secret] } }
  )
  return { receiver, seen }
}

type Needs = Transport.Transport | Crypto | ReplayGuard.ReplayGuard | Outbox.Outbox

const quiet = Logger.remove(Logger.defaultLogger)

/** Runs with one guard and one outbox, over this transport. */
const over =
  <R extends ReplayGuard.ReplayGuard | Crypto>(wire: {
    readonly send: (request: Transport.Request) => Effect.Effect<Transport.Response, TransportError, R>
  }) =>
  <A, E>(program: Effect.Effect<A, E, Needs>) =>
    Effect.gen(function* () {
      const context = yield* Effect.context<R>()
      return yield* Effect.provideService(program, Transport.Transport, {
        send: (request) => Effect.provide(wire.send(request), context)
      })
    }).pipe(
      Effect.provide(Layer.mergeAll(NodeCrypto.layer, ReplayGuard.layerMemory(), Outbox.layerMemory, quiet))
    ) as Effect.Effect<A, E> // R is of what is provided here

describe("Redelivery.redeliver", () => {
  for (const bodyType of ["form", "json"] as const) {
    it.effect(`tells the application what OSS would have told it, as ${bodyType}`, () =>
      Effect.gen(function* () {
        const contract = contractFor(bodyType)
        const { receiver, seen } = receiving("v", contract)
        const answer = yield* Redelivery.redeliver(contract({ userId: "u_42 & co" }), failed, { secret }).pipe(
          over(wired(receiver))
        )
        assert.deepStrictEqual(Option.getOrNull(answer), { videoId: "v_1" })
        assert.deepStrictEqual(seen, [facts])
      })
    )
  }

  it.effect("posts as OSS does, to the URL as it stands, and marks what it posts", () =>
    Effect.gen(function* () {
      const wire = wired(receiving().receiver)
      yield* Redelivery.redeliver(callback, failed, { secret }).pipe(over(wire))
      const [request] = wire.sent
      assert.strictEqual(request?.method, "POST")
      assert.strictEqual(request?.url, "https://api.example.com/oss/video?v=1")
      assert.deepStrictEqual(Object.keys(request?.headers ?? {}), ["content-type", RedeliverySignature.header])
      assert.strictEqual(request?.headers["content-type"], "application/x-www-form-urlencoded")
    })
  )

  it.effect("tries again by its schedule, whatever is in the way", () =>
    Effect.gen(function* () {
      const { receiver, seen } = receiving()
      const wire = wired(receiver, ["down", 502, 503, 200])
      const fiber = yield* Effect.fork(Redelivery.redeliver(callback, failed, { secret }).pipe(over(wire)))
      yield* TestClock.adjust("5 minutes")
      assert.isTrue(Option.isSome(yield* Fiber.join(fiber)))
      assert.lengthOf(wire.sent, 5)
      assert.lengthOf(seen, 1)
    })
  )

  it.effect("ends with CallbackFailed and the receipt when its schedule ends", () =>
    Effect.gen(function* () {
      const wire = wired(
        receiving().receiver,
        Array.from({ length: 20 }, () => "down" as const)
      )
      const fiber = yield* Effect.fork(Redelivery.redeliver(callback, failed, { secret }).pipe(over(wire), Effect.flip))
      yield* TestClock.adjust("5 minutes")
      const error = yield* Fiber.join(fiber)
      assert(error._tag === "CallbackFailed")
      assert.strictEqual(error.reason, "CannotConnect")
      assert.strictEqual(error.stored.key, stored.key)
      assert.lengthOf(wire.sent, 8)
    })
  )

  it.effect("is told what was answered before, and the handler does not run again", () =>
    Effect.gen(function* () {
      const { receiver, seen } = receiving()
      const twice = Effect.replicateEffect(Redelivery.redeliver(callback, failed, { secret }), 2)
      const answers = yield* over(wired(receiver))(twice)
      assert.deepStrictEqual(answers.map(Option.getOrNull), [{ videoId: "v_1" }, { videoId: "v_1" }])
      assert.lengthOf(seen, 1)
    })
  )

  it.effect("fails at once for a short secret, and for a callback whose body is not known here", () =>
    Effect.gen(function* () {
      const wire = wired(receiving().receiver)
      const short = { secret: Redacted.make("short") }
      const kept = Callback.policy("p", Schema.Struct({ videoId: Schema.String }))
      for (const [program, field] of [
        [Redelivery.redeliver(callback, failed, short), "secret"],
        [Redelivery.redeliver(kept, failed, { secret }), "callback"]
      ] as const) {
        const error = yield* Effect.flip(over(wire)(program))
        assert.strictEqual(error._tag === "InvalidParam" && error.field, field)
      }
      assert.lengthOf(wire.sent, 0)
    })
  )
})

describe("a receiver that takes redeliveries", () => {
  /** The answer to what a redelivery sends, changed on its way. */
  const answerTo = (
    change: (request: CallbackReceiver.Request) => CallbackReceiver.Request,
    options: { readonly secrets: ReadonlyArray<Redacted.Redacted> } | undefined = { secrets: [secret] },
    later: "1 second" | "5 minutes" | "301 seconds" = "1 second"
  ) =>
    Effect.gen(function* () {
      const wire = wired({ maxBodyBytes: 0, handle: () => Effect.succeed(emptyAnswer) })
      yield* Effect.exit(over(wire)(Redelivery.redeliver(callback, failed, { secret, schedule: Schedule.stop })))
      const { headers, body } = wire.sent[0]!
      const request = { method: "POST", path: "/oss/video", query: "v=1", headers, body: bytesOf(body) }
      const receiver = CallbackReceiver.make(VideoUploaded, () => Effect.succeed({ videoId: "v" }), {
        redelivery: options
      })
      yield* TestClock.adjust(later)
      const answer = yield* SignedCallback.quietly(receiver.handle(change(request)))
      return `${answer.status} ${text(answer)}`
    })
  const emptyAnswer = { status: 500, headers: {}, body: new Uint8Array() }
  const bytesOf = (body: Transport.Body) => (body._tag === "Bytes" ? body.bytes : new Uint8Array())
  const refused = (error: string) => `403 {"error":"${error}"}`

  it.effect("takes them for 5 minutes, and refuses copies later", () =>
    Effect.gen(function* () {
      const same = (request: CallbackReceiver.Request) => request
      assert.strictEqual(yield* answerTo(same), `200 {"videoId":"v"}`)
      assert.strictEqual(yield* answerTo(same, undefined, "5 minutes"), `200 {"videoId":"v"}`)
      assert.strictEqual(yield* answerTo(same, undefined, "301 seconds"), refused("BadSignature"))
    })
  )

  const changes: ReadonlyArray<
    readonly [what: string, change: (request: CallbackReceiver.Request) => CallbackReceiver.Request, error: string]
  > = [
    ["another path", (request) => ({ ...request, path: "/oss/videos" }), "BadSignature"],
    ["another query", (request) => ({ ...request, query: "v=2" }), "BadSignature"],
    ["another body", (request) => ({ ...request, body: request.body.slice(1) }), "BadSignature"],
    [
      "another time",
      ({ headers, ...request }) => ({
        ...request,
        headers: { ...headers, [RedeliverySignature.header]: headers[RedeliverySignature.header]!.replace(".", ".1") }
      }),
      "BadSignature"
    ],
    [
      "another version",
      ({ headers, ...request }) => ({
        ...request,
        headers: { ...headers, [RedeliverySignature.header]: headers[RedeliverySignature.header]!.replace("v1", "v2") }
      }),
      "UnsupportedVersion"
    ],
    ["no header", (request) => ({ ...request, headers: {} }), "Unsigned"]
  ]
  for (const [what, change, error] of changes) {
    it.effect(`refuses one with ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* answerTo(change), refused(error))
      })
    )
  }

  it.effect("refuses another's secret, and everything when it has none", () =>
    Effect.gen(function* () {
      const others = { secrets: [Redacted.make("another secret, also random")] }
      assert.strictEqual(yield* answerTo((request) => request, others), refused("BadSignature"))
      const receiver = CallbackReceiver.make(VideoUploaded, () => Effect.succeed({ videoId: "v" }))
      const wire = wired(receiver)
      const error = yield* Redelivery.deliver(undelivered(1), { secret }).pipe(over(wire), Effect.flip)
      assert.strictEqual(error._tag === "CallbackFailed" && error.detail, "Error status : 403.")
    })
  )

  it.effect("does not hold it against a token that it is over by now, and spends it", () =>
    Effect.gen(function* () {
      const contract = Callback.make({
        url: "https://api.example.com/oss",
        bucket: "media",
        body: { object: Callback.object, etag: Callback.etag, request: Callback.reqId },
        response: Schema.Struct({})
      })
      const receiver = CallbackReceiver.make(contract, () => Effect.succeed({}), {
        replay: { guard: ReplayGuard.ReplayGuard, tokens: { secrets: [secret] } },
        redelivery: { secrets: [secret] }
      })
      const { key } = stored
      yield* Effect.gen(function* () {
        const token = yield* OneTimeToken.issue({ bucket: "media", key, secret, expiresIn: "1 hour" })
        const withToken = Callback.withQuery(contract(), { token })
        yield* TestClock.adjust("2 days")
        assert.isTrue(Option.isSome(yield* Redelivery.redeliver(withToken, failed, { secret })))
        const other = new CallbackFailed({ ...failed, stored: { ...stored, requestId: "R2" } })
        const entry = yield* Redelivery.prepare(withToken, other)
        assert.isTrue(Either.isLeft(yield* Effect.either(Redelivery.deliver(entry, { secret }))))
      }).pipe(over(wired(receiver)))
    })
  )
})

describe("the outbox", () => {
  const upload = Effect.fail(failed)

  it.effect("has a callback that failed by the time the failure is told", () =>
    Effect.gen(function* () {
      const waiting = yield* Effect.flip(Redelivery.keeping(callback)(upload)).pipe(
        Effect.zipRight(Effect.flatMap(Outbox.Outbox, ({ list }) => list)),
        over(wired(receiving().receiver))
      )
      assert.deepStrictEqual(
        waiting.map(({ stored, urls }) => [stored.requestId, urls]),
        [[stored.requestId, ["https://api.example.com/oss/video?v=1"]]]
      )
    })
  )

  it.effect("gives up what was delivered, and keeps what was not, each with why", () =>
    Effect.gen(function* () {
      const { receiver, seen } = receiving()
      yield* Effect.gen(function* () {
        const outbox = yield* Outbox.Outbox
        yield* Effect.ignore(Redelivery.keeping(callback)(upload))
        yield* outbox.put(undelivered(1))
        const first = yield* Redelivery.reconcile({ secret, concurrency: 1 })
        assert.deepStrictEqual(first.delivered, [])
        assert.deepStrictEqual(
          first.kept.map(({ reason }) => reason),
          ["BadStatus", "CannotConnect"]
        )
        const second = yield* Redelivery.reconcile({ secret, concurrency: 1 })
        assert.lengthOf(second.delivered, 1)
        // The other one has a body that this receiver does not understand.
        assert.deepStrictEqual(
          second.kept.map(({ detail }) => detail),
          ["Error status : 400."]
        )
        assert.lengthOf(yield* outbox.list, 1)
      }).pipe(over(wired(receiver, [502, "down"])))
      assert.lengthOf(seen, 1)
    })
  )

  it.effect("gives up what was handled before, though nobody knows the answer any more", () =>
    Effect.gen(function* () {
      const { receiver, seen } = receiving("v".repeat(20_000)) // longer than what guards keep
      yield* Effect.gen(function* () {
        const outbox = yield* Outbox.Outbox
        const first = yield* Redelivery.redeliver(callback, failed, { secret })
        assert.isTrue(Option.isSome(first))
        assert.isTrue(Option.isNone(yield* Redelivery.redeliver(callback, failed, { secret })))
        yield* Effect.ignore(Redelivery.keeping(callback)(upload))
        assert.lengthOf((yield* Redelivery.reconcile({ secret })).delivered, 1)
        assert.deepStrictEqual(yield* outbox.list, [])
      }).pipe(over(wired(receiver)))
      assert.lengthOf(seen, 1)
    })
  )
})
