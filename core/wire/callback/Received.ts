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

const numberAt = /-?\d[\d.eE+-]*/y
const numberForm = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const gapAt = /:\s*(?=[,}])/y

/** Where the string that opens at `from` ends: behind its closing quote. */
const endOfString = (body: string, from: number): number => {
  let at = body.indexOf('"', from + 1)
  for (; at !== -1; at = body.indexOf('"', at + 1)) {
    let backslashes = 0
    while (body[at - 1 - backslashes] === "\\") backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
  return body.length
}

/** JSON with its numbers in quotes and its gaps filled; `undefined` when it holds anything nested. One pass. */
const mend = (body: string): string | undefined => {
  let mended = ""
  let copied = 0
  let opened = 0
  const replace = (pattern: RegExp, at: number, by: (text: string) => string): number => {
    pattern.lastIndex = at
    const text = pattern.exec(body)?.[0]
    if (text === undefined) return at + 1
    mended += body.slice(copied, at) + by(text)
    copied = at + text.length
    return copied
  }
  for (let at = 0; at < body.length;) {
    const character = body[at]!
    if (character === '"') at = endOfString(body, at)
    else if (character === ":") at = replace(gapAt, at, () => ":null")
    else if (character === "-" || (character >= "0" && character <= "9"))
      at = replace(numberAt, at, (text) => (numberForm.test(text) ? `"${text}"` : text))
    else {
      if ((character === "{" || character === "[") && ++opened > 1) return undefined
      at++
    }
  }
  return mended + body.slice(copied)
}

/** Reads an object of texts, numbers and nulls. Fails with a sentence for everything else. */
export const json = (body: string): Either.Either<Texts, string> =>
  Either.gen(function* () {
    const mended = mend(body)
    if (mended === undefined) return yield* Either.left("it holds more than texts and numbers")
    const value = yield* Either.try({
      try: (): unknown => JSON.parse(mended),
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
