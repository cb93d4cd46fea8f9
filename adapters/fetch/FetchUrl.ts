/**
 * Whether `fetch` would send a URL as it stands. Pure.
 *
 * Every `fetch` parses its URL: `.` and `..` are folded (`%2e` too), `\` becomes `/`, blanks and quotes are encoded. A signed URL
 * that was changed so meets SignatureDoesNotMatch at best, and names another object at worst.
 * Source: URL Standard, https://url.spec.whatwg.org (§ "URL parsing")
 */
import { TransportError } from "../../core/model/OssError.ts"

export interface Refused {
  readonly _tag: "Refused"
  readonly host: string
  readonly detail: string
}

export type Target = { readonly _tag: "Kept"; readonly host: string } | Refused

/** The failure that a refused URL is: nothing was sent. */
export const refusal = ({ detail, host }: Refused): TransportError =>
  new TransportError({ reason: "Connect", sent: "nothing", host, detail })

const absolute = /^https?:\/\/([^\s/?#@]+)(\/[!"$-~]*)?$/i

/** Host and port, and whether path and query stay as they are. The detail quotes nothing, because the URL may be signed. */
export const parse = (url: string): Target => {
  const [, host, path] = absolute.exec(url) ?? []
  if (host === undefined || !URL.canParse(url)) {
    const detail = "the URL must be http(s)://host[:port]/path, all of it percent-encoded, without user and fragment"
    return { _tag: "Refused", host: "unknown host", detail }
  }
  const parsed = new URL(url)
  if (parsed.pathname + parsed.search === (path ?? "/")) return { _tag: "Kept", host }
  const detail =
    'fetch would change the URL\'s path or query, as it folds "." and "..": rename the object, or use effect-oss/node'
  return { _tag: "Refused", host, detail }
}
