/** Receivers that ask for a one-time token: in the URL's query, or in a variable. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "../../../../adapters/node/NodeCrypto.ts"
import * as ReplayGuard from "../../../../core/ports/ReplayGuard.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as OneTimeToken from "../../../../core/programs/OneTimeToken.ts"
import * as Callback from "../../../../core/wire/Callback.ts"
import * as SignedCallback from "../../../support/SignedCallback.ts"
import { quietly, told } from "../../../support/SignedCallback.ts"

const secret = Redacted.make("a secret drawn at random")
const response = Schema.Struct({ run: Schema.Number })
const who = { object: Callback.object, etag: Callback.etag, request: Callback.reqId }
const url = "https://api.example.com/oss/video"
const ByQuery = Callback.make({ url, bucket: "media", body: who, response })
const ByVariable = Callback.make({ url, bucket: "media", body: { ...who, pass: Callback.token("pass") }, response })

const issue = Effect.provide(
  OneTimeToken.issue({ bucket: "media", keyPrefix: "u_1/", secret, expiresIn: "1 hour" }),
  NodeCrypto.layer
)

type Guard = ReplayGuard.ReplayGuard
type Response = typeof response.Type
type Make = (
  handler: () => Effect.Effect<Response, string>,
  options: { readonly replay: CallbackReceiver.Replay<Guard> }
) => CallbackReceiver.Receiver<Guard>

const takesByQuery: Make = (handler, options) => CallbackReceiver.make(ByQuery, handler, options)
const takesByVariable: Make = (handler, options) => CallbackReceiver.make(ByVariable, handler, options)

/** A receiver with an empty guard, whose handler counts its runs; it fails the first `failures` times. */
const receiving = (make: Make, failures = 0) => {
  const runs = { count: 0 }
  const receiver = make(
    () => {
      const run = ++runs.count
      return run <= failures ? Effect.fail("no") : Effect.succeed({ run })
    },
    { replay: { guard: ReplayGuard.ReplayGuard, tokens: { secrets: [secret] } } }
  )
  const guard = ReplayGuard.makeMemory()
  const handle = (request: CallbackReceiver.Request) =>
    Effect.map(Effect.provideService(quietly(receiver.handle(request)), ReplayGuard.ReplayGuard, guard), told)
  return { handle, runs }
}

const byQuery = (token: string | undefined, { key = "u_1/a", request = "R1" } = {}) =>
  SignedCallback.make(
    `object=${encodeURIComponent(key)}&etag=E&request=${request}&bucket=media`,
    "/oss/video",
    token === undefined ? undefined : `token=${token}`
  )

const byVariable = (token: string) => SignedCallback.make(`object=u_1%2Fa&etag=E&request=R1&pass=${token}&bucket=media`)

const badToken = [403, { error: "BadToken" }] as const

describe("a receiver that asks for tokens", () => {
  it.effect("takes one in the query of the URL", () =>
    Effect.gen(function* () {
      const { handle } = receiving(takesByQuery)
      assert.deepEqual(yield* handle(byQuery(yield* issue)), [200, { run: 1 }])
    })
  )

  it.effect("takes one in the contract's field for it, and there only", () =>
    Effect.gen(function* () {
      const { handle } = receiving(takesByVariable)
      const token = yield* issue
      const elsewhere = SignedCallback.make(
        "object=u_1%2Fa&etag=E&request=R1&pass=x&bucket=media",
        "/oss/video",
        `token=${token}`
      )
      assert.deepEqual(yield* handle(elsewhere), badToken)
      assert.deepEqual(yield* handle(byVariable(token)), [200, { run: 1 }])
    })
  )

  it.effect("refuses none, a foreign one, one for another key, and one that is over", () =>
    Effect.gen(function* () {
      const { handle, runs } = receiving(takesByQuery)
      const token = yield* issue
      for (const request of [byQuery(undefined), byQuery("x.y"), byQuery(token, { key: "u_2/a" })]) {
        assert.deepEqual(yield* handle(request), badToken)
      }
      yield* TestClock.adjust("1 hour")
      assert.deepEqual(yield* handle(byQuery(token)), badToken)
      assert.strictEqual(runs.count, 0)
    })
  )

  it.effect("refuses for a second upload what was spent for the first", () =>
    Effect.gen(function* () {
      const { handle, runs } = receiving(takesByQuery)
      const token = yield* issue
      yield* handle(byQuery(token))
      assert.deepEqual(yield* handle(byQuery(token, { request: "R2" })), badToken)
      assert.deepEqual(yield* handle(byQuery(token)), [409, { error: "Replayed" }])
      assert.strictEqual(runs.count, 1)
    })
  )

  it.effect("does not spend a token on a handler that failed", () =>
    Effect.gen(function* () {
      const { handle } = receiving(takesByQuery, 1)
      const token = yield* issue
      assert.deepEqual(yield* handle(byQuery(token)), [500, { error: "HandlerFailed" }])
      assert.deepEqual(yield* handle(byQuery(token)), [200, { run: 2 }])
    })
  )

  it.effect("lets a fresh token through after one that was refused for the same upload", () =>
    Effect.gen(function* () {
      const { handle } = receiving(takesByQuery)
      const spent = yield* issue
      yield* handle(byQuery(spent))
      assert.deepEqual(yield* handle(byQuery(spent, { request: "R2" })), badToken)
      assert.deepEqual(yield* handle(byQuery(yield* issue, { request: "R2" })), [200, { run: 2 }])
    })
  )
})

describe("Callback.withQuery", () => {
  const urlsOf = <A>(callback: Callback.Callback<A>) =>
    Either.map(callback.encoded, ({ callback }): unknown =>
      (JSON.parse(Buffer.from(callback, "base64").toString()) as { readonly callbackUrl: string }).callbackUrl.split(
        ";"
      )
    )

  it("puts a token into each of the URLs, whether they have a query or not", () => {
    const contract = Callback.make({
      url: ["https://a", "https://b/c?d=1"],
      bucket: "media",
      body: {},
      response
    })
    assert.deepEqual(
      urlsOf(Callback.withQuery(contract(), { token: "a b" })),
      Either.right(["https://a?token=a%20b", "https://b/c?d=1&token=a%20b"])
    )
  })

  it("refuses for a callback whose URL the bucket keeps", () => {
    const { encoded } = Callback.withQuery(Callback.policy("p", response), { token: "t" })
    assert.strictEqual(Either.isLeft(encoded) && encoded.left.field, "url")
  })
})
