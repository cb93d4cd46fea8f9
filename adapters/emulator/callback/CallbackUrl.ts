/**
 * The URLs of a callback, taken apart without being changed: what is signed is what is sent. Pure.
 *
 * Up to five, joined by ";". The scheme may be absent (then it is http), the port must be a positive number, everything
 * beyond ASCII must come percent-encoded, and IPv6 addresses are not taken. `new URL` is of no use here: it folds `..`.
 * Sources: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback; the articles by EC
 * 0007-00000004 and 0007-00000005 (whose example ends with a ";").
 */
import * as Either from "effect/Either"
import { type CallbackRefusal, badUrl, tooManyUrls } from "./CallbackRefusal.ts"

/** The most URLs of one callback. */
export const maxUrls = 5

export interface CallbackUrl {
  readonly secure: boolean
  /** Host and port as they stand: the Host header, unless `callbackHost` says otherwise. */
  readonly authority: string
  readonly hostname: string
  readonly port: number
  /** Never empty: OSS asks for "/" then. */
  readonly path: string
  /** Without the "?"; `undefined` when there is none, or nothing in it: receivers cannot tell the two apart. */
  readonly query: string | undefined
}

/** The request target: path and query. */
export const target = ({ path, query }: CallbackUrl): string => (query === undefined ? path : `${path}?${query}`)

/** Reads the list. Empty for a text without any URL. Fails with EC 04 or 05. */
export const parseList = (text: string): Either.Either<ReadonlyArray<CallbackUrl>, CallbackRefusal> => {
  const pieces = text.split(";").filter((piece) => piece !== "")
  if (pieces.length > maxUrls) return tooManyUrls(text)
  const urls: Array<CallbackUrl> = []
  for (const piece of pieces) {
    const url = parse(piece)
    if (url === undefined) return badUrl(text)
    urls.push(url)
  }
  return Either.right(urls)
}

const form = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/
const visibleAscii = /^[!-~]+$/

const parse = (text: string): CallbackUrl | undefined => {
  const match = visibleAscii.test(text) ? form.exec(text) : null
  if (match === null) return undefined
  const [, scheme = "http", authority = "", path = "", query] = match
  const secure = scheme.toLowerCase() === "https"
  if (!secure && scheme.toLowerCase() !== "http") return undefined
  const host = parseAuthority(authority)
  if (host === undefined) return undefined
  return {
    secure,
    authority,
    hostname: host.hostname,
    port: host.port ?? (secure ? 443 : 80),
    path: path === "" ? "/" : path,
    query: query === "" ? undefined : query
  }
}

/**
 * A domain name or an IPv4 address, and perhaps a port, 1 to 65535; `undefined` for anything else: a user, an IPv6 address,
 * and whatever could end a header.
 */
export const parseAuthority = (
  text: string
): { readonly hostname: string; readonly port: number | undefined } | undefined => {
  const [, hostname, port] = /^([A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?$/.exec(text) ?? []
  if (hostname === undefined) return undefined
  if (port === undefined) return { hostname, port }
  return Number(port) >= 1 && Number(port) <= 65535 ? { hostname, port: Number(port) } : undefined
}
