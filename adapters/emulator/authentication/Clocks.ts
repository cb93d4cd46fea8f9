/**
 * When a signature holds: 15 minutes about its date, or the lifetime of a presigned URL. Pure.
 *
 * Times are in milliseconds since 1970, lifetimes in seconds. Sources: error articles 0002-00000502 to -504, -236.
 */
import * as Either from "effect/Either"
import * as Refusal from "../Refusal.ts"

/** How far the client's clock may be off, in milliseconds. */
export const maxSkew = 15 * 60 * 1000

type Checked = Either.Either<void, Refusal.Refusal>

export const missingDate = Refusal.accessDenied("OSS authentication requires a valid Date.", "0002-00000503")

export const badDate = Refusal.accessDenied("OSS authentication requires a valid Date.", "0002-00000502")

/** ISO 8601 as OSS writes it into documents: to the second, and yet with `.000`, without which oss2 cannot read it. */
export const iso = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}.000Z`

/** A signature dated `time`, arriving at `now`. */
export const checkSkew = (time: number, now: number): Checked =>
  Math.abs(now - time) <= maxSkew ? Either.void : Either.left(tooSkewed(time, now))

/** The refusal for a clock that is off. */
export const tooSkewed = (time: number, now: number): Refusal.Refusal =>
  Refusal.forbidden(
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    "0002-00000504",
    [
      ["MaxAllowedSkewMilliseconds", String(maxSkew)],
      ["RequestTime", iso(time)],
      ["ServerTime", iso(now)]
    ]
  )

/** The refusal for a URL or form that is over. */
export const expired = (end: number, now: number, ec: string): Refusal.Refusal =>
  Refusal.forbidden("AccessDenied", "Request has expired.", ec, [
    ["Expires", iso(end)],
    ["ServerTime", iso(now)]
  ])

/** A signature that holds for `seconds` from `time` on; the client's clock may be ahead by 15 minutes. */
export const checkLifetime = (time: number, seconds: number, now: number, ec = "0002-00000236"): Checked => {
  if (time - now > maxSkew) return Either.left(tooSkewed(time, now))
  const end = time + seconds * 1000
  return now <= end ? Either.void : Either.left(expired(end, now, ec))
}
