/**
 * The variables a client defines itself: `callback-var`, or the `x:` fields of a form. Pure.
 *
 * Names begin with `x:`; those of `callback-var` must be in lower case, which OSS demands of it and is silent about for
 * forms. Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Either from "effect/Either"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as Refusal from "./CallbackRefusal.ts"
import * as Encoded from "./Encoded.ts"

/** By name, with the `x:`. */
export type CallbackVariables = ReadonlyMap<string, string>

const faults: Readonly<Record<Encoded.Fault, Refusal.Refuse>> = {
  long: Refusal.varTooLong,
  base64: Refusal.varNotBase64,
  json: Refusal.varNotJson
}

/** Reads a `callback-var`. Fails with EC 101 to 104. */
export const parse = (encoded: string): Either.Either<CallbackVariables, Refusal.CallbackRefusal> => {
  if (encoded === "") return Either.right(new Map())
  const decoded = Encoded.decode(encoded)
  if (Either.isLeft(decoded)) return faults[decoded.left.fault](decoded.left.text)
  const { text, value } = decoded.right
  const members = Encoded.members(value)
  if (members === undefined) return Refusal.varNotStrings(text)
  const variables = new Map<string, string>()
  for (const [name, member] of members) {
    if (typeof member !== "string" || !isName(name) || !Utf8.isWellFormed(member)) return Refusal.varNotStrings(text)
    variables.set(name, member)
  }
  return Either.right(variables)
}

const isName = (text: string): boolean => text.startsWith("x:") && text === text.toLowerCase()

/** The `x:` fields among the fields of a form. */
export const ofForm = (fields: Readonly<Record<string, string>>): CallbackVariables =>
  new Map(Object.entries(fields).filter(([name]) => name.startsWith("x:")))
