/**
 * How a callback that is delivered again, by the uploader's side and not by OSS, says who sends it. Pure.
 *
 * One header: `x-effect-oss-redelivery: v1.<milliseconds since 1970>.<seal>`. The seal is an HMAC-SHA256 with a secret of the
 * application's own, over time, path and query as they are called, and the body's SHA-256 (decisions/0013). The time is
 * part of it, so that a copy is worth nothing after a few minutes, as OSS's own signature is not.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import { CallbackRejected } from "../model/OssError.ts"
import type * as Crypto from "../ports/Crypto.ts"
import type { Received } from "./CallbackSignature.ts"
import * as Sealed from "./Sealed.ts"

/** The header's name. */
export const header = "x-effect-oss-redelivery"

const purpose = "callback redelivery"

const textOf = (crypto: Crypto.Service, time: string, { body, path, query }: Omit<Received, "headers">): string =>
  [time, query === undefined || query === "" ? path : `${path}?${query}`, crypto.sha256Hex(body)].join("\n")

/** The header's value. `time` in milliseconds since 1970; the secret must be one that `Sealed.checkSecret` takes. */
export const sign = (
  crypto: Crypto.Service,
  secret: Redacted.Redacted,
  time: number,
  called: Omit<Received, "headers">
): string => `v1.${time}.${Sealed.sealOf(crypto, secret, purpose, textOf(crypto, String(time), called))}`

const form = /^v1\.(\d{1,15})\.([0-9a-f]{64})$/

const reject = (reason: CallbackRejected["reason"], detail: string) =>
  Either.left(new CallbackRejected({ reason, detail }))

/**
 * Fails with `CallbackRejected`: `UnsupportedVersion` (not v1, or misshapen) or `BadSignature` (by none of the secrets, for
 * something else, or by a clock more than `maxAge` away from `now`, which is in milliseconds since 1970).
 */
export const verify = (
  crypto: Crypto.Service,
  secrets: ReadonlyArray<Redacted.Redacted>,
  received: Received,
  now: number,
  maxAge: Duration.Duration
): Either.Either<void, CallbackRejected> => {
  const [, time, seal] = form.exec(received.headers[header] ?? "") ?? []
  if (time === undefined || seal === undefined) return reject("UnsupportedVersion", "its redelivery header is not v1")
  if (!Sealed.isSealOf(crypto, secrets, purpose, textOf(crypto, time, received), seal)) {
    return reject("BadSignature", "the redelivery's seal does not fit path, query and body")
  }
  if (Math.abs(now - Number(time)) > Duration.toMillis(maxAge)) {
    return reject("BadSignature", `the redelivery was not sent within ${Duration.format(maxAge)} of now`)
  }
  return Either.void
}
