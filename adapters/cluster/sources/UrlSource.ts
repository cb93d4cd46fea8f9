/**
 * What a web server gives, as the source of an upload: read in ranges, over the port Transport. Sizes are in bytes.
 *
 * The first request asks for one byte, so that it proves that the server gives ranges, and tells the size and the strong
 * ETag. Every later one carries If-Match, and its answer is checked too, for servers that ignore the condition. A weak ETag
 * or none is refused: a change could not be told. Redirects are refused: they lead to addresses that are signed for a few
 * minutes, or that nobody meant. No credentials are sent. Source: RFC 9110 §8.8.3, §13.1.1, §14.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { SourceError, type TransportError } from "../../../core/model/OssError.ts"
import type { Source } from "../../../core/ports/Source.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as RangedSource from "./RangedSource.ts"
import * as SourceRef from "./SourceRef.ts"
import { Unsuitable } from "./Unsuitable.ts"

export interface Options {
  /** When to ask again after 429, 5xx and broken connections. Default: 5 attempts in all, 200 ms to 20 s apart. */
  readonly retry?: Schedule.Schedule<unknown, unknown> | undefined
  /** The most that is asked for in one request, in bytes. Default 4 MiB. */
  readonly blockSize?: number | undefined
}

const defaultRetry = Schedule.exponential("200 millis", 3).pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4))
)

/** What an answer may hold beside the range, in bytes: the page of an error. */
const slack = 64 * 1024
/** Bytes per second below which an answer counts as stuck, as in the client of OSS. */
const minimumSpeed = 16 * 1024

/** A refusal that may pass by itself. */
class Passing extends Data.TaggedError("Passing")<{ readonly error: SourceError }> {}

const unsuitable = {
  NoRanges: "the server does not answer ranges of bytes, so parts cannot be read",
  NoStrongETag: "the server tells no strong ETag, so a change could not be noticed",
  Redirects: "the server redirects: name the address that it leads to",
  Encodes: "the server compresses what it was asked to send as it is"
} as const

/** Strong ETags only: `W/"…"` says nothing about bytes. */
const strong = /^"[^"]*"$/

/** Describes what the URL gives now. Fails with `NotFound`, or with `Read` for whatever cannot be a source. */
export const make = (
  ref: Extract<SourceRef.SourceRef, { readonly _tag: "Url" }>,
  options: Options = {}
): Effect.Effect<Source, SourceError, Transport.Transport> =>
  Effect.gen(function* () {
    const transport = yield* Transport.Transport
    const name = SourceRef.describe(ref)
    const failed = (reason: SourceError["reason"], detail: string, cause?: unknown) =>
      new SourceError({ reason, source: name, detail, cause })
    const cannotServe = (reason: keyof typeof unsuitable) =>
      failed("Read", unsuitable[reason], new Unsuitable({ reason }))

    const refused = ({ body, headers, status }: Transport.Response): SourceError | Passing | undefined => {
      if (status === 404 || status === 410) return failed("NotFound", `there is nothing: the server answers ${status}`)
      if (status === 412) return failed("Changed", "has changed since it was described")
      if (status >= 300 && status <= 399) return cannotServe("Redirects")
      if (status === 429 || status >= 500) return new Passing({ error: failed("Read", `the server answers ${status}`) })
      const coding = headers["content-encoding"] ?? "identity"
      if (status === 206 && coding !== "identity") return cannotServe("Encodes")
      if (status === 206 || status === 416 || (status === 200 && body.length === 0)) return undefined
      return status === 200 ? cannotServe("NoRanges") : failed("Read", `the server answers ${status}`)
    }

    const broken = (error: TransportError | SourceError): SourceError | Passing => {
      if (error._tag === "SourceError") return error
      // A server that ignores the range sends all there is.
      if (error.reason === "ResponseTooLong") return cannotServe("NoRanges")
      return new Passing({ error: failed("Read", error.detail, error) })
    }

    const get = (offset: number, length: number, condition: Readonly<Record<string, string>>) =>
      transport
        .send({
          method: "GET",
          url: ref.url,
          headers: { range: `bytes=${offset}-${offset + length - 1}`, "accept-encoding": "identity", ...condition },
          body: Transport.empty,
          timeout: Duration.millis(60_000 + (length / minimumSpeed) * 1000),
          maxResponseBytes: length + slack
        })
        .pipe(
          Effect.mapError(broken),
          Effect.flatMap((response) => {
            const refusal = refused(response)
            return refusal === undefined ? Effect.succeed(response) : Effect.fail(refusal)
          }),
          Effect.retry({ schedule: options.retry ?? defaultRetry, while: (error) => error._tag === "Passing" }),
          Effect.catchTag("Passing", ({ error }) => Effect.fail(error))
        )

    const first = yield* get(0, 1, {})
    const size = sizeOf(first)
    if (size === undefined) return yield* failed("Read", "the server answers a range without telling the whole size")
    const etag = first.headers["etag"] ?? ""
    if (size > 0 && !strong.test(etag)) return yield* cannotServe("NoStrongETag")
    const fingerprint = `url:${ref.url}:${size}:${etag}`

    const changed = (detail: string) => Effect.fail(failed("Changed", detail))
    const range = (offset: number, length: number) =>
      Effect.flatMap(get(offset, length, { "if-match": etag }), (response) => {
        const { body, headers, status } = response
        if (status !== 206 || sizeOf(response) !== size || headers["etag"] !== etag) {
          return changed("has changed since it was described")
        }
        const exact = headers["content-range"]?.startsWith(`bytes ${offset}-${offset + length - 1}/`)
        return exact && body.length === length
          ? Effect.succeed(body)
          : Effect.fail(failed("Read", `the server gives other bytes than the ${length} from ${offset} on`))
      })
    const unchanged =
      size > 0
        ? range(0, 1)
        : Effect.flatMap(get(0, 1, {}), (response) =>
            sizeOf(response) === 0 ? Effect.void : changed("is no longer empty")
          )
    return RangedSource.make({
      name,
      size,
      fingerprint,
      blockSize: options.blockSize,
      get: range,
      unchanged: Effect.asVoid(unchanged)
    })
  })

/** The size of the whole, from an answer to a range; nothing has no range, and is told by 416 or an empty 200. */
const sizeOf = ({ headers, status }: Transport.Response): number | undefined => {
  if (status === 200) return 0
  const total = /^bytes (?:\d{1,16}-\d{1,16}|\*)\/(\d{1,16})$/.exec(headers["content-range"] ?? "")?.[1]
  const size = Number(total)
  return total !== undefined && Number.isSafeInteger(size) && (status === 206 || size === 0) ? size : undefined
}
