/**
 * Sends one request that somebody else has signed: what form and presigned uploads have in common. Needs no keys.
 *
 * A request that may have been acted on is sent again, as in a simple upload, unless overwriting is forbidden: then our own
 * object would refuse it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type {
  Crc64Mismatch,
  InvalidParam,
  ServiceError,
  SourceError,
  TransportError,
  UnexpectedResponse
} from "../../model/OssError.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import { bodySize, Transport, type Body } from "../../ports/Transport.ts"
import type * as Callback from "../../wire/Callback.ts"
import { smallAnswer } from "../../wire/Operation.ts"
import * as ServiceResponse from "../../wire/ServiceResponse.ts"
import * as OssClient from "../OssClient.ts"
import * as Progress from "./progress.ts"
import { receipt, type Sent } from "./receipt.ts"

/** How an upload without keys can fail; with a callback, `CallbackFailed` joins it. */
export type GrantedUploadError =
  InvalidParam | SourceError | TransportError | ServiceError | UnexpectedResponse | Crc64Mismatch

export interface GrantedOptions<A> {
  /** The contract of the callback that the grant carries, to read the application's answer by. */
  readonly callback?: Pick<Callback.Callback<A>, "decodeResponse"> | undefined
  readonly onProgress?: Progress.OnProgress | undefined
  /** When and how often to try again. Default: `OssClient.defaultRetry`. */
  readonly retry?: Schedule.Schedule<unknown, OssClient.RequestError> | undefined
  /** The time any exchange may take, whatever its size; 16 KiB/s are added. Default: 1 minute. */
  readonly timeout?: Duration.DurationInput | undefined
}

export interface Granted {
  readonly method: "PUT" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  /** Of the body, what is not the object itself: not counted as progress. Bytes. */
  readonly overhead: number
  readonly carriesCallback: boolean
  readonly forbidsOverwrite: boolean
  /** What the last finished attempt sent. */
  readonly sent: () => Sent
}

const minimumSpeed = 16 * 1024

/** Sends it, and makes the receipt. */
export const send = <A>(granted: Granted, options: GrantedOptions<A>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const transport = yield* Transport
      const { body, carriesCallback, forbidsOverwrite, headers, method, overhead, url } = granted
      const total = bodySize(body) - overhead
      const progress = yield* Progress.make({ total, totalParts: 1 }, options.onProgress)
      const timeout = Duration.toMillis(options.timeout ?? "1 minute") + (bodySize(body) / minimumSpeed) * 1000
      const request = {
        method,
        url,
        headers,
        body,
        timeout: Duration.millis(timeout),
        maxResponseBytes: smallAnswer,
        onSent: (bytes: number) => progress.report(Math.min(bytes, total))
      }
      const operation = method === "POST" ? "PostObject" : "PutObject"
      const stored = yield* OssClient.retryStoring(
        () =>
          Effect.flatMap(transport.send(request), (response) =>
            ServiceResponse.toStored(operation, response, carriesCallback)
          ),
        options.retry ?? OssClient.defaultRetry,
        (error) => OssClient.isTransient(error) && !(forbidsOverwrite && OssClient.mayHaveActed(error))
      )
      yield* progress.finish(total)
      return yield* receipt(granted.sent(), stored, options.callback, undefined)
    })
  )

/** `send` as it looks to the caller. */
export type Outcome<A> = Effect.Effect<Uploaded<A>, Effect.Effect.Error<ReturnType<typeof send<A>>>, Transport>
