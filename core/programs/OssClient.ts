/**
 * One bucket, ready for use: takes an `Operation`, signs it, sends it, decodes the answer, and tries again where that
 * helps. The only place that retries.
 *
 * Every attempt asks for credentials anew and is signed anew: tokens change, and a signature holds for 15 minutes only.
 * When OSS says that our clock is off (RequestTimeTooSkewed), the difference is learned and used from then on.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Bucket from "../model/Bucket.ts"
import type { Credentials } from "../model/Credentials.ts"
import {
  InvalidParam,
  type CredentialsError,
  type ServiceError,
  type SourceError,
  type TransportError,
  type UnexpectedResponse
} from "../model/OssError.ts"
import { CredentialsProvider } from "../ports/CredentialsProvider.ts"
import { Crypto } from "../ports/Crypto.ts"
import { bodySize, Transport, type Request } from "../ports/Transport.ts"
import * as Explain from "../wire/Explain.ts"
import type { Operation } from "../wire/Operation.ts"
import * as Signature from "../wire/Signature.ts"
import * as Uri from "../wire/Uri.ts"
import * as Metrics from "./Metrics.ts"
import * as AtOnce from "./atOnce.ts"
import { retry } from "./retry.ts"
import { spanned, type Note } from "./spanned.ts"

/** Everything that executing one operation can come to. */
export type RequestError =
  InvalidParam | CredentialsError | SourceError | TransportError | ServiceError | UnexpectedResponse

export interface Options extends Bucket.Options {
  /** The address to put into presigned URLs and forms, where it is not the one this client talks to itself. */
  readonly publicEndpoint?: string | undefined
  /** When and how often to try again. Default: `defaultRetry`. */
  readonly retry?: Schedule.Schedule<unknown, RequestError> | undefined
  /** The time any exchange may take, whatever its size. Default: 1 minute. */
  readonly timeout?: Duration.DurationInput | undefined
  /** Bytes per second below which a transfer counts as stuck; gives larger bodies more time. Default: 16 KiB/s. */
  readonly minimumSpeed?: number | undefined
}

export interface Service {
  readonly bucket: Bucket.Bucket
  /** The same bucket at its public address, for presigned URLs and forms. */
  readonly publicBucket: Bucket.Bucket
  readonly signer: Signature.Signer
  readonly credentials: Effect.Effect<Credentials, CredentialsError>
  /** OSS's clock as far as we know it, in milliseconds since 1970. */
  readonly now: Effect.Effect<number>
  /** When and how often to try again. */
  readonly retry: Schedule.Schedule<unknown, RequestError>
  /** Signs, sends, decodes, retries; one span, named after the operation, and the counts of `Metrics`. */
  readonly execute: <A>(operation: Operation<A>) => Effect.Effect<A, RequestError>
}

export class OssClient extends Context.Tag("effect-oss/OssClient")<OssClient, Service>() {}

/** 5 attempts in all; waits drawn at random from 0 up to 200 ms, 400 ms, 800 ms … 20 s (full jitter). */
export const defaultRetry: Schedule.Schedule<unknown, RequestError> = Schedule.exponential("200 millis").pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.seconds(20))),
  Schedule.jitteredWith({ min: 0, max: 1 }),
  // Whole milliseconds: a test's clock that stands between two cannot tell its nanoseconds.
  Schedule.modifyDelay((_, delay) => Duration.millis(Math.round(Duration.toMillis(delay)))),
  Schedule.intersect(Schedule.recurs(4))
)

/** Whether OSS's refusal may pass by itself: 5xx, 429, and a body that arrived too slowly or incomplete. */
export const isTransient = (error: RequestError): boolean => {
  if (error._tag === "TransportError") return error.reason !== "ResponseTooLong"
  if (error._tag !== "ServiceError") return false
  return (
    error.status >= 500 || error.status === 429 || error.code === "RequestTimeout" || error.code === "IncompleteBody"
  )
}

/** Whether OSS may have acted on a request that ended so. */
export const mayHaveActed = (error: RequestError): boolean =>
  error._tag === "TransportError" ? error.sent === "unknown" : error._tag === "ServiceError" && error.status >= 500

const refusedAs =
  (...codes: ReadonlyArray<string>) =>
  (error: RequestError): error is ServiceError =>
    error._tag === "ServiceError" && codes.includes(error.code)

const isExpired = refusedAs("SecurityTokenExpired")

const isCurable = refusedAs("SecurityTokenExpired", "RequestTimeTooSkewed")

/** OSS's name of an operation: `UploadPart` of "UploadPart 3". */
const nameOf = ({ name }: Pick<Operation<unknown>, "name">): string => {
  const space = name.indexOf(" ")
  return space < 0 ? name : name.slice(0, space)
}

/** Who watches one operation. */
interface Watch {
  readonly clock: Clock.Clock
  readonly meter: Metrics.Meter
  readonly note: Note
}

/**
 * Tries again to store an object, by `schedule` as long as `isWorthIt`. An attempt that may have acted is not forgotten when
 * a later one is refused: then its error is the outcome, for the refusal would say that nothing was stored.
 */
export const retryStoring = <A, E extends RequestError, R>(
  attempt: () => Effect.Effect<A, E, R>,
  schedule: Schedule.Schedule<unknown, RequestError>,
  isWorthIt: (error: E) => boolean
): Effect.Effect<A, E, R> => retry(attempt, schedule, isWorthIt, mayHaveActed)

