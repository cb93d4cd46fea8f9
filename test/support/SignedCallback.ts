/**
 * Callbacks as OSS would send them, signed with a key of the test's own, and what a receiver needs to take them.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NodeCryptoModule from "node:crypto"
import * as NodeCrypto from "../../adapters/node/NodeCrypto.ts"
import * as Utf8 from "../../core/model/Utf8.ts"
import type { Crypto } from "../../core/ports/Crypto.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"

export const keyUrl = "https://keys.example.com/key.pem"
const pair = NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength: 512 })
export const trusted = Either.getOrThrow(
  CallbackSignature.trust(keyUrl, pair.publicKey.export({ type: "spki", format: "pem" }).toString())
)

export const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** A signed request. What is signed has the path as it is, so it must not be percent-encoded. */
export const make = (body: string, path = "/oss/video", query?: string): CallbackReceiver.Request => {
  const text = `${path}${query === undefined ? "" : `?${query}`}\n${body}`
  return {
    method: "POST",
    path,
    query,
    headers: {
      authorization: NodeCryptoModule.sign("md5", Buffer.from(text), pair.privateKey).toString("base64"),
      "x-oss-pub-key-url": base64(keyUrl),
      "x-oss-signature-version": "1.0"
    },
    body: Utf8.encode(body)
  }
}

export const services = Layer.merge(NodeCrypto.layer, CallbackReceiver.layerTrustedKeys([trusted]))

/** Runs with everything a receiver needs, and without its logs. */
export const quietly = <A, R>(
  effect: Effect.Effect<A, never, R | Crypto>
): Effect.Effect<A, never, Exclude<R, Crypto>> =>
  effect.pipe(Effect.provide(services), Effect.provide(Logger.remove(Logger.defaultLogger)))

export const text = ({ body }: CallbackReceiver.Answer): string => Buffer.from(body).toString()

/** Status and body of an answer. */
export const told = (answer: CallbackReceiver.Answer) => [answer.status, JSON.parse(text(answer)) as unknown] as const
