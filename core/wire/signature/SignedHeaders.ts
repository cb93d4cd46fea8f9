/**
 * Which headers a V4 signature covers, and how they are written down for it. Pure.
 *
 * Signed without being asked for: `content-type`, `content-md5` and every `x-oss-*`; beside them the additional headers that
 * the caller names. Names in lower case and byte order, values without the blanks (SP, HTAB) at their ends, which no server
 * sees; blanks inside stay. Sources: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4;
 * RFC 9110 §5.5 (field values).
 */
import * as Either from "effect/Either"
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"

type Headers = Readonly<Record<string, string>>
type Entry = readonly [name: string, value: string]

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
export const isDefault = (name: string): boolean =>
  name.startsWith("x-oss-") || name === "content-type" || name === "content-md5"

/**
 * The additional headers' names as they are signed and sent: in lower case, sorted, each once, without those that are
 * signed anyway. Fails with `InvalidParam` for `additionalHeaders`.
 */
export const additionalNames = (
  names: ReadonlyArray<string> | undefined
): Either.Either<ReadonlyArray<string>, InvalidParam> => {
  if (names === undefined || names.length === 0) return none
  const additional = new Set<string>()
  for (const asGiven of names) {
    const name = asGiven.toLowerCase()
    if (!token.test(asGiven) || name === "authorization") {
      return refuse("additionalHeaders", `must be names of headers but Authorization, got ${JSON.stringify(asGiven)}`)
    }
    if (!isDefault(name)) additional.add(name)
  }
  return Either.right([...additional].sort())
}

/**
 * The signed ones among a request's headers. `own` are the signer's, names in lower case, and stand in for the request's
 * of the same name; `undefined` for a received request. Fails with `InvalidParam` for the header at fault (a line break in
 * a value, a name in two spellings), or for `additionalHeaders` when one of these is not on the request, or has no value
 * there: half of the SDKs sign such a header, the others leave it out.
 */
export const make = (
  headers: Headers,
  own: Headers | undefined,
  additionalHeaders: ReadonlyArray<string> | undefined
): Either.Either<SignedHeaders, InvalidParam> =>
  Either.flatMap(additionalNames(additionalHeaders), (additional) => {
    const entries: Array<Entry> = []
    let spellings: Set<string> | undefined
    for (const asGiven of Object.keys(headers)) {
      const name = asGiven.toLowerCase()
      const value = headers[asGiven]! // one of its own keys
      // Names are unique as given, so a second spelling needs capitals.
      if (name !== asGiven) {
        spellings ??= new Set()
        if (spellings.has(name) || Object.hasOwn(headers, name)) {
          return refuse(name, "must stand once, got two spellings")
        }
        spellings.add(name)
      }
      const fault = faultOf(asGiven, value)
      if (fault !== undefined) return Either.left(fault)
      if (isDefault(name) ? own?.[name] === undefined : additional.includes(name)) entries.push([name, trim(value)])
    }
    for (const name of additional) {
      const entry = entries.find((entry) => entry[0] === name)
      if (entry === undefined || (entry[1] === "" && own !== undefined)) {
        return refuse("additionalHeaders", `must be on the request with a value, but "${name}" is not`)
      }
    }
    if (own !== undefined) {
      for (const name of Object.keys(own)) entries.push([name, own[name]!]) // one of its own keys
    }
    return Either.right(write(entries.sort(byName), additional.join(";")))
  })

const none: Either.Either<ReadonlyArray<string>> = Either.right([])

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

// No name stands twice, so none are equal.
const byName = (a: Entry, b: Entry): number => (a[0] < b[0] ? -1 : 1)

const write = (entries: ReadonlyArray<Entry>, additional: string): SignedHeaders => {
  let lines = ""
  let payload = ""
  for (const [name, value] of entries) {
    lines += `${name}:${value}\n`
    if (name === "x-oss-content-sha256") payload = value
  }
  return { entries, lines, additional, payload }
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// U+0009 and U+0020 to U+007E: nothing to look for, nothing to refuse.
const plain = /^[\t -~]*$/

const faultOf = (name: string, value: string): InvalidParam | undefined => {
  if (!token.test(name)) {
    return new InvalidParam({
      field: "headers",
      reason: `must have names as HTTP has them, got ${JSON.stringify(name)}`
    })
  }
  if (plain.test(value)) return undefined
  if (/[\r\n\0]/.test(value)) {
    return new InvalidParam({ field: name, reason: "must not contain a line break or NUL: it would forge a header" })
  }
  return Utf8.isWellFormed(value)
    ? undefined
    : new InvalidParam({ field: name, reason: "must be well-formed Unicode, got a lone surrogate" })
}

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x09

/** Without the blanks at both ends. `String.trim` would also take U+00A0 and others, which HTTP carries. */
export const trim = (value: string): string => {
  let from = 0
  let to = value.length
  while (from < to && isBlank(value.charCodeAt(from))) from++
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--
  return to - from === value.length ? value : value.slice(from, to)
}
