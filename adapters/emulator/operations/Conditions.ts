/**
 * What a request to read an object asks of it: conditions and a range. Pure.
 *
 * Sources: "GetObject", https://www.alibabacloud.com/help/en/oss/developer-reference/getobject; RFC 9110 §13 and §14. OSS
 * differs from the RFC in its ranges, unless `x-oss-range-behavior: standard` is asked for: "How to obtain OSS resources by
 * segmenting HTTP Range requests". Offsets and sizes are in bytes.
 */
import * as Either from "effect/Either"
import type { Headers } from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"

/** What the conditions say: go on, or answer 304. A failed precondition is a refusal, 412. */
export type Outcome = "proceed" | "not-modified"

const matches = (list: string, etag: string): boolean =>
  list.split(",").some((item) => {
    const tag = item
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1")
    return tag === "*" || tag.toUpperCase() === etag
  })

// Dates of HTTP have whole seconds; a condition that is no date is passed over.
const seconds = (date: string): number | undefined => {
  const time = Date.parse(date)
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000)
}

/** Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in RFC 9110's order. */
export const evaluate = (
  headers: Headers,
  object: Pick<State.ObjectRecord, "etag" | "modified">,
  prefix = ""
): Either.Either<Outcome, Refusal.Refusal> => {
  const modified = Math.floor(object.modified / 1000)
  const ifMatch = headers[`${prefix}if-match`]
  const unmodifiedSince = headers[`${prefix}if-unmodified-since`]
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) return Either.left(Refusal.preconditionFailed("If-Match"))
  } else if (unmodifiedSince !== undefined && modified > (seconds(unmodifiedSince) ?? Infinity)) {
    return Either.left(Refusal.preconditionFailed("If-Unmodified-Since"))
  }
  const ifNoneMatch = headers[`${prefix}if-none-match`]
  if (ifNoneMatch !== undefined) return Either.right(matches(ifNoneMatch, object.etag) ? "not-modified" : "proceed")
  const modifiedSince = headers[`${prefix}if-modified-since`]
  const since = modifiedSince === undefined ? undefined : seconds(modifiedSince)
  return Either.right(since !== undefined && modified <= since ? "not-modified" : "proceed")
}

export interface Range {
  readonly offset: number
  readonly length: number
}

const rangeForm = /^(\d{0,18})-(\d{0,18})$/

// The ends as they are asked for; OSS's own behaviour knows no clipping of what lies beyond the object.
const ends = (piece: string, size: number): readonly [first: number, last: number] | undefined => {
  const [, first = "", last = ""] = rangeForm.exec(piece) ?? []
  if (first === "") return last === "" || Number(last) === 0 ? undefined : [size - Number(last), size - 1]
  const to = last === "" ? size - 1 : Number(last)
  return Number(first) > to ? undefined : [Number(first), to]
}

const pieces = (value: string): ReadonlyArray<string> => {
  const list = /^bytes=(.*)$/.exec(value.trim())?.[1]
  return list === undefined ? [] : list.split(",").map((piece) => piece.trim())
}

const toRange = (first: number, last: number): Range => ({ offset: first, length: last - first + 1 })

/**
 * The range asked for; `undefined` for the whole object. A range that is not wholly within the object is passed over, and of
 * several only the first is looked at; with `standard`, what lies beyond the object is cut off, and a range that is not to be
 * had, or several of them, are refused.
 */
export const range = (headers: Headers, size: number): Either.Either<Range | undefined, Refusal.Refusal> => {
  const value = headers["range"]
  if (value === undefined) return Either.right(undefined)
  const [piece = "", ...more] = pieces(value)
  const [first, last] = ends(piece, size) ?? [size, size]
  if (headers["x-oss-range-behavior"] !== "standard") {
    return Either.right(first < 0 || last >= size ? undefined : toRange(first, last))
  }
  return first >= size || more.length > 0
    ? Either.left(Refusal.invalidRange(size, value))
    : Either.right(toRange(Math.max(0, first), Math.min(last, size - 1)))
}
