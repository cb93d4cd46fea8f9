import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import type { Crypto } from "../../../core/ports/Crypto.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import type * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as SignedCallback from "../../support/SignedCallback.ts"
import { base64, keyUrl, quietly, services, text, told, trusted as ourKey } from "../../support/SignedCallback.ts"

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video",
  bucket: "media",
  body: { object: Callback.object, size: Callback.size, token: Callback.var("token", Schema.NumberFromString) },
  response: Schema.Struct({ videoId: Schema.String, at: Schema.Date })
})

const answered = { videoId: "v_1", at: new Date(0) }
const answeredJson = `{"videoId":"v_1","at":"1970-01-01T00:00:00.000Z"}`

const goodBody = "object=videos%2Fa.mp4&size=9&token=42&bucket=media"

/** A request as OSS would send it, signed with the test's own key. */
const signed = (body = goodBody, path = "/oss/video", query?: string) => SignedCallback.make(body, path, query)

const answering = CallbackReceiver.make(VideoUploaded, () => Effect.succeed(answered))

/** Answers at once; for properties, to which building the services anew each time would be most of the work. */
const answerNow = (() => {
  const runtime = Effect.runSync(
    Effect.runtime<Crypto>().pipe(Effect.provide(services), Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
  return (request: CallbackReceiver.Request) => Runtime.runSync(runtime)(answering.handle(request))
})()

/** The log of a program, a line each. */
const logged = <A>(effect: Effect.Effect<A, never, Crypto>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message, cause, annotations }) => {
      const failure = Cause.isEmpty(cause) ? "" : Cause.pretty(cause)
      lines.push([logLevel.label, ...[message].flat().map(String), failure, ...HashMap.values(annotations)].join(" "))
    })
    yield* effect.pipe(Effect.provide(services), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    return lines
  })

describe("CallbackReceiver.handle", () => {
  it.effect("hands the decoded body to the handler, and answers what it says, as OSS takes it", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const receiver = CallbackReceiver.make(VideoUploaded, (body) =>
        Effect.sync(() => {
          seen.push(body)
          return answered
        })
      )
      const answer = yield* quietly(receiver.handle(signed()))
      assert.deepEqual(seen, [{ object: "videos/a.mp4", size: 9, token: 42 }])
      assert.strictEqual(text(answer), answeredJson)
      assert.deepEqual(
        { status: answer.status, headers: answer.headers },
        {
          status: 200,
          headers: { "content-type": "application/json", "content-length": String(answeredJson.length) }
        }
      )
    })
  )

  it.effect("counts Content-Length in bytes", () =>
    Effect.gen(function* () {
      const receiver = CallbackReceiver.make(VideoUploaded, () => Effect.succeed({ ...answered, videoId: "日本" }))
      const answer = yield* quietly(receiver.handle(signed()))
      assert.strictEqual(answer.headers["content-length"], String(Buffer.byteLength(text(answer))))
    })
  )

  it.effect("trusts Alibaba's key when no other is given: a request that OSS really signed comes through", () =>
    Effect.gen(function* () {
      const contract = Callback.make({ url: "http://a", bucket: "yonghu-test", body: {}, response: Schema.Struct({}) })
      const receiver = CallbackReceiver.make(contract, () => Effect.succeed({}))
      const answer = yield* receiver
        .handle({
          method: "POST",
          path: "/index.php",
          query: "id=1&index=2",
          headers: {
            authorization: "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==",
            "x-oss-pub-key-url": base64("http://gosspublic.alicdn.com/callback_pub_key_v1.pem")
          },
          body: Utf8.encode("bucket=yonghu-test")
        })
        .pipe(Effect.provide(NodeCrypto.layer))
      assert.deepEqual(told(answer), [200, {}])
    })
  )

  it.effect("trusts the keys of its options, in place of those of the context", () =>
    Effect.gen(function* () {
      const own = (trustedKeys: ReadonlyArray<CallbackSignature.TrustedKey>) =>
        CallbackReceiver.make(VideoUploaded, () => Effect.succeed(answered), { trustedKeys })
      const alone = own([ourKey]).handle(signed()).pipe(Effect.provide(NodeCrypto.layer))
      assert.strictEqual((yield* alone).status, 200)
      const none = yield* quietly(own([]).handle(signed()))
      assert.deepEqual(told(none), [403, { error: "UntrustedKey" }])
    })
  )

  it.effect("verifies the path that OSS called, when a proxy has cut off its front", () =>
    Effect.gen(function* () {
      const behind = CallbackReceiver.make(VideoUploaded, () => Effect.succeed(answered), { strippedPrefix: "/api" })
      const request = signed(goodBody, "/api/oss/video", "a=%2F")
      const arrived = { ...request, path: "/oss/video" }
      assert.strictEqual((yield* quietly(behind.handle(arrived))).status, 200)
      assert.strictEqual((yield* quietly(answering.handle(arrived))).status, 403)
    })
  )
})

