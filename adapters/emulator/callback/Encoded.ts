/**
 * Callback parameters as they travel: JSON in base64. Pure; takes time linear in the text, and throws on no input.
 *
 * Clients write their JSON by hand: Java joins `"x:a":"1" ,` and PHP sends line breaks and bare UTF-8, all of which JSON
 * allows, and Python `\uXXXX`. What JSON does not allow (Java leaves quotes unescaped), OSS refuses.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Utf8 from "../../../core/model/Utf8.ts"

/** The longest `callback`, and the longest `callback-var`, in characters of base64. */
export const maxLength = 5 * 1024

// Standard alphabet and padding; no line breaks.
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export type Fault = "long" | "base64" | "json"

export interface Decoded {
  /** The JSON as it was written. */
  readonly text: string
  readonly value: unknown
}

/** Decodes a parameter; or says what is wrong with it, and how far it could be read. */
export const decode = (encoded: string): Either.Either<Decoded, { readonly fault: Fault; readonly text: string }> => {
  if (encoded.length > maxLength) return Either.left({ fault: "long", text: encoded })
  if (!base64.test(encoded)) return Either.left({ fault: "base64", text: encoded })
  const bytes = Buffer.from(encoded, "base64")
  const text = Utf8.decode(bytes)
  if (Option.isNone(text)) return Either.left({ fault: "json", text: bytes.toString("utf8") })
  try {
    return Either.right({ text: text.value, value: JSON.parse(text.value) })
  } catch {
    return Either.left({ fault: "json", text: text.value })
  }
}

/** The members of a JSON object; `undefined` for anything else. */
export const members = (value: unknown): ReadonlyMap<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : undefined
