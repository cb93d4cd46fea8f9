/**
 * The other end of a callback: verify, decode, handle, answer.
 *
 * Verification runs over the raw bytes, before anything is parsed; the handler never sees a request that OSS did not sign,
 * or that is about another bucket. Whatever happens, the answer is one that OSS takes: JSON with a Content-Length, in time.
 * OSS may deliver a callback twice, and anybody who saw one can send it again, so handlers must be idempotent.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Tracer from "effect/Tracer"
import type { CallbackRejected } from "../model/OssError.ts"
import { Crypto } from "../ports/Crypto.ts"
import type * as Callback from "../wire/Callback.ts"
import * as CallbackSignature from "../wire/CallbackSignature.ts"
import * as Admission from "./receiver/Admission.ts"
import {
  failureStatus,
  json,
  maxAnswerBytes,
  refusal,
  statusOfRejection,
  type Answer,
  type Ending,
  type Outcome
} from "./receiver/Answer.ts"
import * as Budget from "./receiver/Budget.ts"
import * as Metrics from "./receiver/Metrics.ts"
import * as Once from "./receiver/Once.ts"

export { maxAnswerBytes, type Answer } from "./receiver/Answer.ts"
export type { Redelivery } from "./receiver/Admission.ts"
export type { Replay } from "./receiver/Once.ts"

/** A request as it arrived, before anything was decoded. */
export interface Request extends CallbackSignature.Received {
  readonly method: string
}

export interface Receiver<in out R> {
  /** Bytes; adapters need not read further. */
  readonly maxBodyBytes: number
  /** Answers one request; never fails. Runs the handler for what is signed and fits the contract, and for nothing else. */
  readonly handle: (request: Request) => Effect.Effect<Answer, never, R | Crypto>
}

/** The keys that receivers trust. Default: Alibaba's pinned key alone. Tests provide the emulator's. */
export class TrustedKeys extends Context.Reference<TrustedKeys>()("effect-oss/TrustedKeys", {
  defaultValue: (): ReadonlyArray<CallbackSignature.TrustedKey> => [CallbackSignature.alibabaKey]
}) {}

/** Other keys to trust, in place of the default. */
export const layerTrustedKeys = (keys: ReadonlyArray<CallbackSignature.TrustedKey>): Layer.Layer<never> =>
  Layer.succeedContext(Context.make(TrustedKeys, keys)) as Layer.Layer<never> // a Reference is never required

export interface Options<A, E, G = never> {
  /** The keys to trust, for this receiver alone. Default: `TrustedKeys`, which tests and the emulator provide. */
  readonly trustedKeys?: ReadonlyArray<CallbackSignature.TrustedKey> | undefined
  /** The longest body to read, in bytes. Default 64 KiB: a callback's template has 5 KiB, and a key at most 1 KiB. */
  readonly maxBodyBytes?: number | undefined
  /** What a proxy cut off the front of the path. OSS signed the path it called, not the one that arrived. */
  readonly strippedPrefix?: string | undefined
  /** How long the handler may take. Default 4.5 seconds, because OSS waits 5. */
  readonly budget?: Duration.DurationInput | undefined
  /** What becomes of a handler that is late: it is interrupted (`fail`, default), or goes on (`background`); then only a log tells how it ended. */
  readonly onLate?: "fail" | "background" | undefined
  /** What to answer while a late handler goes on. Default: status 503, and the uploader gets `CallbackFailed`. */
  readonly lateResponse?: A | undefined
  /** The status for a failure of the handler: 400 to 599, else 500. Default 500. The error is logged and never answered. */
  readonly statusOf?: ((error: E) => number) | undefined
  /** Runs the handler once for each callback. Default: as often as somebody sends it. */
  readonly replay?: Once.Replay<G> | undefined
  /** Takes callbacks that the uploader's side delivers again (`Redelivery`). Default: none but OSS's own. */
  readonly redelivery?: Admission.Redelivery | undefined
}

