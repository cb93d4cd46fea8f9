/**
 * Which headers a V4 signature covers, and how they are written down for it. Pure.
 *
 * Signed without being asked for: `content-type`, `content-md5` and every `x-oss-*`; beside them the additional headers that
 * the caller names. Names in lower case and byte order, values without the blanks (SP, HTAB) at their ends, which no server
 * sees; blanks inside stay. Sources: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4;
 * RFC 9110 §5.5 (field values).
 */
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type { Checked } from "./Signing.ts"

type Headers = Readonly<Record<string, string>>
export type Entry = readonly [name: string, value: string]

export interface SignedHeaders {
  /** Names in lower case and values without outer blanks, sorted by name. */
  readonly entries: ReadonlyArray<Entry>
  /** Every entry as `name:value` and a line feed. */
  readonly lines: string
  /** The additional headers' names, sorted and joined by ";". */
  readonly additional: string
  /** The value of `x-oss-content-sha256`; empty when that is not there. */
  readonly payload: string
}

/** Whether a header, its name in lower case, is signed without being asked for. */
const isDefault = (name: string): boolean =>
  name.startsWith("x-oss-") || name === "content-type" || name === "content-md5"

/**
 * The additional headers' names as they are signed and sent: in lower case, sorted, each once, without those that are
 * signed anyway. Gives `InvalidParam` for `additionalHeaders`.
 */
export const additionalNames = (names: ReadonlyArray<string> | undefined): Checked<ReadonlyArray<string>> => {
  if (names === undefined || names.length === 0) return none
  const additional = new Set<string>()
  for (const asGiven of names) {
    const { isDefault, lower } = nameOf(asGiven) ?? forbidden
    if (lower === "authorization") {
      const reason = `must be names of headers but Authorization, got ${JSON.stringify(asGiven)}`
      return new InvalidParam({ field: "additionalHeaders", reason })
    }
    if (!isDefault) additional.add(lower)
  }
  return [...additional].sort()
}

const none: ReadonlyArray<string> = []

/**
 * The signed ones among a request's headers. `own` are the signer's, names in lower case, and stand in for the request's
 * of the same name; `undefined` for a received request. Gives `InvalidParam` for the header at fault (a line break in
 * a value, a name in two spellings), or for `additionalHeaders` when one of these is not on the request, or has no value
 * there: half of the SDKs sign such a header, the others leave it out.
 */
export const make = (
  headers: Headers,
  own: ReadonlyArray<Entry> | undefined,
  additionalHeaders: ReadonlyArray<string> | undefined
): Checked<SignedHeaders> => {
  const additional = additionalNames(additionalHeaders)
  if (additional instanceof InvalidParam) return additional
  const entries: Array<Entry> = []
  let spellings: Set<string> | undefined
  for (const asGiven of Object.keys(headers)) {
    const name = nameOf(asGiven)
    if (name === undefined) {
      return refusal("headers", `must have names as HTTP has them, got ${JSON.stringify(asGiven)}`)
    }
    const { isDefault, lower } = name
    // Names are unique as given, so a second spelling needs capitals.
    if (lower !== asGiven) {
      spellings ??= new Set()
      if (spellings.has(lower) || Object.hasOwn(headers, lower)) {
        return refusal(lower, "must stand once, got two spellings")
      }
      spellings.add(lower)
    }
    const value = headers[asGiven]! // one of its own keys
    const fault = faultOf(asGiven, value)
    if (fault !== undefined) return fault
    if (isDefault ? own === undefined || !names(own, lower) : additional.includes(lower)) {
      insert(entries, [lower, trim(value)])
    }
  }
  for (const name of additional) {
    const entry = entries.find((entry) => entry[0] === name)
    if (entry === undefined || (entry[1] === "" && own !== undefined)) {
      return refusal("additionalHeaders", `must be on the request with a value, but "${name}" is not`)
    }
  }
  if (own !== undefined) for (const entry of own) insert(entries, entry)
  return write(entries, additional.join(";"))
}

const refusal = (field: string, reason: string) => new InvalidParam({ field, reason })

/** Whether one of the entries has this name. */
export const names = (entries: ReadonlyArray<Entry>, name: string): boolean => {
  for (const entry of entries) if (entry[0] === name) return true
  return false
}

// No name stands twice, so none are equal. Requests have few headers: finding the place takes less than sorting.
const insert = (entries: Array<Entry>, entry: Entry): void => {
  let place = entries.length
  while (place > 0 && entries[place - 1]![0] > entry[0]) place--
  if (place === entries.length) entries.push(entry)
  else entries.splice(place, 0, entry)
}

const write = (entries: ReadonlyArray<Entry>, additional: string): SignedHeaders => {
  let lines = ""
  let payload = ""
  for (const [name, value] of entries) {
    lines += `${name}:${value}\n`
    if (name === "x-oss-content-sha256") payload = value
  }
  return { entries, lines, additional, payload }
}

interface Name {
  readonly lower: string
  readonly isDefault: boolean
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Stands for what is no name. */
const forbidden: Name = { lower: "authorization", isDefault: false }

/** Names seen so far: clients use a few, again and again. Emptied when it is full. */
const known = new Map<string, Name>()
const maxKnown = 256

/** The name of a header; `undefined` where it is none. */
const nameOf = (asGiven: string): Name | undefined => {
  const seen = known.get(asGiven)
  if (seen !== undefined) return seen
  if (!token.test(asGiven)) return undefined
  const lower = asGiven.toLowerCase()
  const name = { lower, isDefault: isDefault(lower) }
  if (known.size >= maxKnown) known.clear()
  if (asGiven.length <= 64) known.set(asGiven, name)
  return name
}

// U+0009 and U+0020 to U+007E: nothing to look for, nothing to refuse.
const plain = /^[\t -~]*$/

const faultOf = (name: string, value: string): InvalidParam | undefined => {
  if (plain.test(value)) return undefined
  if (/[\r\n\0]/.test(value)) return refusal(name, "must not contain a line break or NUL: it would forge a header")
  return Utf8.isWellFormed(value) ? undefined : refusal(name, "must be well-formed Unicode, got a lone surrogate")
}

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x09

/** Without the blanks at both ends. `String.trim` would also take U+00A0 and others, which HTTP carries. */
const trim = (value: string): string => {
  let from = 0
  let to = value.length
  while (from < to && isBlank(value.charCodeAt(from))) from++
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--
  return to - from === value.length ? value : value.slice(from, to)
}
