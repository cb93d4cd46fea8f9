/**
 * The body of a callback as it arrives, as texts by name. Pure, and linear in the size.
 *
 * JSON bodies are read more kindly than JSON allows, for two things OSS does: a missing number leaves nothing between the
 * colon and the comma, and a CRC-64 is a bare number of 20 digits, of which `JSON.parse` would keep 16.
 * Sources: RFC 8259; URL Standard, "application/x-www-form-urlencoded", https://url.spec.whatwg.org; signed captures.
 */
import * as Either from "effect/Either"
import * as Uri from "../Uri.ts"

/** What stands under each name; `undefined` for null. */
export type Texts = ReadonlyMap<string, string | undefined>

// Most names and values have no escapes, and asking for none takes a tenth of decoding.
const unescape = (text: string): string | undefined =>
  /[%+]/.test(text) ? Either.getOrUndefined(Uri.decode(text.replaceAll("+", " "), "body")) : text

const brokenEscapes: Either.Either<never, string> = Either.left("its escapes are not percent-encoded UTF-8")

/** Reads `a=1&b=%2F`. A "+" and a `%20` are both a blank. Fails with a sentence for broken escapes and repeated names. */
export const form = (body: string): Either.Either<Texts, string> => {
  const texts = new Map<string, string>()
  if (body === "") return Either.right(texts)
  for (const pair of body.split("&")) {
    const equals = pair.indexOf("=")
    const name = unescape(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? "" : unescape(pair.slice(equals + 1))
    if (name === undefined) return brokenEscapes
    if (texts.has(name)) return Either.left(repeated(name))
    if (value === undefined) return brokenEscapes
    texts.set(name, value)
  }
  return Either.right(texts)
}

const blanks = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const nil = /null/y
const nothing = /(?=[,}])/y

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

const plain = /^"[^"\\\0-\x1f]*"$/

const unquote = (text: string): Either.Either<string, string> =>
  plain.test(text)
    ? Either.right(text.slice(1, -1))
    : Either.try({ try: (): string => JSON.parse(text), catch: () => "is a text that JSON does not allow" })

/**
 * Reads an object of texts, numbers, nulls and gaps. Fails with a sentence for everything else, nested values and repeated
 * names among them: of two values for one name, two readers might choose differently.
 */
export const json = (body: string): Either.Either<Texts, string> => {
  const texts = new Map<string, string | undefined>()
  let at = 0
  /** Steps over what a pattern finds here; `undefined` when it finds nothing. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const text = pattern.exec(body)?.[0]
    at += text?.length ?? 0
    return text
  }
  /** Steps over one character and the blanks around it. */
  const takeMark = (mark: string): boolean => {
    take(blanks)
    if (body[at] !== mark) return false
    at++
    take(blanks)
    return true
  }
  const takeString = (): Either.Either<string, string> | undefined => {
    if (body[at] !== '"') return undefined
    const from = at
    at = endOfString(body, from)
    return unquote(body.slice(from, at))
  }
  const takeValue = (): Either.Either<string | undefined, string> => {
    const string = takeString()
    if (string !== undefined) return string
    const digits = take(number)
    if (digits !== undefined) return Either.right(digits)
    return take(nil) === undefined && take(nothing) === undefined
      ? Either.left("is neither a text nor a number")
      : Either.right(undefined)
  }

  if (!takeMark("{")) return Either.left("it is not a JSON object")
  if (!takeMark("}")) {
    do {
      const name = takeString()
      if (name === undefined || !takeMark(":")) return Either.left("it is not JSON")
      const value = takeValue()
      if (Either.isLeft(name)) return Either.left(`a name ${name.left}`)
      if (Either.isLeft(value)) return Either.left(`${shown(name.right)} ${value.left}`)
      if (texts.has(name.right)) return Either.left(repeated(name.right))
      texts.set(name.right, value.right)
    } while (takeMark(","))
    if (!takeMark("}")) return Either.left("it is not JSON")
  }
  return at === body.length ? Either.right(texts) : Either.left("it goes on behind its JSON")
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 64))
const repeated = (name: string): string => `it has ${shown(name)} twice`
