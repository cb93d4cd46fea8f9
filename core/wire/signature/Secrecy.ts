/**
 * Texts of a signature quoted for people and logs: short, on one line, and without what lets a reader act. Pure.
 *
 * Hidden are the values of tokens, signatures and callbacks: by their names, and wherever else our own ones turn up.
 */
import * as Either from "effect/Either"
import * as Uri from "../Uri.ts"

export interface Quoting {
  /** A name or a value: bare where that is clear. */
  readonly one: (text: string) => string
  /** Two texts, each around the place where they first differ. */
  readonly two: (ours: string | undefined, theirs: string | undefined) => readonly [ours: string, theirs: string]
}

const secretName = /^(?:authorization|(?:x-oss-)?(?:security-token|signature|callback|callback-var))$/i

/** Whether the value of this header or query parameter must not be shown. */
export const isSecret = (name: string): boolean => secretName.test(name)

/** Quotes texts of a request whose canonical form and signature are given. */
export const quoting = (canonicalRequest: string, signature: string): Quoting => {
  const secrets = [...secretsIn(canonicalRequest), signature].filter((secret) => secret.length >= shortest)
  const scrub = (text: string) => secrets.reduce(withoutSecret, text)
  return {
    one: (text) => (innocent.test(text) ? scrub(text) : quote(scrub(text), 0)),
    two: (ours, theirs) => {
      const [a, b] = [scrub(ours ?? ""), scrub(theirs ?? "")]
      const at = common(a, b)
      return [ours === undefined ? "nothing" : quote(a, at), theirs === undefined ? "nothing" : quote(b, at)]
    }
  }
}

/** Without a secret, and without any 15 characters of it in a row: those hold a whole block of 8. */
const withoutSecret = (text: string, secret: string): string => {
  let scrubbed = text.replaceAll(secret, hidden)
  for (let at = 0; at + shortest <= secret.length; at += shortest) {
    scrubbed = scrubbed.replaceAll(secret.slice(at, at + shortest), hidden)
  }
  return scrubbed === text ? text : scrubbed.replace(/(?:\(hidden\))+/g, hidden)
}

const hidden = "(hidden)"

const innocent = /^[\w\-./+;=]{1,80}$/

// JSON escapes what is below U+0020; other line ends and controls, and what turns the direction of a line, must not show either.
const quote = (text: string, at: number): string =>
  JSON.stringify(window(text, at)).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

// In characters. Shorter values would be found in innocent words; they are hidden by their names only.
const shortest = 8

/** Our secret values, as they stand in headers and, encoded and decoded, in the query. */
const secretsIn = (canonicalRequest: string): ReadonlyArray<string> => {
  const [, , query = "", ...headers] = canonicalRequest.split("\n")
  const parameters = secretValues(query.split("&"), "=")
  const decoded = parameters.map((value) => Either.getOrElse(Uri.decode(value, "query"), () => value))
  return [...secretValues(headers, ":"), ...parameters, ...decoded]
}

const secretValues = (items: ReadonlyArray<string>, separator: string): ReadonlyArray<string> =>
  items.flatMap((item) => {
    const end = item.indexOf(separator)
    return end !== -1 && isSecret(item.slice(0, end)) ? [item.slice(end + 1)] : []
  })

/** How many characters two texts share at their beginning. */
const common = (a: string, b: string): number => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** At most 82 characters around a place. */
const window = (text: string, at: number): string => {
  const from = text.length <= 80 ? 0 : Math.max(0, at - 30)
  const to = Math.min(text.length, from + 80)
  return `${from > 0 ? "…" : ""}${text.slice(from, to)}${to < text.length ? "…" : ""}`
}
