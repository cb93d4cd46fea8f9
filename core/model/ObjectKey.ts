/**
 * The name of an object in its bucket. Pure.
 *
 * A key is text of 1 to 1,023 bytes in UTF-8 that does not begin with `/` or `\`. Everything else is allowed and kept as
 * it is: spaces, `%`, emoji, `a/../b`, `//`, a trailing `/`. Keys are compared byte by byte and never normalised.
 * Source: "Object naming conventions", https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import { InvalidParam } from "./OssError.ts"
import * as Utf8 from "./Utf8.ts"

export type ObjectKey = string & Brand.Brand<"ObjectKey">

/** The longest key, in bytes of UTF-8. */
export const maxBytes = 1023

/** Checks a key. Fails with `InvalidParam` for `key`, stating the limit. */
export const make = (key: string): Either.Either<ObjectKey, InvalidParam> => {
  const refuse = (reason: string) => Either.left(new InvalidParam({ field: "key", reason }))
  if (key === "") return refuse(`must be 1 to ${maxBytes} bytes of UTF-8, got an empty text`)
  if (!Utf8.isWellFormed(key)) return refuse("must be well-formed Unicode, got a lone surrogate")
  const bytes = Utf8.byteLength(key)
  if (bytes > maxBytes) return refuse(`must be 1 to ${maxBytes} bytes of UTF-8, got ${bytes} bytes`)
  if (key[0] === "/" || key[0] === "\\") return refuse(`must not begin with "/" or "\\", got "${key[0]}"`)
  return Either.right(key as ObjectKey) // checked above
}
