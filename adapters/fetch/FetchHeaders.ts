/**
 * Headers and settings of one request for `fetch`, and the headers of its answer. Pure, but for one look at the runtime.
 *
 * Values travel as UTF-8, while `fetch` takes and gives one byte a character. Source: Fetch Standard, § "Headers class".
 */
import * as Option from "effect/Option"
import * as Utf8 from "../../core/model/Utf8.ts"
import type { Request as OssRequest } from "../../core/ports/Transport.ts"

const beyondAscii = /[^\0-\x7f]/

/** A value as one byte a character. */
export const toWire = (value: string): string =>
  beyondAscii.test(value) ? String.fromCharCode(...Utf8.encode(value)) : value

/** A value that came as one byte a character. */
export const fromWire = (value: string): string =>
  beyondAscii.test(value)
    ? Option.getOrElse(Utf8.decode(Uint8Array.from(value, (character) => character.charCodeAt(0))), () => value)
    : value

/** The headers of an answer, names in lower case. */
export const read = (headers: Headers): Record<string, string> => {
  const read: Record<string, string> = {}
  headers.forEach((value, name) => {
    read[name] = fromWire(value)
  })
  return read
}

/** Without cookies, and without telling the page's address, which may say more than its origin. */
const discreet = { credentials: "omit", referrerPolicy: "no-referrer" } as const satisfies RequestInit

let known: boolean | undefined

/** Settings that only browsers have a use for. workerd throws on them: there, none. */
const settings = (reads: boolean): RequestInit => {
  if (known === undefined) {
    try {
      void new Request("http://localhost/", discreet)
      known = true
    } catch {
      known = false
    }
  }
  if (!known) return {}
  // Not for uploads: it would add `cache-control: no-cache`, which OSS would store with the object.
  return reads ? { ...discreet, cache: "no-store" } : discreet
}

/** Method, headers and settings. Throws for a header that cannot be sent; what it throws may quote the value. */
export const init = (request: OssRequest): RequestInit => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    // The length is fetch's own to say, from the body.
    if (name.toLowerCase() !== "content-length") headers.set(name, toWire(value))
  }
  // Or OSS would compress the answer, and its Content-Length would be gone. Browsers do not let a page say so.
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity")
  const reads = request.method === "GET" || request.method === "HEAD"
  return { ...settings(reads), method: request.method, headers }
}
