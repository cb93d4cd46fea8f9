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

const plain = /^[A-Za-z0-9\-._~]*$/
const plainPath = /^[A-Za-z0-9\-._~/]*$/
const leftBare = /[!'()*]/g
const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** Encodes everything but the unreserved characters. The text must be well-formed Unicode (see `Utf8.isWellFormed`). */
export const encode = (text: string): string =>
  plain.test(text) ? text : encodeURIComponent(text).replace(leftBare, escape)

/** The same, but slashes stay: for keys in paths and in what is signed. */
export const encodePath = (text: string): string => (plainPath.test(text) ? text : encode(text).replaceAll("%2F", "/"))

/** Decodes %XX; "+" stays "+". Fails with `InvalidParam` for `field` when the escapes are broken or are not UTF-8. */
export const decode = (text: string, field: string): Either.Either<string, InvalidParam> =>
  Either.try({
    try: () => decodeURIComponent(text),
    catch: () => new InvalidParam({ field, reason: "must be percent-encoded UTF-8" })
  })

/** A request's query: decoded names and values; an empty value stands for a name alone (`?uploads`). */
export type Query = Readonly<Record<string, string>>

const byCodeUnit = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  a < b ? -1 : a > b ? 1 : 0

/**
 * The query as it is signed and as it is sent: encoded, then sorted by the encoded name, `name` alone for an empty value.
 * Encoded names are ASCII, so the order of code units is the order of bytes. (ali-oss sorts with `localeCompare`, which
 * is another order: "a" before "B".)
 */
export const encodeQuery = (query: Query): string => {
  const names = Object.keys(query)
  if (names.length === 0) return ""
  const pairs = names.map((name) => [encode(name), query[name]!] as const)
  if (pairs.length > 1) pairs.sort(byCodeUnit)
  let text = ""
  for (const [name, value] of pairs) {
    text += text === "" ? name : `&${name}`
    if (value !== "") text += `=${encode(value)}`
  }
  return text
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
