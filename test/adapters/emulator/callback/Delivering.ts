/**
 * What tests of deliveries share: an object stored, keys, a sender, and servers to call back. For tests only.
 */
import * as Effect from "effect/Effect"
import * as CallbackKeys from "../../../../adapters/emulator/callback/CallbackKeys.ts"
import * as CallbackSender from "../../../../adapters/emulator/callback/CallbackSender.ts"
import type { Facts } from "../../../../adapters/emulator/callback/Facts.ts"
import type { Failed, Outcome } from "../../../../adapters/emulator/callback/Outcome.ts"
import * as TestServer from "../../../support/TestServer.ts"

export const facts: Facts = {
  bucket: "examplebucket",
  object: "videos/holiday.mp4",
  etag: "5D41402ABC4B2A76B9719D911017C592",
  size: 5,
  mimeType: "video/mp4",
  crc64: 11051210869376104954n,
  contentMd5: "XUFAKrxLKna5cZ2REBfFkg==",
  clientIp: "127.0.0.1",
  requestId: "65A1B2C3D4E5F60718293A4B",
  operation: "PutObject",
  owner: "1000000000000001",
  requester: "1000000000000001",
  time: Date.UTC(2024, 0, 2, 3, 4, 5)
}

export const keys = Effect.runSync(CallbackKeys.generated)
export const publicKeyUrl = "http://127.0.0.1:9/callback_pub_key_v1.pem"

export const sender = (options: Partial<CallbackSender.Options> = {}): CallbackSender.Service =>
  CallbackSender.make(keys, { publicKeyUrl: () => publicKeyUrl, ...options })

/** Orders and delivers as an upload does. */
export const deliver = (
  configuration: object,
  options: Partial<CallbackSender.Options> = {},
  service = sender(options)
): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const callback = Buffer.from(JSON.stringify({ callbackBody: "size=${size}", ...configuration })).toString("base64")
    const order = yield* service.order({ header: { callback } })
    if (order === undefined) return yield* Effect.dieMessage("no callback")
    return yield* service.deliver(order, facts)
  }).pipe(Effect.orDie)

/** One server per test, closed at its end. */
export const withServer = <A>(
  handler: TestServer.Handler,
  use: (server: TestServer.TestServer) => Effect.Effect<A>,
  options: { readonly tls?: boolean } = {}
): Promise<A> => Effect.runPromise(Effect.scoped(Effect.flatMap(TestServer.start(handler, options), use)))

export const ok = TestServer.answer(200, { "Content-Type": "application/json" }, '{"Status":"OK"}')

export const failed = (ec: string, message: string): Failed => ({ _tag: "Failed", message, ec: `0007-00000${ec}` })

export const cannotConnect = failed(
  "203",
  "Error status : -1.OSS can not connect to your callbackUrl, please check it."
)
