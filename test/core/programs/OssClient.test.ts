import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import { bytes, Transport } from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import { answer, broken, make as script, refusal, type ScriptedTransport } from "../../support/ScriptedTransport.ts"

const key = Either.getOrThrow(ObjectKey.make("a b/../c.txt"))
const head = Operation.headObject(key)
const found = answer(200, "", { "content-length": "9" })

const keys = (token: string): Credentials => ({
  accessKeyId: "ak",
  accessKeySecret: Redacted.make("sk"),
  securityToken: Redacted.make(token)
})

const client = (transport: ScriptedTransport, provider = CredentialsProvider.fixed(keys("token-1"))) =>
  OssClient.make({ bucket: "media", region: "cn-hangzhou" }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.succeed(Transport, transport),
        NodeCrypto.layer,
        Layer.succeed(CredentialsProvider.CredentialsProvider, provider)
      )
    )
  )

/** Runs to the end, however long it waits. */
const patiently = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("5 minutes")
    return yield* Fiber.join(fiber)
  })

describe("OssClient.execute", () => {
  it.effect("sends the key as it is, signed, to the bucket's host", () =>
    Effect.gen(function* () {
      const transport = script(found)
      yield* (yield* client(transport)).execute(head)
      const [request] = transport.requests
      assert.strictEqual(request?.url, "https://media.oss-cn-hangzhou.aliyuncs.com/a%20b%2F..%2Fc.txt")
      assert.match(
        request?.headers["authorization"] ?? "",
        /^OSS4-HMAC-SHA256 Credential=ak\/19700101\/cn-hangzhou\/oss\//
      )
      assert.strictEqual(request?.headers["x-oss-security-token"], "token-1")
    })
  )

  it.effect("tries again after 5xx, 429 and broken connections, signed anew each time", () =>
    Effect.gen(function* () {
      const transport = script(refusal(503, "ServiceUnavailable"), broken("unknown"), refusal(429, "TooMany"), found)
      const info = yield* patiently((yield* client(transport)).execute(head))
      assert.strictEqual(info.size, 9)
      assert.strictEqual(transport.requests.length, 4)
    })
  )

  it.effect("gives up after five attempts, with the last error", () =>
    Effect.gen(function* () {
      const transport = script(...Array.from({ length: 9 }, () => refusal(500, "InternalError")))
      const error = yield* Effect.flip(patiently((yield* client(transport)).execute(head)))
      assert.strictEqual(error._tag, "ServiceError")
      assert.strictEqual(transport.requests.length, 5)
    })
  )

  it.effect("does not try again what cannot pass by itself", () =>
    Effect.gen(function* () {
      for (const step of [refusal(403, "AccessDenied"), refusal(404, "NoSuchKey"), answer(200)]) {
        const transport = script(step)
        yield* Effect.flip((yield* client(transport)).execute(head))
        assert.strictEqual(transport.requests.length, 1)
      }
    })
  )

  it.effect("does not repeat a request that may have been acted on and must not be acted on twice", () =>
    Effect.gen(function* () {
      const complete = MultipartOperation.completeMultipartUpload(key, "id", [{ number: 1, etag: "E" }], {})
      for (const step of [broken("unknown"), refusal(500, "InternalError")]) {
        const transport = script(step)
        yield* Effect.flip(patiently((yield* client(transport)).execute(complete)))
        assert.strictEqual(transport.requests.length, 1)
      }
      const transport = script(broken("nothing"), answer(200, "", { etag: `"E"` }))
      yield* patiently((yield* client(transport)).execute(complete))
      assert.strictEqual(transport.requests.length, 2)
    })
  )

  it.effect("learns OSS's clock from RequestTimeTooSkewed, at once and for later requests", () =>
    Effect.gen(function* () {
      const skewed = refusal(403, "RequestTimeTooSkewed", "<ServerTime>2025-07-15T09:30:45.000Z</ServerTime>")
      const transport = script(skewed, found, found)
      const { execute } = yield* client(transport)
      yield* execute(head)
      yield* execute(head)
      const dates = transport.requests.map((request) => request.headers["x-oss-date"])
      assert.deepEqual(dates, ["19700101T000000Z", "20250715T093045Z", "20250715T093045Z"])
    })
  )

  it.effect("asks for new credentials once when the token has expired", () =>
    Effect.gen(function* () {
      let current = keys("old")
      const provider: CredentialsProvider.Service = {
        get: Effect.sync(() => current),
        invalidate: (refused) => Effect.sync(() => void (refused === current && (current = keys("new"))))
      }
      const transport = script(refusal(403, "SecurityTokenExpired"), found)
      yield* (yield* client(transport, provider)).execute(head)
      assert.deepEqual(
        transport.requests.map((request) => request.headers["x-oss-security-token"]),
        ["old", "new"]
      )
      const stubborn = script(refusal(403, "SecurityTokenExpired"))
      const error = yield* Effect.flip((yield* client(stubborn)).execute(head))
      assert.strictEqual(error._tag === "ServiceError" && error.code, "SecurityTokenExpired")
    })
  )

  it.effect("gives larger bodies more time", () =>
    Effect.gen(function* () {
      const transport = script(answer(200), answer(200))
      const { execute } = yield* client(transport)
      yield* execute(Operation.putObject(key, {}, bytes(new Uint8Array(0))))
      yield* execute(Operation.putObject(key, {}, bytes(new Uint8Array(16 * 1024 * 100))))
      const [small, large] = transport.requests.map((request) =>
        Number(request.timeout.value._tag === "Millis" && request.timeout.value.millis)
      )
      assert.strictEqual(small, 60_000)
      assert.strictEqual(large, 160_000)
    })
  )

  it.effect("sends nothing when there are no keys, and says which variables to set", () =>
    Effect.gen(function* () {
      const transport = script()
      const error = yield* Effect.flip((yield* client(transport, CredentialsProvider.fromConfig)).execute(head)).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      )
      assert.match(error.message, /^no credentials: set OSS_ACCESS_KEY_ID/)
      assert.strictEqual(transport.requests.length, 0)
    })
  )

  it.effect("refuses a speed that is none, and an endpoint that is none", () =>
    Effect.gen(function* () {
      const make = (options: Partial<OssClient.Options>) =>
        OssClient.make({ bucket: "media", region: "cn-hangzhou", ...options }).pipe(
          Effect.provide(
            Layer.mergeAll(Layer.succeed(Transport, script()), NodeCrypto.layer, CredentialsProvider.layerConfig)
          ),
          Effect.flip
        )
      assert.strictEqual((yield* make({ minimumSpeed: 0 })).field, "minimumSpeed")
      assert.strictEqual((yield* make({ publicEndpoint: "ftp://x" })).field, "endpoint")
    })
  )
})
