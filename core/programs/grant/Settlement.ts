/**
 * What comes after a grant of parts: more URLs, the end, or giving up. The ticket is all that the server needs to be told.
 *
 * Nothing the uploader says is believed: OSS's own list of parts decides, part by part, by size and CRC-64.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Crc64 from "../../model/Crc64.ts"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { CallbackFailed, InvalidParam, type CredentialsError } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { Outcome, PartUrl, SentPart as Claim } from "../../model/UploadGrant.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type * as Callback from "../../wire/Callback.ts"
import * as Answer from "../../wire/callback/Answer.ts"
import * as Operation from "../../wire/Operation.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"
import { OssClient } from "../OssClient.ts"
import * as Finish from "../upload/completion.ts"
import { listParts } from "../upload/listing.ts"
import type { UploadError } from "../upload/options.ts"
import type { OpenUpload } from "../upload/parts.ts"
import type { SentPart } from "../upload/sent.ts"
import { receipt } from "../upload/receipt.ts"
import * as PartUrls from "./PartUrls.ts"
import * as Ticket from "./Ticket.ts"

export interface Options<A> {
  /** The secret that the grant was issued with. */
  readonly secret: Redacted.Redacted
  /** The contract of the callback that the grant carries, to check the application's answer by. */
  readonly callback?: Pick<Callback.Callback<A>, "decodeResponse"> | undefined
}

/** How an upload in parts ended, or did not yet. */
export type Completion<A> =
  | {
      readonly _tag: "Stored"
      readonly uploaded: Uploaded<A>
      /** The application's answer as JSON that was not decoded; `undefined` without a callback. */
      readonly answer: unknown
    }
  /** These are not at OSS as they should be. Nothing was completed; once they are sent again, complete again. */
  | { readonly _tag: "Missing"; readonly parts: ReadonlyArray<number> }

const opened = (ticket: string, secret: Redacted.Redacted) =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const facts = yield* Ticket.open(client.signer.crypto, secret, ticket, yield* client.now)
    if (facts.bucket !== client.bucket.name) {
      return yield* new InvalidParam({ field: "ticket", reason: `must be for the bucket ${client.bucket.name}` })
    }
    const key = yield* ObjectKey.make(facts.key)
    const upload: OpenUpload = { client, key, uploadId: facts.uploadId, partHeaders: {} }
    return { facts, upload, plan: yield* PartPlan.make(facts.size, facts) }
  })

/**
 * New URLs for these parts, at most 1,000. Fails with `InvalidParam` for `ticket` when it is forged or over, for `parts` that
 * the upload does not have, for `secret`, or for `expiresIn`. Reaches no server.
 */
export const renew = (
  ticket: string,
  parts: ReadonlyArray<number>,
  options: { readonly secret: Redacted.Redacted; readonly expiresIn: Duration.DurationInput }
): Effect.Effect<ReadonlyArray<PartUrl>, InvalidParam | CredentialsError, OssClient> =>
  Effect.gen(function* () {
    const { facts } = yield* opened(ticket, options.secret)
    if (parts.length > 1000) {
      return yield* new InvalidParam({ field: "parts", reason: `must be at most 1000 parts, got ${parts.length}` })
    }
    return yield* PartUrls.make(facts, parts, options.expiresIn)
  })

/** Each part of the plan as its uploader claims it; the first claim counts. */
const claimed = (plan: PartPlan.PartPlan, claims: ReadonlyArray<Claim>) => {
  const crcs = new Map<number, bigint>()
  for (const { number, crc64 } of claims) {
    const crc = Crc64.parse(crc64)
    if (Option.isSome(crc) && !crcs.has(number)) crcs.set(number, crc.value)
  }
  return Array.from(PartPlan.parts(plan), ({ number, size }) => ({ number, size, crc64: crcs.get(number) }))
}

type Claimed = ReturnType<typeof claimed>

const whole = (parts: Claimed): parts is ReadonlyArray<Omit<SentPart, "etag">> & Claimed =>
  parts.every(({ crc64 }) => crc64 !== undefined)

/** An answer whose contract is not at hand: any JSON. */
const anyAnswer = { decodeResponse: Answer.decoder(Schema.Unknown) }

const answerOf = (stored: Stored): unknown =>
  stored.callback?._tag === "Answered"
    ? Either.getOrElse(anyAnswer.decodeResponse(stored.callback.body), () => undefined)
    : undefined

