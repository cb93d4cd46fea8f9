/**
 * One delivery among many: what the application does not take now is told, and waits for the next walk.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { CallbackFailed, type InvalidParam } from "../../model/OssError.ts"
import type { Undelivered } from "../../model/Undelivered.ts"
import type { Crypto } from "../../ports/Crypto.ts"
import type { Transport } from "../../ports/Transport.ts"
import { deliver, type Options } from "./Posting.ts"

export interface ReconcileOptions extends Options {
  /** How many are delivered at once. Default: 4. */
  readonly concurrency?: number | undefined
}

/** What a walk came to. */
export interface Reconciled {
  /** Told now, or known to be told before. */
  readonly delivered: ReadonlyArray<Undelivered>
  /** Still to be told, each with why. */
  readonly kept: ReadonlyArray<CallbackFailed>
}

/** Delivers once, then does what is due. Gives the entry, or why it was not taken, which is logged. */
export const settle = <E>(
  entry: Undelivered,
  options: Options,
  then: Effect.Effect<void, E>
): Effect.Effect<Undelivered | CallbackFailed, E | InvalidParam, Transport | Crypto> =>
  Effect.matchEffect(deliver(entry, options), {
    onSuccess: () => Effect.as(then, entry),
    onFailure: (error) =>
      error._tag === "CallbackFailed"
        ? Effect.as(Effect.logWarning(`not delivered: ${error.message}`), error)
        : Effect.fail(error)
  })

/** The walk's outcome, of what became of each. */
export const reconciled = (settled: Iterable<Undelivered | CallbackFailed>): Reconciled => {
  const [delivered, kept] = Arr.partition(settled, (one) => one instanceof CallbackFailed)
  return { delivered, kept }
}
