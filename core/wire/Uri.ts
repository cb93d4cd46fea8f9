/**
 * Percent-encoding as OSS signs it, and the paths and queries of requests. Pure.
 *
 * Unreserved are exactly A-Z a-z 0-9 - . _ ~; every other byte of the UTF-8 form becomes %XX in upper case; a space is
 * %20, never "+". `encodeURIComponent` leaves five more characters bare, so they are patched.
 * Sources: RFC 3986 §2.3; "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import type { Bucket } from "../model/Bucket.ts"
import { InvalidParam } from "../model/OssError.ts"

const reserved = /[^A-Za-z0-9\-._~]/
const reservedInPath = /[^A-Za-z0-9\-._~/]/
const leftBare = /[!'()*]/g
const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`

/** The escape of each ASCII character, or nothing for those that stay. */
const escapesBut = (stays: RegExp): ReadonlyArray<string> =>
  Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).map((character) =>
    stays.test(character) ? escape(character) : ""
  )
const escapes = escapesBut(reserved)
const escapesInPath = escapesBut(reservedInPath)

/** `text` from `at` on needs escapes. ASCII by the table: a key with a few blanks takes a fourth of what the engine's own takes. */
const escapeFrom = (text: string, at: number, escapes: ReadonlyArray<string>): string | undefined => {
  let encoded = ""
  let bare = 0
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return undefined
    const escape = escapes[code]!
    if (escape === "") continue
    encoded += text.slice(bare, i) + escape
    bare = i + 1
  }
  return encoded + text.slice(bare)
}

const byEngine = (text: string): string => encodeURIComponent(text).replace(leftBare, escape)

/** Encodes everything but the unreserved characters. The text must be well-formed Unicode (see `Utf8.isWellFormed`). */
export const encode = (text: string): string => {
  const at = text.search(reserved)
  return at === -1 ? text : (escapeFrom(text, at, escapes) ?? byEngine(text))
}

/** The same, but slashes stay: for keys in paths and in what is signed. */
export const encodePath = (text: string): string => {
  const at = text.search(reservedInPath)
  return at === -1 ? text : (escapeFrom(text, at, escapesInPath) ?? byEngine(text).replaceAll("%2F", "/"))
}

/** Decodes %XX; "+" stays "+". Fails with `InvalidParam` for `field` when the escapes are broken or are not UTF-8. */
export const decode = (text: string, field: string): Either.Either<string, InvalidParam> =>
  Either.try({
    try: () => decodeURIComponent(text),
    catch: () => new InvalidParam({ field, reason: "must be percent-encoded UTF-8" })
  })

/** A request's query: decoded names and values; an empty value stands for a name alone (`?uploads`). */
export type Query = Readonly<Record<string, string>>

/**
 * The query as it is signed and as it is sent: encoded, then sorted by the encoded name, `name` alone for an empty value.
 * Encoded names are ASCII, so the order of code units is the order of bytes. (ali-oss sorts with `localeCompare`, which
 * is another order: "a" before "B".)
 */
export const encodeQuery = (query: Query): string => {
  const names = Object.keys(query)
  if (names.length === 0) return ""
  const pairs: Array<Pair> = []
  for (const asGiven of names) {
    const name = encode(asGiven)
    const value = query[asGiven]! // one of its own names
    const text = value === "" ? name : `${name}=${encode(value)}`
    // Into its place: queries are short, and mostly in order as they come.
    let place = pairs.length
    while (place > 0 && pairs[place - 1]!.name > name) place--
    if (place === pairs.length) pairs.push({ name, text })
    else pairs.splice(place, 0, { name, text })
  }
  let all = ""
  for (const { text } of pairs) all += all === "" ? text : `&${text}`
  return all
}

interface Pair {
  readonly name: string
  readonly text: string
}

/**
 * Reads a query as it came over the wire, without its "?". "+" is "+", `a` and `a=` are the same, empty pairs are skipped.
 * Fails with `InvalidParam` for `query` when escapes are broken, or when a name stands twice: what is signed then is undefined.
 */
export const decodeQuery = (search: string): Either.Either<Query, InvalidParam> => {
  const pairs = new Map<string, string>()
  for (const pair of search.split("&")) {
    if (pair === "") continue
    const end = pair.indexOf("=")
    const name = decode(end === -1 ? pair : pair.slice(0, end), "query")
    const value = end === -1 ? Either.right("") : decode(pair.slice(end + 1), "query")
    if (Either.isLeft(name)) return Either.left(name.left)
    if (Either.isLeft(value)) return Either.left(value.left)
    if (pairs.has(name.right)) {
      return Either.left(new InvalidParam({ field: "query", reason: `must have ${JSON.stringify(name.right)} once` }))
    }
    pairs.set(name.right, value.right)
  }
  return Either.right(Object.fromEntries(pairs))
}

const dotSegment = /(?:^|\/)\.{1,2}(?:\/|$)/

/**
 * The path of a URL for a key, or for the bucket itself. Slashes stand as they are, unless the key has a "." or ".."
 * between them: URL parsers fold those away, so then every slash of the key is sent as %2F, which OSS reads the same.
 * (The keys "." and ".." themselves cannot be saved that way; only a transport without a URL parser sends them.)
 */
export const path = (bucket: Bucket, key?: string): string => {
  if (key === undefined) return `${bucket.pathPrefix}/`
  return `${bucket.pathPrefix}/${dotSegment.test(key) ? encode(key) : encodePath(key)}`
}

/** The absolute URL of a request. */
export const url = (bucket: Bucket, key: string | undefined, query: Query): string => {
  const search = encodeQuery(query)
  return `${bucket.origin}${path(bucket, key)}${search === "" ? "" : `?${search}`}`
}