const reportLate = (cause: Cause.Cause<unknown>) => Effect.logError("the callback's late handler failed", cause)

/** For TypeScript's eyes: a guard can only know callbacks whose body holds these. */
export type Identified<F extends Callback.Fields, G> = [G] extends [never]
  ? unknown
  : Admission.Identifying extends Callback.SystemVariables<F>
    ? unknown
    : { readonly replay: "needs Callback.object, Callback.etag and Callback.reqId in the contract's body" }

const reply = (answer: Answer, ending: Ending): Outcome => ({ answer, ending })

/**
 * Makes a receiver. `handler` gets the decoded body and must answer the contract's response, or it does not compile.
 *
 * The handler runs in a fiber of its own: when the sender hangs up it is interrupted (with `replay`, it goes on and is
 * remembered), when it is late `onLate` decides.
 */
export const make = <F extends Callback.Fields, A, E, R, G = never>(
  contract: Callback.Contract<F, A>,
  handler: (body: Callback.Body<F>) => Effect.Effect<A, E, R>,
  options: Options<A, E, G> & Identified<F, G> = {} as Options<A, E, G> & Identified<F, G> // no option is required
): Receiver<R | G> => {
  const { maxBodyBytes = 64 * 1024, strippedPrefix = "", onLate = "fail", lateResponse } = options
  const { redelivery, replay, statusOf } = options
  const budget = Duration.decode(options.budget ?? "4500 millis")
  const admit = Admission.make(contract, {
    maxBodyBytes,
    strippedPrefix,
    guarded: replay !== undefined,
    tokenSecrets: replay?.tokens?.secrets,
    redelivery
  })

  const attributes = { "oss.bucket": contract.bucket }
  // Only where something is logged: a request that is handled would pay for it too.
  const logged = Effect.annotateLogs(attributes)

  const toOutcome = (response: A): Effect.Effect<Outcome> => {
    const encoded = contract.encodeResponse(response)
    const answer = Either.isRight(encoded) ? json(200, encoded.right) : undefined
    if (answer !== undefined && answer.body.length <= maxAnswerBytes) return Effect.succeed(reply(answer, "handled"))
    const why = Either.isLeft(encoded)
      ? encoded.left
      : `it is ${answer?.body.length} bytes long, and OSS passes on ${maxAnswerBytes}`
    return logged(Effect.logError(`the handler's answer cannot be sent: ${why}`)).pipe(
      Effect.as(reply(refusal(500, "BadAnswer"), "unanswerable"))
    )
  }

  const failed = (cause: Cause.Cause<E>, late: boolean) =>
    Effect.gen(function* () {
      yield* logged(Effect.logError(`the callback's ${late ? "late " : ""}handler failed`, cause))
      const error = Cause.failureOption(cause)
      const status = Option.isSome(error) && statusOf !== undefined ? failureStatus(statusOf(error.value)) : 500
      return reply(refusal(status, "HandlerFailed"), "failed")
    })

  const run = (callback: Admission.Admitted<F>): Effect.Effect<Outcome, CallbackRejected, R | G> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.runtime<R | G>(), (runtime) => {
        // Who waits for the handler: somebody, nobody but a log, or nobody.
        let waiting: "sender" | "log" | "nobody" = "sender"
        // Suspended, because a handler may throw.
        const attempt = Effect.exit(restore(Effect.suspend(() => handler(callback.body)))).pipe(
          Effect.flatMap((exit) => {
            if (Exit.isSuccess(exit)) return toOutcome(exit.value)
            if (waiting === "nobody") return Effect.succeed(reply(refusal(503, "HandlerLate"), "late"))
            return failed(exit.cause, waiting === "log")
          })
        )
        // A fiber of its own, because the request's ends with the answer. It starts at once.
        const fiber = Runtime.runFork(runtime, guarded(callback, attempt))
        const done = fiber.unsafePoll()
        if (done !== null) return done
        const abandon = Effect.suspend(() => {
          waiting = "nobody"
          return Fiber.interruptFork(fiber)
        })
        // Under a guard the sender may hang up: interrupted behind its last deed, a handler would be taken for one that failed.
        const leave = Effect.sync(() => {
          waiting = "log"
        })
        const late = Effect.gen(function* () {
          yield* logged(Effect.logWarning(`the callback's handler took longer than ${Duration.format(budget)}`))
          if (onLate === "fail") {
            yield* abandon
            return reply(refusal(503, "HandlerLate"), "late")
          }
          waiting = "log"
          yield* Effect.forkDaemon(Effect.catchAllCause(Fiber.join(fiber), reportLate))
          if (lateResponse === undefined) return reply(refusal(503, "HandlerLate"), "late")
          return reply((yield* toOutcome(lateResponse)).answer, "late")
        })
        return restore(Budget.within(runtime, fiber, budget)).pipe(
          Effect.onInterrupt(() => (replay === undefined ? abandon : leave)),
          Effect.flatMap((exit) => exit ?? late)
        )
      })
    )

  const guarded = ({ deeds, redelivered }: Admission.Admitted<F>, attempt: Effect.Effect<Outcome, never, R>) => {
    if (replay === undefined) return attempt
    const tells = replay.onReplay === "answer"
    const settings: Once.Settings = {
      lease: Duration.decode(replay.lease ?? "1 minute"),
      keepFor: Duration.decode(replay.keepFor ?? "1 day"),
      keepsAnswers: tells || redelivery !== undefined,
      tells: tells || redelivered
    }
    return Effect.flatMap(replay.guard, (guard) => Once.once(guard, deeds, settings, attempt))
  }

  const rejected = ({ reason, detail }: CallbackRejected, span: Tracer.Span) => {
    Metrics.reject(reason)
    span.attribute("oss.callback.rejection", reason)
    return logged(Effect.logWarning(`callback rejected: ${detail} (${reason})`)).pipe(
      Effect.annotateLogs("oss.callback.rejection", reason),
      Effect.as(reply(refusal(statusOfRejection[reason], reason), "rejected"))
    )
  }

  const receive = (request: Request, now: number, span: Tracer.Span): Effect.Effect<Outcome, never, R | G | Crypto> =>
    Effect.contextWithEffect((context: Context.Context<Crypto>) => {
      if (request.method !== "POST") {
        const answer = refusal(405, "MethodNotAllowed")
        return Effect.succeed(reply({ ...answer, headers: { ...answer.headers, allow: "POST" } }, "rejected"))
      }
      if (typeof admit === "string") return Effect.dieMessage(admit)
      const trustedKeys = options.trustedKeys ?? Context.get(context, TrustedKeys)
      const admitted = admit(request, { crypto: Context.get(context, Crypto), trustedKeys, now })
      return Either.isLeft(admitted)
        ? rejected(admitted.left, span)
        : Effect.catchAll(run(admitted.right), (rejection) => rejected(rejection, span))
    })

  const handle = (request: Request): Effect.Effect<Answer, never, R | G | Crypto> =>
    Effect.useSpan("oss.CallbackReceiver.handle", { kind: "server", captureStackTrace: false, attributes }, (span) =>
      Effect.clockWith((clock) => {
        const begun = clock.unsafeCurrentTimeMillis()
        Metrics.receive()
        return receive(request, begun, span).pipe(
          // What is left: a Schema's transformation, or `statusOf`, that throws.
          Effect.catchAllDefect((defect) =>
            Effect.as(
              logged(Effect.logError("the callback's receiver failed", Cause.die(defect))),
              reply(refusal(500, "ReceiverFailed"), "failed")
            )
          ),
          Effect.map(({ answer, ending }) => {
            Metrics.answer(ending, clock.unsafeCurrentTimeMillis() - begun)
            span.attribute("http.response.status_code", answer.status)
            return answer
          }),
          Effect.withParentSpan(span)
        )
      })
    )

  return { maxBodyBytes, handle }
}