/**
 * Builds the client. Fails with `InvalidParam` when bucket, region or endpoint cannot be right; reaches no server.
 */
export const make = (
  options: Options
): Effect.Effect<Service, InvalidParam, Transport | Crypto | CredentialsProvider> =>
  Effect.gen(function* () {
    const transport = yield* Transport
    const provider = yield* CredentialsProvider
    const signer = Signature.make(yield* Crypto)
    const bucket = yield* Bucket.make(options)
    const publicBucket =
      options.publicEndpoint === undefined
        ? bucket
        : yield* Bucket.make({ bucket: bucket.name, region: bucket.region, endpoint: options.publicEndpoint })
    const baseTimeout = Duration.toMillis(options.timeout ?? Duration.minutes(1))
    const minimumSpeed = options.minimumSpeed ?? 16 * 1024
    if (!(minimumSpeed > 0)) {
      return yield* new InvalidParam({ field: "minimumSpeed", reason: `must be above 0 bytes/s, got ${minimumSpeed}` })
    }
    const schedule = options.retry ?? defaultRetry

    // Shared by all requests of this client; a plain variable, because a lost update costs one repeated correction.
    let clockOffset = 0
    const nowBy = (clock: Clock.Clock) => clock.unsafeCurrentTimeMillis() + clockOffset
    const now = Effect.map(Effect.clock, nowBy)

    // Every request passes through here: chained by hand, for each generator costs as much as a signature.
    const attempt = <A>(
      operation: Operation<A>,
      credentials: Credentials,
      { clock, meter, note }: Watch
    ): Effect.Effect<A, RequestError> => {
      const { name, method, key, query, headers, body, onSent, maxResponseBytes } = operation
      const terms = { credentials, region: bucket.region, time: nowBy(clock) }
      const sign = () => Signature.signHeaders(signer, { method, bucket: bucket.name, key, query, headers }, terms)
      // Signed again where OSS finds another signature: the texts are several kilobytes, which each request would hold.
      const explain = (theirs: Explain.Theirs) =>
        Either.getOrUndefined(Either.map(sign(), (signed) => Explain.explain(signed, theirs)))
      const signed = sign()
      if (Either.isLeft(signed)) return Effect.fail(signed.left)
      const size = bodySize(body)
      const bytes = size + (method === "GET" ? maxResponseBytes : 0)
      const request: Request = {
        method,
        url: Uri.url(bucket, key, query),
        // Not by spreading: of two objects that takes V8 3.4 µs, a signature 5.
        headers: Object.assign({}, headers, signed.right.headers),
        body,
        timeout: Duration.millis(Math.ceil(baseTimeout + (bytes / minimumSpeed) * 1000)),
        maxResponseBytes,
        onSent
      }
      meter.attempted()
      return AtOnce.flatMap(transport.send(request), (response): Effect.Effect<A, RequestError> => {
        meter.answered(size)
        note("http.response.status_code", response.status)
        note("oss.request_id", response.headers["x-oss-request-id"] ?? "")
        const decoded = operation.decode(response, explain)
        return Either.isRight(decoded)
          ? Effect.succeed(decoded.right)
          : Effect.zipRight(Effect.logDebug(`${name}: ${decoded.left.message}`), decoded)
      })
    }

    // One more try at once, for the two refusals that we can cure ourselves.
    const cured = <A>(operation: Operation<A>, watch: Watch): Effect.Effect<A, RequestError> =>
      AtOnce.flatMap(provider.get, (credentials) => {
        const renewed = (error: ServiceError): Effect.Effect<A, RequestError> =>
          Effect.flatMap(Effect.zipRight(provider.invalidate(credentials), provider.get), (others) =>
            others === credentials ? Effect.fail(error) : attempt(operation, others, watch)
          )
        const corrected = (error: ServiceError): Effect.Effect<A, RequestError> => {
          if (isExpired(error)) return renewed(error)
          const { serverTime } = error
          if (serverTime === undefined) return Effect.fail(error)
          clockOffset = serverTime - watch.clock.unsafeCurrentTimeMillis()
          return Effect.catchIf(attempt(operation, credentials, watch), isExpired, renewed)
        }
        return AtOnce.catchSome(attempt(operation, credentials, watch), (error) =>
          isCurable(error) ? corrected(error) : undefined
        )
      })

    const execute = <A>(operation: Operation<A>): Effect.Effect<A, RequestError> =>
      spanned(({ clock, fiber }) => {
        const name = nameOf(operation)
        const meter = Metrics.meter(name, fiber.getFiberRef(FiberRef.currentMetricLabels))
        return {
          name: `oss.${name}`,
          kind: "client",
          attributes: {
            "oss.operation": operation.name,
            "oss.bucket": bucket.name,
            "oss.key": operation.key,
            "oss.body_bytes": bodySize(operation.body)
          },
          onEnd: meter.ended,
          use: (note) => {
            const isWorthIt = (error: RequestError) =>
              isTransient(error) && (operation.repeatable || !mayHaveActed(error))
            const tried = () => cured(operation, { clock, meter, note })
            return operation.storesObject ? retryStoring(tried, schedule, isWorthIt) : retry(tried, schedule, isWorthIt)
          }
        }
      })

    return { bucket, publicBucket, signer, credentials: provider.get, now, retry: schedule, execute }
  })

/** The client as a layer. */
export const layer = (
  options: Options
): Layer.Layer<OssClient, InvalidParam, Transport | Crypto | CredentialsProvider> =>
  Layer.effect(OssClient, make(options))
