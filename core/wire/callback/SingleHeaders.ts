/**
 * The headers of a callback that decide what is verified: a request with two of one is refused by whoever sees them apart.
 * Pure.
 *
 * Of two, a proxy before us and we might take different ones. Node takes the first of some, and joins others with a comma;
 * a fetch `Headers` joins all, and what is joined so is neither base64 nor a version, and refused for that.
 */
import * as RedeliverySignature from "../RedeliverySignature.ts"

const single: ReadonlySet<string> = new Set([
  "authorization",
  "x-oss-pub-key-url",
  "x-oss-signature-version",
  RedeliverySignature.header,
  "content-length"
])

/** Whether one of them comes twice. `rawHeaders` as Node has them: names, in any case, at even places, values between. */
export const comeTwice = (rawHeaders: ReadonlyArray<string>): boolean => {
  const seen = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase() // names stand at even places
    if (!single.has(name)) continue
    if (seen.has(name)) return true
    seen.add(name)
  }
  return false
}