describe("a request that is refused", () => {
  const { authorization: _, ...unsigned } = signed().headers
  const refusals: ReadonlyArray<
    readonly [what: string, request: CallbackReceiver.Request, status: number, error: string]
  > = [
    ["by GET", { ...signed(), method: "GET" }, 405, "MethodNotAllowed"],
    ["without a signature", { ...signed(), headers: unsigned }, 403, "Unsigned"],
    [
      "of signature version 2.0",
      { ...signed(), headers: { ...signed().headers, "x-oss-signature-version": "2.0" } },
      403,
      "UnsupportedVersion"
    ],
    [
      "with a key of the sender's choice",
      { ...signed(), headers: { ...signed().headers, "x-oss-pub-key-url": base64("https://evil.example.com/") } },
      403,
      "UntrustedKey"
    ],
    ["with another body", { ...signed(), body: Utf8.encode(`${goodBody}&x=1`) }, 403, "BadSignature"],
    ["with another path", { ...signed(), path: "/oss/videos" }, 403, "BadSignature"],
    ["with a query more", { ...signed(), query: "x=1" }, 403, "BadSignature"],
    ["longer than 64 KiB", signed(`${goodBody}&x=${"x".repeat(65_536)}`), 413, "BodyTooLong"],
    ["with a field that does not fit", signed("object=a&size=nine&token=42&bucket=media"), 400, "BadBody"],
    ["about another bucket", signed(goodBody.replace("media", "other")), 403, "WrongBucket"],
    ["about no bucket", signed("object=a&size=9&token=42"), 403, "WrongBucket"]
  ]

  for (const [what, request, status, error] of refusals) {
    it.effect(`${what}: ${status} ${error}, and the handler does not run`, () =>
      Effect.gen(function* () {
        let runs = 0
        const receiver = CallbackReceiver.make(VideoUploaded, () =>
          Effect.sync(() => {
            runs++
            return answered
          })
        )
        const answer = yield* quietly(receiver.handle(request))
        assert.deepEqual(told(answer), [status, { error }])
        assert.strictEqual(answer.headers["content-length"], String(answer.body.length))
        assert.strictEqual(answer.headers["allow"], status === 405 ? "POST" : undefined)
        assert.strictEqual(runs, 0)
      })
    )
  }

  it.effect("is refused for its length before anything is computed, at one byte more than may be", () =>
    Effect.gen(function* () {
      const limited = CallbackReceiver.make(VideoUploaded, () => Effect.succeed(answered), {
        maxBodyBytes: goodBody.length
      })
      assert.strictEqual(limited.maxBodyBytes, goodBody.length)
      assert.strictEqual((yield* quietly(limited.handle(signed()))).status, 200)
      const longer = { ...signed(`${goodBody}&`), headers: {} }
      assert.deepEqual(told(yield* quietly(limited.handle(longer))), [413, { error: "BodyTooLong" }])
    })
  )

  it.effect("is logged with its reason, and with nothing of what it carried", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        answering.handle(signed("object=a&size=9&token=s3cret&bucket=media", "/p", "q=s3cret"))
      )
      assert.deepEqual(lines, [`WARN callback rejected: "token" expected NumberFromString (BadBody)  BadBody media`])
    })
  )

  it("is refused after any one bit of what was signed has changed", () => {
    const request = signed(goodBody, "/oss/video", "id=1")
    const bits = FastCheck.nat(request.body.length * 8 - 1)
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom("body", "authorization"), bits, (where, bit) => {
        const flip = (bytes: Uint8Array): Uint8Array => {
          const at = (bit >> 3) % bytes.length
          return bytes.map((byte, i) => (i === at ? byte ^ (1 << (bit & 7)) : byte))
        }
        const signature = Buffer.from(request.headers["authorization"]!, "base64")
        const forged =
          where === "body"
            ? { ...request, body: flip(request.body) }
            : {
                ...request,
                headers: { ...request.headers, authorization: Buffer.from(flip(signature)).toString("base64") }
              }
        return answerNow(forged).status === 403
      }),
      { numRuns: 2000 }
    )
  })

  it("ends in an answer that is JSON, whatever arrives", () => {
    const anything = FastCheck.string({ unit: "binary", maxLength: 60 })
    const header = FastCheck.oneof(anything, FastCheck.constantFrom(base64(keyUrl), "", "AAAA"))
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({
          method: FastCheck.constantFrom("POST", "PUT", ""),
          path: FastCheck.oneof(anything, FastCheck.constant("/oss/video")),
          query: FastCheck.option(anything, { nil: undefined }),
          headers: FastCheck.record({ authorization: header, "x-oss-pub-key-url": header }, { requiredKeys: [] }),
          body: FastCheck.oneof(FastCheck.uint8Array({ maxLength: 60 }), FastCheck.constant(Utf8.encode(goodBody)))
        }),
        (request) => {
          const headers: Record<string, string> = {}
          for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = value
          const answer = answerNow({ ...request, headers })
          return answer.status >= 400 && typeof JSON.parse(text(answer)) === "object"
        }
      ),
      { numRuns: 2000 }
    )
  })
})