/**
 * Makes the parts the object, if OSS holds every one of them as its uploader claims; else says which are missing. May be
 * asked again: when the object is there already, that is the answer, and what the application said is not known any more.
 * Fails with `InvalidParam` for a ticket that is forged or over, and as `Upload.multipart` does.
 */
export const complete = <A = unknown>(
  ticket: string,
  claims: ReadonlyArray<Claim>,
  options: Options<A>
): Effect.Effect<Completion<A>, UploadError | CallbackFailed, OssClient> =>
  Effect.gen(function* () {
    const { facts, plan, upload } = yield* opened(ticket, options.secret)
    const parts = claimed(plan, claims)
    const missing = (numbers: ReadonlyArray<number>): Completion<A> => ({ _tag: "Missing", parts: numbers })
    if (!whole(parts)) return missing(parts.flatMap(({ crc64, number }) => (crc64 === undefined ? [number] : [])))
    const expected = Finish.expected(parts)
    const listed = yield* Effect.catchIf(
      Effect.asSome(listParts(upload)),
      Finish.isNoSuchUpload,
      () => Effect.succeedNone
    )
    let stored: Stored
    if (Option.isNone(listed)) {
      const found = yield* Finish.findStored(upload, expected)
      if (Option.isNone(found)) return missing(parts.map(({ number }) => number))
      stored = found.value
    } else {
      const held = new Map(listed.value.map((part) => [part.number, part]))
      const sent = parts.flatMap((part) => {
        const at = held.get(part.number)
        return at !== undefined && at.size === part.size && (at.crc64 ?? part.crc64) === part.crc64
          ? [{ ...part, etag: at.etag }]
          : []
      })
      if (sent.length < parts.length) {
        const right = new Set(sent.map(({ number }) => number))
        return missing(parts.flatMap(({ number }) => (right.has(number) ? [] : [number])))
      }
      stored = yield* Finish.complete(upload, sent, facts.complete)
    }
    // Without a contract `A` is unknown, which any answer is.
    const contract = options.callback ?? ("x-oss-callback" in facts.complete ? anyContract<A>() : undefined)
    const uploaded = yield* receipt(
      { method: "multipart", operation: "CompleteMultipartUpload", bucket: facts.bucket, key: upload.key, ...expected },
      stored,
      contract,
      upload.client.execute(Operation.headObject(upload.key))
    )
    return { _tag: "Stored", uploaded, answer: answerOf(stored) } as const
  }).pipe(Effect.withSpan("oss.Grant.complete", { captureStackTrace: false }))

const anyContract = <A>() => anyAnswer as unknown as Pick<Callback.Callback<A>, "decodeResponse"> // A is unknown there

const facts = ({ bucket, crc64, etag, key, requestId, size }: Omit<Uploaded<unknown>, "callback">) => ({
  bucket,
  key,
  size,
  etag,
  crc64: Crc64.format(crc64),
  requestId
})

/** What `complete` came to, as JSON for the uploader: a failed callback is not a failed upload. */
export const toOutcome = <A, E, R>(
  completion: Effect.Effect<Completion<A>, E | CallbackFailed, R>
): Effect.Effect<Outcome, Exclude<E, CallbackFailed>, R> =>
  Effect.matchEffect(completion, {
    onSuccess: (completion): Effect.Effect<Outcome> =>
      Effect.succeed(
        completion._tag === "Missing"
          ? { _tag: "Missing", parts: completion.parts }
          : { _tag: "Stored", ...facts(completion.uploaded), callback: completion.answer }
      ),
    onFailure: (error): Effect.Effect<Outcome, Exclude<E, CallbackFailed>> =>
      error instanceof CallbackFailed
        ? Effect.succeed({
            _tag: "CallbackFailed",
            ...facts(error.stored),
            reason: error.reason,
            detail: error.detail
          })
        : Effect.fail(error as Exclude<E, CallbackFailed>) // just looked
  })

/** Gives the upload up: drops its parts, which are paid for until then. Fine when it is gone already. */
export const abort = (
  ticket: string,
  { secret }: { readonly secret: Redacted.Redacted }
): Effect.Effect<void, InvalidParam, OssClient> =>
  Effect.flatMap(opened(ticket, secret), ({ upload }) => Finish.abort(upload))
