/**
 * The body of a callback as it arrives, as texts by name. Pure, and linear in the size.
 *
 * JSON bodies are read more kindly than JSON allows, for two things OSS does: a missing number leaves nothing between the
 * colon and the comma, and a CRC-64 is a bare number of 20 digits, of which `JSON.parse` would keep 16.
 */
import * as Either from "effect/Either"
import * as Uri from "../Uri.ts"

/** What stands under each name; `undefined` for null. */
export type Texts = ReadonlyMap<string, string | undefined>

/** Reads `a=1&b=%2F`. A "+" and a `%20` are both a blank. Fails with a sentence for broken escapes and repeated names. */
export const form = (body: string): Either.Either<Texts, string> =>
  Either.gen(function* () {
    const texts = new Map<string, string>()
    if (body === "") return texts
    const unescape = (text: string) =>
      Either.mapLeft(Uri.decode(text.replaceAll("+", " "), "body"), () => "its escapes are not percent-encoded UTF-8")
    for (const pair of body.split("&")) {
      const equals = pair.indexOf("=")
      const name = yield* unescape(equals === -1 ? pair : pair.slice(0, equals))
      if (texts.has(name)) return yield* Either.left(`it has ${JSON.stringify(name.slice(0, 64))} twice`)
      texts.set(name, equals === -1 ? "" : yield* unescape(pair.slice(equals + 1)))
    }
    return texts
  })

// A string; a number; or what follows a colon and is nothing. Alternatives begin differently, so nothing is tried twice.
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|:\s*(?=[,}])/g
const numberForm = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const mend = (body: string): string =>
  body.replace(token, (text) => {
    if (text[0] === ":") return ":null"
    return text[0] !== '"' && numberForm.test(text) ? `"${text}"` : text
  })

/** Reads an object of texts, numbers and nulls. Fails with a sentence for everything else. */
export const json = (body: string): Either.Either<Texts, string> =>
  Either.gen(function* () {
    const value = yield* Either.try({
      try: (): unknown => JSON.parse(mend(body)),
      catch: () => "it is not JSON"
    })
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return yield* Either.left("it is not a JSON object")
    const texts = new Map<string, string | undefined>()
    for (const [name, member] of Object.entries(value)) {
      if (member !== null && typeof member !== "string") {
        return yield* Either.left(`${JSON.stringify(name.slice(0, 64))} is neither a text nor a number`)
      }
      texts.set(name, member ?? undefined)
    }
    return texts
  })
