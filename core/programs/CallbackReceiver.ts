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
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CallbackRejected, type CallbackRejection } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import { Crypto } from "../ports/Crypto.ts"
import type * as Callback from "../wire/Callback.ts"
import * as CallbackSignature from "../wire/CallbackSignature.ts"

/** A request as it arrived, before anything was decoded. */
export interface Request extends CallbackSignature.Received {
  readonly method: string
}

/** What to answer. Headers have Content-Length and Content-Type; names in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
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

export interface Options<A, E> {
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
}

/** The longest answer OSS passes on, in bytes. */
export const maxAnswerBytes = 1024 * 1024

const json = (status: number, text: string): Answer => {
  const body = Utf8.encode(text)
  return { status, headers: { "content-type": "application/json", "content-length": String(body.length) }, body }
}

const refusal = (status: number, error: string): Answer => json(status, JSON.stringify({ error }))

const statusOfRejection: Readonly<Record<CallbackRejection, number>> = {
  Unsigned: 403,
  UnsupportedVersion: 403,
  UntrustedKey: 403,
  BadSignature: 403,
  BodyTooLong: 413,
  BadBody: 400,
  WrongBucket: 403,
  BadToken: 403,
  Replayed: 403
}

const reportLate = (cause: Cause.Cause<unknown>) => Effect.logError("the callback's late handler failed", cause)

/** OSS takes status 200 for success, so a failure must not be able to say it. */
const failureStatus = (status: number): number =>
  Number.isInteger(status) && status >= 400 && status < 600 ? status : 500

/**
 * Makes a receiver. `handler` gets the decoded body and must answer the contract's response, or it does not compile.
 *
 * The handler runs in a fiber of its own: when the sender hangs up it is interrupted, when it is late `onLate` decides.
 */
export const make = <F extends Callback.Fields, A, E, R>(
  contract: Callback.Contract<F, A>,
  handler: (body: Callback.Body<F>) => Effect.Effect<A, E, R>,
  options: Options<A, E> = {}
): Receiver<R> => {
  const { maxBodyBytes = 64 * 1024, strippedPrefix = "", onLate = "fail", lateResponse, statusOf } = options
  const budget = Duration.decode(options.budget ?? "4500 millis")

  const authenticate = (request: Request) =>
    Effect.gen(function* () {
      if (request.body.length > maxBodyBytes) {
        const detail = `the body is longer than ${maxBodyBytes} bytes`
        return yield* new CallbackRejected({ reason: "BodyTooLong", detail })
      }
      const called = { ...request, path: strippedPrefix + request.path }
      const trustedKeys = options.trustedKeys ?? (yield* TrustedKeys)
      yield* CallbackSignature.verify(yield* Crypto, trustedKeys, called)
      return yield* contract.decode(request.body)
    })

  const toAnswer = (response: A) =>
    Effect.gen(function* () {
      const encoded = yield* contract.encodeResponse(response)
      const answer = json(200, encoded)
      if (answer.body.length <= maxAnswerBytes) return answer
      return yield* Effect.fail(`it is ${answer.body.length} bytes long, and OSS passes on ${maxAnswerBytes}`)
    }).pipe(
      Effect.catchAll((detail) =>
        Effect.as(Effect.logError(`the handler's answer cannot be sent: ${detail}`), refusal(500, "BadAnswer"))
      )
    )

  const ended = (exit: Exit.Exit<A, E>) =>
    Exit.matchEffect(exit, {
      onSuccess: toAnswer,
      onFailure: (cause) =>
        Effect.gen(function* () {
          yield* Effect.logError("the callback's handler failed", cause)
          const error = Cause.failureOption(cause)
          const status = Option.isSome(error) && statusOf !== undefined ? failureStatus(statusOf(error.value)) : 500
          return refusal(status, "HandlerFailed")
        })
    })

  const late = (fiber: Fiber.RuntimeFiber<A, E>) =>
    Effect.gen(function* () {
      yield* Effect.logWarning(`the callback's handler took longer than ${Duration.format(budget)}`)
      if (onLate === "fail") {
        yield* Fiber.interruptFork(fiber)
        return refusal(503, "HandlerLate")
      }
      yield* Effect.forkDaemon(Effect.catchAllCause(Fiber.join(fiber), reportLate))
      return lateResponse === undefined ? refusal(503, "HandlerLate") : yield* toAnswer(lateResponse)
    })

  const run = (body: Callback.Body<F>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        // A daemon, because the request's own fiber ends with the answer; suspended, because a handler may throw.
        const fiber = yield* Effect.forkDaemon(restore(Effect.suspend(() => handler(body))))
        const exit = yield* restore(Effect.timeoutOption(Fiber.await(fiber), budget)).pipe(
          Effect.onInterrupt(() => Fiber.interruptFork(fiber))
        )
        return yield* Option.match(exit, { onNone: () => late(fiber), onSome: ended })
      })
    )

  const receive = (request: Request): Effect.Effect<Answer, never, R | Crypto> => {
    if (request.method !== "POST") {
      const answer = refusal(405, "MethodNotAllowed")
      return Effect.succeed({ ...answer, headers: { ...answer.headers, allow: "POST" } })
    }
    return Effect.matchEffect(authenticate(request), {
      onSuccess: run,
      onFailure: ({ reason, detail }) =>
        Effect.logWarning(`callback rejected: ${detail} (${reason})`).pipe(
          Effect.zipRight(Effect.annotateCurrentSpan("oss.callback.rejection", reason)),
          Effect.as(refusal(statusOfRejection[reason], reason))
        )
    })
  }

  const handle = (request: Request) =>
    receive(request).pipe(
      // What is left: a Schema's transformation, or `statusOf`, that throws.
      Effect.catchAllDefect((defect) =>
        Effect.as(Effect.logError("the callback's receiver failed", Cause.die(defect)), refusal(500, "ReceiverFailed"))
      ),
      Effect.tap((answer) => Effect.annotateCurrentSpan("http.response.status_code", answer.status)),
      Effect.withSpan("oss.CallbackReceiver.handle", {
        kind: "server",
        captureStackTrace: false,
        attributes: { "oss.bucket": contract.bucket }
      })
    )

  return { maxBodyBytes, handle }
}
