/**
 * Telling the application server what OSS could not: the callback that failed, posted again from the uploader's side.
 *
 * OSS tries each URL once and never again (203: stored, but the callback failed). Here the same body is made from the
 * receipt, and posted with the headers OSS would send, but sealed with a secret of the application's own
 * (`RedeliverySignature`, decisions/0013); a receiver with the option `redelivery` takes it. What must survive the process
 * waits in an `Outbox`. Delivered is at least once: a receiver with `replay` makes it once.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { CallbackFailed, InvalidParam, type StoreError } from "../model/OssError.ts"
import type { Undelivered } from "../model/Undelivered.ts"
import type { Uploaded } from "../model/Uploaded.ts"
import { Crypto } from "../ports/Crypto.ts"
import { Outbox } from "../ports/Outbox.ts"
import type * as Transport from "../ports/Transport.ts"
import * as Callback from "../wire/Callback.ts"
import { deliver, type Options } from "./redelivery/Posting.ts"

export { deliver, type Delivered, type Options } from "./redelivery/Posting.ts"

/** What a body may ask for and a receipt does not tell; what is not given is rendered as OSS renders what is missing. */
export type Known = Readonly<
  Partial<
    Record<
      | "mimeType"
      | "contentMd5"
      | "operation"
      | "vpcId"
      | "clientIp"
      | "imageInfo.height"
      | "imageInfo.width"
      | "imageInfo.format",
      string | number
    >
  >
>

/** An ETag of OSS's ends in the number of parts when it was made of parts. */
const operationOf = ({ etag, method }: Uploaded): string =>
  method === "form" ? "PostObject" : etag.includes("-") ? "CompleteMultipartUpload" : "PutObject"

/**
 * What the application server should have been told, ready to be kept or delivered. `known` adds what the receipt does not
 * tell. Fails with `InvalidParam` for a callback whose body the bucket keeps under a name: nobody here knows it.
 */
export const prepare = <A>(
  callback: Callback.Callback<A>,
  { stored }: Pick<CallbackFailed, "stored">,
  known: Known = {}
): Effect.Effect<Undelivered, InvalidParam, Crypto> =>
  Effect.gen(function* () {
    const { order } = callback
    if (order === undefined) {
      const reason = "must be one whose body is known here, not one that the bucket keeps under a name"
      return yield* new InvalidParam({ field: "callback", reason })
    }
    yield* callback.encoded
    const { bucket, crc64, etag, key, method, requestId, size, versionId } = stored
    const facts = new Map<string, string | number | bigint | undefined>(
      Object.entries({
        ...order.variables,
        operation: operationOf(stored),
        ...known,
        bucket,
        object: key,
        etag,
        size,
        crc64,
        reqId: requestId
      })
    )
    const body = Callback.render(order.template, order.bodyType, (name) => facts.get(name))
    return {
      version: 1,
      id: (yield* Crypto).sha256Hex(JSON.stringify([bucket, key, etag, requestId, body])),
      urls: order.urls,
      host: order.host,
      contentType: order.bodyType,
      body,
      since: yield* Clock.currentTimeMillis,
      stored: { method, bucket, key, size, etag, crc64, versionId, requestId, callback: undefined }
    }
  })

/** 8 attempts in all, waiting 1, 2, 4 … 64 seconds, each by up to a fifth more or less. */
export const defaultSchedule: Schedule.Schedule<unknown> = Schedule.exponential("1 second").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(7))
)

export interface RedeliverOptions extends Options {
  /** When and how often to try again. Default: `defaultSchedule`. */
  readonly schedule?: Schedule.Schedule<unknown, CallbackFailed> | undefined
  readonly known?: Known | undefined
}

/**
 * Delivers a callback that failed, again and again by a schedule, while the process lives. Gives the application's answer;
 * `None` when it was told before, and what it answered then was not kept. Fails with `CallbackFailed` when the schedule
 * ends, or when the answer is off the contract.
 */
export const redeliver = <A>(
  callback: Callback.Callback<A>,
  failed: CallbackFailed,
  { known, schedule = defaultSchedule, ...options }: RedeliverOptions
): Effect.Effect<Option.Option<A>, CallbackFailed | InvalidParam, Transport.Transport | Crypto> =>
  Effect.gen(function* () {
    const entry = yield* prepare(callback, failed, known)
    const delivered = yield* Effect.retry(deliver(entry, options), {
      schedule: schedule as Schedule.Schedule<unknown, CallbackFailed | InvalidParam>, // `while` lets nothing else through
      while: (error) => error._tag === "CallbackFailed"
    })
    if (delivered._tag === "HandledBefore") return Option.none<A>()
    const answer = callback.decodeResponse(delivered.answer)
    if (Either.isRight(answer)) return Option.some(answer.right)
    return yield* new CallbackFailed({ stored: failed.stored, ...answer.left, ec: "" })
  })

/**
 * An upload whose callback, should it fail, is in the outbox before the failure is told. The upload's outcome stays as it
 * is; an outbox that fails is logged.
 */
export const keeping =
  <B>(callback: Callback.Callback<B>, known?: Known) =>
  <A, E, R>(
    upload: Effect.Effect<A, E | CallbackFailed, R>
  ): Effect.Effect<A, E | CallbackFailed, R | Outbox | Crypto> =>
    Effect.tapError(upload, (error) =>
      error instanceof CallbackFailed
        ? Effect.flatMap(Outbox, (outbox) => Effect.flatMap(prepare(callback, error, known), outbox.put)).pipe(
            Effect.catchAll((error) => Effect.logError("a callback that failed could not be kept", error))
          )
        : Effect.void
    )

export interface ReconcileOptions extends Options {
  /** How many are delivered at once. Default: 4. */
  readonly concurrency?: number | undefined
}

/** What a walk through the outbox came to. */
export interface Reconciled {
  /** Told now, or known to be told before: no longer in the outbox. */
  readonly delivered: ReadonlyArray<Undelivered>
  /** Still there, each with why. */
  readonly kept: ReadonlyArray<CallbackFailed>
}

/**
 * Walks the outbox once: delivers what waits, and removes what the application took. Repeat it by a schedule, in any
 * process that sees the outbox; several at once do no harm. Fails with `StoreError`, or with `InvalidParam` for `secret`.
 */
export const reconcile = ({
  concurrency = 4,
  ...options
}: ReconcileOptions): Effect.Effect<Reconciled, StoreError | InvalidParam, Outbox | Transport.Transport | Crypto> =>
  Effect.gen(function* () {
    const outbox = yield* Outbox
    const settle = (entry: Undelivered) =>
      Effect.zipRight(deliver(entry, options), Effect.as(outbox.remove(entry.id), entry)).pipe(
        Effect.catchTag("CallbackFailed", (failed) =>
          Effect.as(Effect.logWarning(`not delivered: ${failed.message}`), failed)
        )
      )
    const settled = yield* Effect.forEach(yield* outbox.list, settle, { concurrency })
    const [delivered, kept] = Arr.partition(settled, (one) => one instanceof CallbackFailed)
    return { delivered, kept }
  }).pipe(Effect.withSpan("oss.Redelivery.reconcile", { captureStackTrace: false }))
