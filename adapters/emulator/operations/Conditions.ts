/**
 * What a request to read an object asks of it: conditions and a range. Pure.
 *
 * Sources: "GetObject", https://www.alibabacloud.com/help/en/oss/developer-reference/getobject; RFC 9110 §13 and §14. OSS
 * differs from the RFC in one thing: a range it cannot satisfy is passed over and the whole object answered, unless
 * `x-oss-range-behavior: standard` asks for a refusal. Offsets and sizes are in bytes.
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

const rangeForm = /^bytes=(\d{0,18})-(\d{0,18})$/

const parse = (value: string, size: number): Range | undefined => {
  const [, first = "", last = ""] = rangeForm.exec(value.trim()) ?? []
  if (first === "" && last === "") return undefined
  if (first === "") {
    const length = Math.min(Number(last), size)
    return length === 0 ? undefined : { offset: size - length, length }
  }
  const offset = Number(first)
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1)
  return offset >= size || end < offset ? undefined : { offset, length: end - offset + 1 }
}

/** The range asked for; `undefined` for the whole object. */
export const range = (headers: Headers, size: number): Either.Either<Range | undefined, Refusal.Refusal> => {
  const value = headers["range"]
  if (value === undefined) return Either.right(undefined)
  const parsed = parse(value, size)
  if (parsed !== undefined || headers["x-oss-range-behavior"] !== "standard") return Either.right(parsed)
  return Either.left(Refusal.invalidRange(size, value))
}
