/**
 * Once for each callback: the handler between the claims of a `ReplayGuard` and their confirmation.
 *
 * What ran to its end is confirmed, and not run again; what failed or was interrupted is given back (decisions/0012).
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { CallbackRejected, type StoreError } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type * as ReplayGuard from "../../ports/ReplayGuard.ts"
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
  /**
   * Refuses callbacks without a one-time token sealed with one of these (`OneTimeToken.issue`): in the contract's field
   * `Callback.token`, else in the URL's query, as `token`. Default: none is asked for.
   */
  readonly tokens?: { readonly secrets: ReadonlyArray<Redacted.Redacted> } | undefined
}

/** Something to be done once: the first is to handle the callback itself, others are to spend what it brings. */
export interface Deed {
  /** As `ReplayGuard` wants it. */
  readonly id: string
  /** To be remembered at least so long: milliseconds since 1970. */
  readonly until: number | undefined
}

export interface Settings {
  readonly lease: Duration.Duration
  readonly keepFor: Duration.Duration
  /** Whether answers are remembered. */
  readonly keepsAnswers: boolean
  /** Whether this sender is told what was answered the first time. */
  readonly tells: boolean
}

/** The longest answer to keep, in bytes: a guard has many to hold. */
const maxKept = 16_384

const unavailable = (error: string): Outcome => ({ answer: refusal(503, error), ending: "unavailable" })

interface Held {
  readonly deed: Deed
  readonly claim: ReplayGuard.Claimed
}

const release = (held: ReadonlyArray<Held>) =>
  Effect.forEach(held, ({ claim }) => Effect.ignoreLogged(claim.release), { discard: true })

const confirm = (held: ReadonlyArray<Held>, { answer, ending }: Outcome, { keepFor, keepsAnswers }: Settings) => {
  const kept = keepsAnswers && ending === "handled" && answer.body.length <= maxKept
  const text = kept ? Option.getOrUndefined(Utf8.decode(answer.body)) : undefined
  const confirmOne = ({ claim, deed: { until } }: Held, i: number) =>
    Effect.clockWith((clock) => {
      const rest = until === undefined ? 0 : Math.max(until - clock.unsafeCurrentTimeMillis(), 0)
      return claim.confirm(
        i === 0 ? text : undefined,
        rest === 0 ? keepFor : Duration.max(keepFor, Duration.millis(rest))
      )
    })
  return Effect.catchAll(Effect.forEach(held, confirmOne, { discard: true }), (error) =>
    Effect.logError("the callback was handled, but its guard could not be told", error)
  )
}

/** Why the deeds cannot be done now, or ever. */
const standing = (claim: Exclude<ReplayGuard.Claim, ReplayGuard.Claimed>, isDelivery: boolean, tells: boolean) => {
  if (claim._tag === "Running") return Effect.succeed(unavailable("InProgress"))
  if (!isDelivery) return new CallbackRejected({ reason: "BadToken", detail: "its token was spent before" })
  return tells && claim.answer !== undefined
    ? Effect.succeed<Outcome>({ answer: json(200, claim.answer), ending: "repeated" })
    : new CallbackRejected({ reason: "Replayed", detail: "it was handled before" })
}

/**
 * Handles a callback unless one of its deeds was done before. Fails with `CallbackRejected`: `Replayed`, or `BadToken` for a
 * token that was spent. While another delivery of it is being handled, or when the guard fails, the answer is 503:
 * somebody may try again.
 */
export const once = <R>(
  guard: ReplayGuard.Service,
  deeds: ReadonlyArray<Deed>,
  settings: Settings,
  attempt: Effect.Effect<Outcome, never, R>
): Effect.Effect<Outcome, CallbackRejected, R> => {
  // Without generators: every callback goes this way.
  const claimFrom = (
    held: ReadonlyArray<Held>
  ): Effect.Effect<ReadonlyArray<Held> | Outcome, CallbackRejected | StoreError> => {
    const deed = deeds[held.length]
    if (deed === undefined) return Effect.succeed(held)
    return Effect.flatMap(
      Effect.onError(guard.claim(deed.id, settings.lease), () => release(held)),
      (claim) =>
        claim._tag === "Claimed"
          ? claimFrom([...held, { deed, claim }])
          : Effect.zipRight(release(held), standing(claim, held.length === 0, settings.tells))
    )
  }
  const settle = (held: ReadonlyArray<Held>) => (outcome: Outcome) => {
    const isDone = outcome.ending === "handled" || outcome.ending === "unanswerable"
    return Effect.as(isDone ? confirm(held, outcome, settings) : release(held), outcome)
  }
  return Effect.uninterruptible(
    Effect.flatMap(claimFrom([]), (held) =>
      "answer" in held
        ? Effect.succeed(held)
        : Effect.flatMap(
            Effect.onError(attempt, () => release(held)),
            settle(held)
          )
    )
  ).pipe(
    Effect.catchTag("StoreError", (error) =>
      Effect.as(
        Effect.logError("the callback was not handled, because its guard failed", error),
        unavailable("GuardFailed")
      )
    )
  )
}
