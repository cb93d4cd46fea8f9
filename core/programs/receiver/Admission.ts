/**
 * From a request to a callback that may be handled: who sent it, what it says, and whether it was allowed. Pure.
 *
 * Everything is decided over the raw bytes and in this order: length, signature, body, bucket, token. A stranger gets no
 * further than the signature, and costs one hash and one RSA check there.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import { CallbackRejected } from "../../model/OssError.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import type * as Callback from "../../wire/Callback.ts"
import * as CallbackSignature from "../../wire/CallbackSignature.ts"
import * as RedeliverySignature from "../../wire/RedeliverySignature.ts"
import * as Sealed from "../../wire/Sealed.ts"
import * as Uri from "../../wire/Uri.ts"
import * as OneTimeToken from "../OneTimeToken.ts"
import type { Deed } from "./Once.ts"

/** What a contract's body must hold, under names of its choice, for a guard to know its callbacks again. */
const identifying = ["object", "etag", "reqId"] as const
export type Identifying = (typeof identifying)[number]

export interface Redelivery {
  /** The secrets that redeliveries may be sealed with, each of at least 16 characters. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  /** How far the sender's clock may be from ours, either way. Default: 5 minutes. */
  readonly maxAge?: Duration.DurationInput | undefined
}

export interface Options {
  readonly maxBodyBytes: number
  readonly strippedPrefix: string
  /** Whether callbacks must be known again. */
  readonly guarded: boolean
  readonly tokenSecrets: ReadonlyArray<Redacted.Redacted> | undefined
  readonly redelivery: Redelivery | undefined
}

/** What is known when a request comes. */
export interface Moment {
  readonly crypto: Crypto.Service
  readonly trustedKeys: ReadonlyArray<CallbackSignature.TrustedKey>
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Admitted<F extends Callback.Fields> {
  readonly body: Callback.Body<F>
  /** Sent by the uploader's side, and sealed with its secret. */
  readonly redelivered: boolean
  /** What is done by handling it, each to be done once; empty without a guard. */
  readonly deeds: ReadonlyArray<Deed>
}

export type Admit<F extends Callback.Fields> = (
  request: CallbackSignature.Received,
  moment: Moment
) => Either.Either<Admitted<F>, CallbackRejected>

const nameOf = (fields: Callback.Fields, variable: string): string | undefined =>
  Object.entries(fields).find(([, field]) => field.variable === variable)?.[0]

const tokenName = (fields: Callback.Fields): string | undefined =>
  Object.entries(fields).find(([, field]) => field._tag === "Var" && field.isToken === true)?.[0]

/** What is wrong with a receiver's options, in a sentence. The compiler refuses most of it. */
const problemOf = (fields: Callback.Fields, { guarded, redelivery, tokenSecrets }: Options): string | undefined => {
  const missing = identifying.find((variable) => nameOf(fields, variable) === undefined)
  if (guarded && missing !== undefined) return `replay needs \${${missing}} in the contract's body`
  const secrets = [...(tokenSecrets ?? []), ...(redelivery?.secrets ?? [])]
  return secrets.some((secret) => Either.isLeft(Sealed.checkSecret(secret)))
    ? `a secret must be at least ${Sealed.minSecret} characters, drawn at random`
    : undefined
}

/** Decides by a contract. Gives a sentence instead when the options cannot work. */
export const make = <F extends Callback.Fields, A>(
  contract: Callback.Contract<F, A>,
  options: Options
): Admit<F> | string => {
  const { guarded, maxBodyBytes, redelivery, strippedPrefix, tokenSecrets } = options
  const { bucket, fields } = contract
  const problem = problemOf(fields, options)
  if (problem !== undefined) return problem
  const maxAge = Duration.decode(redelivery?.maxAge ?? "5 minutes")
  const identity = identifying.map((variable) => nameOf(fields, variable) ?? "")
  const token = tokenName(fields)

  // Each of them is a text, by its field's decoder.
  const textOf = (body: Readonly<Record<string, unknown>>, name: string) => body[name] as string

  const deedsOf = (
    body: Callback.Body<F>,
    { query }: CallbackSignature.Received,
    { crypto, now }: Moment,
    redelivered: boolean
  ): Either.Either<ReadonlyArray<Deed>, CallbackRejected> => {
    if (!guarded) return Either.right([])
    const who = identity.map((name) => textOf(body, name))
    const delivery: Deed = { id: `delivery-${crypto.sha256Hex(JSON.stringify([bucket, ...who]))}`, until: undefined }
    if (tokenSecrets === undefined) return Either.right([delivery])
    const inQuery = () => Either.getOrElse(Uri.decodeQuery(query ?? ""), (): Uri.Query => ({}))[OneTimeToken.parameter]
    const shown = token === undefined ? (inQuery() ?? "") : textOf(body, token)
    // What is redelivered came in time, when OSS first tried.
    const at = redelivered ? undefined : now
    return Either.map(
      OneTimeToken.check(crypto, tokenSecrets, shown, { bucket, key: who[0] ?? "", at }),
      ({ expiresAt, id }) => [delivery, { id, until: expiresAt }]
    )
  }

  // Without generators: strangers pay for this with our time.
  return (request, moment) => {
    if (request.body.length > maxBodyBytes) {
      const detail = `the body is longer than ${maxBodyBytes} bytes`
      return Either.left(new CallbackRejected({ reason: "BodyTooLong", detail }))
    }
    const called = strippedPrefix === "" ? request : { ...request, path: strippedPrefix + request.path }
    const redelivered = redelivery !== undefined && request.headers[RedeliverySignature.header] !== undefined
    const signed = redelivered
      ? RedeliverySignature.verify(moment.crypto, redelivery.secrets, called, moment.now, maxAge)
      : CallbackSignature.verify(moment.crypto, moment.trustedKeys, called)
    if (Either.isLeft(signed)) return Either.left(signed.left)
    const body = contract.decode(request.body)
    if (Either.isLeft(body)) return Either.left(body.left)
    return Either.map(deedsOf(body.right, request, moment, redelivered), (deeds) => ({
      body: body.right,
      redelivered,
      deeds
    }))
  }
}
