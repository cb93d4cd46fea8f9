/**
 * Telling the application server what OSS could not: the callback that failed, posted again from the uploader's side.
 *
 * OSS tries each URL once and never again (203: stored, but the callback failed). Here the same body is made from the
 * receipt, and posted with the headers OSS would send, but sealed with a secret of the application's own
 * (`RedeliverySignature`, decisions/0013); a receiver with the option `redelivery` takes it. What must survive the process
 * waits in an `Outbox`. Delivered is at least once: a receiver with `replay` makes it once.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { CallbackFailed, type InvalidParam, type StoreError } from "../model/OssError.ts"
import type { Crypto } from "../ports/Crypto.ts"
import { Outbox } from "../ports/Outbox.ts"
import type * as Transport from "../ports/Transport.ts"
import type * as Callback from "../wire/Callback.ts"
import { deliver, type Options } from "./redelivery/Posting.ts"
import { prepare, type Known } from "./redelivery/Preparing.ts"
import { reconciled, settle, type Reconciled, type ReconcileOptions } from "./redelivery/Settling.ts"

export { deliver, type Delivered, type Options } from "./redelivery/Posting.ts"
export { prepare, type Known } from "./redelivery/Preparing.ts"
export { reconcileListing, type ListedObject, type ListingOptions, type StoredObject } from "./redelivery/Listing.ts"
export type { Reconciled, ReconcileOptions } from "./redelivery/Settling.ts"

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
    const settled = yield* Effect.forEach(
      yield* outbox.list,
      (entry) => settle(entry, options, outbox.remove(entry.id)),
      { concurrency }
    )
    return reconciled(settled)
  }).pipe(Effect.withSpan("oss.Redelivery.reconcile", { captureStackTrace: false }))
