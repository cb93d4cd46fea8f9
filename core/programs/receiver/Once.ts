/**
 * Once for each callback: the handler between the claim of a `ReplayGuard` and its confirmation.
 *
 * A callback is known by bucket, object, etag and request ID, all of them from the signed body. What ran to its end is
 * confirmed, and not run again; what failed or was interrupted is given back (decisions/0012).
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CallbackRejected } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import type * as ReplayGuard from "../../ports/ReplayGuard.ts"
import type * as Callback from "../../wire/Callback.ts"
import { json, refusal, type Outcome } from "./Answer.ts"

export interface Replay<G> {
  /** The memory to ask: `ReplayGuard.ReplayGuard`, or a tag of your own. */
  readonly guard: Context.Tag<G, ReplayGuard.Service>
  /** How long handled callbacks are remembered. Default: 1 day. Later replays come through: signatures never end. */
  readonly keepFor?: Duration.DurationInput | undefined
  /** How long a process that died holds what it was handling; more than the longest handler takes. Default: 1 minute. */
  readonly lease?: Duration.DurationInput | undefined
  /**
   * What a replay is told: 409 (`refuse`, default), or what was answered the first time (`answer`), for contracts with
   * several URLs, where OSS asks the next one when the first one's answer was lost.
   */
  readonly onReplay?: "refuse" | "answer" | undefined
}

/** What a contract's body must hold, under names of its choice, for a guard to know its callbacks again. */
export const identifying = ["object", "etag", "reqId"] as const
export type Identifying = (typeof identifying)[number]

/** The longest answer to keep, in bytes: a guard has many to hold. */
const maxKept = 16_384

/** Reads who a callback is from a decoded body. Fails with a sentence when the contract's body does not tell. */
export const identify = (fields: Callback.Fields): ((body: Readonly<Record<string, unknown>>) => string) | string => {
  const names: Array<string> = []
  for (const variable of identifying) {
    const found = Object.entries(fields).find(([, field]) => field.variable === variable)
    if (found === undefined) return `replay needs \${${variable}} in the contract's body`
    names.push(found[0])
  }
  return (body) => JSON.stringify(names.map((name) => body[name]))
}

/** The ID by which a guard knows a callback. */
export const deliveryId = (crypto: Crypto.Service, bucket: string, identity: string): string =>
  `delivery-${crypto.sha256Hex(JSON.stringify([bucket, identity]))}`

const refused = (detail: string) => new CallbackRejected({ reason: "Replayed", detail })

const unavailable: Outcome = { answer: refusal(503, "InProgress"), ending: "unavailable" }
const outOfOrder: Outcome = { answer: refusal(503, "GuardFailed"), ending: "unavailable" }

/**
 * Handles a callback unless it was handled before. Fails with `CallbackRejected` `Replayed`. While another delivery of it
 * is being handled, or when the guard fails, the answer is 503: somebody may try again.
 */
export const once = <G, R>(
  replay: Replay<G>,
  id: string,
  attempt: Effect.Effect<Outcome, never, R>
): Effect.Effect<Outcome, CallbackRejected, G | R> => {
  const lease = Duration.decode(replay.lease ?? "1 minute")
  const keepFor = Duration.decode(replay.keepFor ?? "1 day")
  const settle = (claim: ReplayGuard.Claimed, { answer, ending }: Outcome) => {
    if (ending !== "handled" && ending !== "unanswerable") return claim.release
    const kept = ending === "handled" && answer.body.length <= maxKept && replay.onReplay === "answer"
    return claim.confirm(kept ? Option.getOrUndefined(Utf8.decode(answer.body)) : undefined, keepFor)
  }
  return Effect.uninterruptible(
    Effect.gen(function* () {
      const guard = yield* replay.guard
      const claim = yield* guard.claim(id, lease)
      if (claim._tag === "Running") return unavailable
      if (claim._tag === "Done") {
        if (replay.onReplay !== "answer" || claim.answer === undefined) {
          return yield* refused("it was handled before")
        }
        return { answer: json(200, claim.answer), ending: "repeated" as const }
      }
      const outcome = yield* Effect.onError(attempt, () => Effect.ignoreLogged(claim.release))
      yield* Effect.catchAll(settle(claim, outcome), (error) =>
        Effect.logError("the callback was handled, but its guard could not be told", error)
      )
      return outcome
    })
  ).pipe(
    Effect.catchTag("StoreError", (error) =>
      Effect.as(Effect.logError("the callback was not handled, because its guard failed", error), outOfOrder)
    )
  )
}