describe("a handler that fails", () => {
  const secret = "s3cret"
  const ways: ReadonlyArray<readonly [what: string, handler: () => Effect.Effect<typeof answered, string>]> = [
    ["with its own error", () => Effect.fail(secret)],
    ["by a defect", () => Effect.die(new Error(secret))],
    ["by its own interruption", () => Effect.interrupt],
    [
      "by throwing",
      () => {
        throw new Error(secret)
      }
    ]
  ]

  for (const [what, handler] of ways) {
    it.effect(`${what}: 500, and the reason is not answered`, () =>
      Effect.gen(function* () {
        const receiver = CallbackReceiver.make(VideoUploaded, handler)
        assert.deepEqual(told(yield* quietly(receiver.handle(signed()))), [500, { error: "HandlerFailed" }])
        const [line, ...more] = yield* logged(receiver.handle(signed()))
        assert.match(line ?? "", /^ERROR the callback's handler failed/)
        assert.deepEqual(more, [])
      })
    )
  }

  it.effect("chooses its status, but never one that OSS takes for success", () =>
    Effect.gen(function* () {
      const statusFor = (statusOf: () => number) =>
        quietly(CallbackReceiver.make(VideoUploaded, () => Effect.fail(secret), { statusOf }).handle(signed())).pipe(
          Effect.map(({ status }) => status)
        )
      assert.strictEqual(yield* statusFor(() => 409), 409)
      for (const status of [200, 203, 302, 600, 404.5, Number.NaN]) {
        assert.strictEqual(yield* statusFor(() => status), 500)
      }
      const throwing = () => {
        throw new Error(secret)
      }
      assert.strictEqual(yield* statusFor(throwing), 500)
    })
  )
})

describe("an answer that OSS would not pass on is not sent", () => {
  const contract = Callback.make({
    url: "http://a",
    bucket: "media",
    body: {},
    response: Schema.Union(Schema.NonEmptyString, Schema.Undefined)
  })
  const answerTo = (answer: string | undefined) =>
    quietly(CallbackReceiver.make(contract, () => Effect.succeed(answer)).handle(signed("bucket=media")))

  it.effect("longer than 1 MiB of JSON", () =>
    Effect.gen(function* () {
      const exact = "x".repeat(CallbackReceiver.maxAnswerBytes - 2) // and two quotes
      assert.strictEqual((yield* answerTo(exact)).status, 200)
      assert.deepEqual(told(yield* answerTo(`${exact}x`)), [500, { error: "BadAnswer" }])
    })
  )

  it.effect("no JSON at all", () =>
    Effect.gen(function* () {
      assert.deepEqual(told(yield* answerTo(undefined)), [500, { error: "BadAnswer" }])
    })
  )

  it.effect("off the contract, which types cannot always see", () =>
    Effect.gen(function* () {
      assert.deepEqual(told(yield* answerTo("")), [500, { error: "BadAnswer" }])
    })
  )
})

describe("a handler that is late", () => {
  /** A handler that is done after ten seconds, and tells how it ended. */
  const slow = Effect.gen(function* () {
    const ended = yield* Ref.make("running")
    const handler = () =>
      Effect.sleep("10 seconds").pipe(
        Effect.zipRight(Ref.set(ended, "done")),
        Effect.as(answered),
        Effect.onInterrupt(() => Ref.set(ended, "interrupted"))
      )
    return { ended, handler }
  })

  it.effect("is interrupted at 4.5 seconds, and OSS is told: 503", () =>
    Effect.gen(function* () {
      const { ended, handler } = yield* slow
      const fiber = yield* Effect.fork(quietly(CallbackReceiver.make(VideoUploaded, handler).handle(signed())))
      yield* TestClock.adjust("4499 millis")
      assert.isNull(yield* Effect.map(Fiber.poll(fiber), (exit) => (exit._tag === "None" ? null : exit)))
      yield* TestClock.adjust("1 millis")
      assert.deepEqual(told(yield* Fiber.join(fiber)), [503, { error: "HandlerLate" }])
      yield* Effect.yieldNow()
      assert.strictEqual(yield* ended, "interrupted")
    })
  )

  it.effect("does not hold up the answer by refusing to be interrupted", () =>
    Effect.gen(function* () {
      const handler = () => Effect.uninterruptible(Effect.as(Effect.sleep("1 minute"), answered))
      const receiver = CallbackReceiver.make(VideoUploaded, handler, { budget: "1 second" })
      const fiber = yield* Effect.fork(quietly(receiver.handle(signed())))
      yield* TestClock.adjust("1 second")
      assert.deepEqual(told(yield* Fiber.join(fiber)), [503, { error: "HandlerLate" }])
    })
  )

  it.effect("goes on in the background, while OSS gets 503", () =>
    Effect.gen(function* () {
      const { ended, handler } = yield* slow
      const receiver = CallbackReceiver.make(VideoUploaded, handler, { onLate: "background" })
      const fiber = yield* Effect.fork(quietly(receiver.handle(signed())))
      yield* TestClock.adjust("5 seconds")
      assert.deepEqual(told(yield* Fiber.join(fiber)), [503, { error: "HandlerLate" }])
      assert.strictEqual(yield* ended, "running")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* ended, "done")
    })
  )

  it.effect("goes on in the background, while OSS gets the answer that was agreed for it", () =>
    Effect.gen(function* () {
      const { handler } = yield* slow
      const options = { onLate: "background", lateResponse: { ...answered, videoId: "pending" } } as const
      const fiber = yield* Effect.fork(quietly(CallbackReceiver.make(VideoUploaded, handler, options).handle(signed())))
      yield* TestClock.adjust("5 seconds")
      assert.deepEqual(told(yield* Fiber.join(fiber)), [200, { videoId: "pending", at: "1970-01-01T00:00:00.000Z" }])
    })
  )

  it.effect("and fails in the background, is logged", () =>
    Effect.gen(function* () {
      const handler = () => Effect.zipRight(Effect.sleep("10 seconds"), Effect.fail("gone"))
      const receiver = CallbackReceiver.make(VideoUploaded, handler, { onLate: "background" })
      const fiber = yield* Effect.fork(logged(Effect.zipRight(receiver.handle(signed()), Effect.sleep("10 seconds"))))
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("10 seconds")
      const lines = yield* Fiber.join(fiber)
      assert.match(lines[0] ?? "", /^WARN the callback's handler took longer than 4s 500ms/)
      assert.match(lines[1] ?? "", /^ERROR the callback's late handler failed Error: gone/)
      assert.strictEqual(lines.length, 2)
    })
  )

  it.effect("is interrupted when the sender hangs up", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const { ended, handler } = yield* slow
      const receiver = CallbackReceiver.make(VideoUploaded, () =>
        Effect.zipRight(Deferred.succeed(started, undefined), handler())
      )
      const fiber = yield* Effect.fork(quietly(receiver.handle(signed())))
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      yield* Effect.yieldNow()
      assert.strictEqual(yield* ended, "interrupted")
    })
  )
})

