/**
 * Posting an undelivered callback: to each of its URLs in order, by the rules that OSS has for answers.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { CallbackFailed, type CallbackFailure, type InvalidParam } from "../../model/OssError.ts"
import type { Undelivered } from "../../model/Undelivered.ts"
import * as Utf8 from "../../model/Utf8.ts"
import { Crypto } from "../../ports/Crypto.ts"
import * as Transport from "../../ports/Transport.ts"
import * as RedeliverySignature from "../../wire/RedeliverySignature.ts"
import * as Sealed from "../../wire/Sealed.ts"
import { maxAnswerBytes } from "../receiver/Answer.ts"

export interface Options {
  /** At least 16 characters, drawn at random, and one of the receiver's. */
  readonly secret: Redacted.Redacted
  /** How long one attempt at one URL may take. Default: 5 seconds, as OSS has it. */
  readonly timeout?: Duration.DurationInput | undefined
}

/** What became of a delivery: the application's answer, or that it was told before and the answer was not kept. */
export type Delivered = { readonly _tag: "Answered"; readonly answer: Uint8Array } | { readonly _tag: "HandledBefore" }

type Failure = Pick<CallbackFailed, "reason" | "detail">

const failure = (reason: CallbackFailure, detail: string) => Either.left<Failure>({ reason, detail })

/** The receiver's word for "that was handled before". */
const isReplayed = ({ body, status }: Transport.Response): boolean =>
  status === 409 && Option.getOrUndefined(Utf8.decode(body)) === JSON.stringify({ error: "Replayed" })

const isJson = (body: Uint8Array): boolean =>
  Option.exists(Utf8.decode(body), (text) => Either.isRight(Either.try(() => void JSON.parse(text))))

/** By the rules that OSS has: 200, and JSON. */
const read = (response: Transport.Response): Either.Either<Delivered, Failure> => {
  if (isReplayed(response)) return Either.right({ _tag: "HandledBefore" })
  if (response.status !== 200) return failure("BadStatus", `Error status : ${response.status}.`)
  if (!isJson(response.body)) return failure("NotJson", "Response body is not valid json format.")
  return Either.right({ _tag: "Answered", answer: response.body })
}

const urlForm = /^(?:(https?):\/\/)?([^/?]+)([^?]*)(?:\?(.*))?$/i

const post = (entry: Undelivered, url: string, { secret, timeout }: Options) =>
  Effect.gen(function* () {
    const [, scheme = "http", authority = "", path = "", query] = urlForm.exec(url) ?? []
    const called = { path: path === "" ? "/" : path, query, body: Utf8.encode(entry.body) }
    const time = Math.floor(yield* Clock.currentTimeMillis) // a test's clock has fractions
    const request: Transport.Request = {
      method: "POST",
      url: `${scheme}://${authority}${called.path}${query === undefined ? "" : `?${query}`}`,
      headers: {
        ...(entry.host === undefined ? {} : { host: entry.host }),
        "content-type": entry.contentType,
        [RedeliverySignature.header]: RedeliverySignature.sign(yield* Crypto, secret, time, called)
      },
      body: Transport.bytes(called.body),
      timeout: Duration.decode(timeout ?? "5 seconds"),
      maxResponseBytes: maxAnswerBytes
    }
    return yield* Effect.flatMap(Transport.Transport, ({ send }) => send(request)).pipe(
      Effect.matchEffect({
        onSuccess: read,
        onFailure: (error) => {
          if (error._tag === "SourceError") return failure("Other", error.message)
          if (error.reason === "ResponseTooLong") return failure("TooLong", error.message)
          return failure(error.reason === "Timeout" ? "TimedOut" : "CannotConnect", error.message)
        }
      })
    )
  })

/**
 * Delivers once: each URL in order, until one takes it. Fails with `CallbackFailed` and the last URL's reason, or with
 * `InvalidParam` for `secret`.
 */
export const deliver = (
  entry: Undelivered,
  options: Options
): Effect.Effect<Delivered, CallbackFailed | InvalidParam, Transport.Transport | Crypto> =>
  Effect.gen(function* () {
    yield* Sealed.checkSecret(options.secret)
    let last: Failure = { reason: "Other", detail: "there is no URL" }
    for (const url of entry.urls) {
      const delivered = yield* Effect.either(post(entry, url, options))
      if (Either.isRight(delivered)) return delivered.right
      last = delivered.left
    }
    return yield* new CallbackFailed({ stored: entry.stored, ...last, ec: "" })
  }).pipe(
    Effect.withSpan("oss.Redelivery.deliver", {
      kind: "client",
      captureStackTrace: false,
      attributes: { "oss.bucket": entry.stored.bucket, "oss.key": entry.stored.key }
    })
  )