describe("the metrics of a receiver", () => {
  /** The counts of all metrics of this name, by their tag. */
  const counted = (name: string) =>
    Effect.map(Metric.snapshot, (pairs) =>
      Object.fromEntries(
        pairs
          .filter(({ metricKey }) => metricKey.name === name)
          .map(({ metricKey, metricState }) => [
            metricKey.tags.map(({ value }) => value).join(),
            MetricState.isCounterState(metricState) || MetricState.isHistogramState(metricState)
              ? Number(metricState.count)
              : 0
          ])
      )
    )

  it.effect("count what came, what was refused and why, and how long answers took, by how they ended", () =>
    Effect.gen(function* () {
      const names = ["oss_callback_received", "oss_callback_rejected", "oss_callback_milliseconds"]
      const before = yield* Effect.forEach(names, counted)
      const failing = CallbackReceiver.make(VideoUploaded, () => Effect.fail("no"))
      for (const request of [signed(), signed(), { ...signed(), query: "x" }, { ...signed(), method: "GET" }]) {
        yield* quietly(answering.handle(request))
      }
      yield* quietly(failing.handle(signed()))
      const after = yield* Effect.forEach(names, counted)
      const rise = after.map((counts, i) =>
        Object.fromEntries(
          Object.entries(counts)
            .map(([tag, count]) => [tag, count - (before[i]?.[tag] ?? 0)] as const)
            .filter(([, count]) => count > 0)
        )
      )
      assert.deepEqual(rise, [{ "": 5 }, { BadSignature: 1 }, { handled: 2, rejected: 2, failed: 1 }])
    })
  )
})

describe("the span of a request", () => {
  /** The attributes of the spans of a program. */
  const traced = (request: CallbackReceiver.Request) =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = yield* Effect.tracer
      const recording = Tracer.make({
        context: tracer.context.bind(tracer),
        span: (...options) => {
          const span = tracer.span(...options)
          spans.push(span)
          return span
        }
      })
      yield* Effect.withTracer(quietly(answering.handle(request)), recording)
      return spans.map(({ name, kind, attributes }): object => ({ name, kind, ...Object.fromEntries(attributes) }))
    })

  it.effect("tells the bucket and the outcome, and nothing of what was carried", () =>
    Effect.gen(function* () {
      const span = { name: "oss.CallbackReceiver.handle", kind: "server", "oss.bucket": "media" }
      assert.deepEqual(yield* traced(signed()), [{ ...span, "http.response.status_code": 200 }])
      assert.deepEqual(yield* traced({ ...signed(), query: "token=s3cret" }), [
        { ...span, "http.response.status_code": 403, "oss.callback.rejection": "BadSignature" }
      ])
    })
  )
})
