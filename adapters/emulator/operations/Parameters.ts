/**
 * Numbers in queries, within OSS's bounds. Pure.
 */
import * as Either from "effect/Either"
import * as Refusal from "../Refusal.ts"

export interface Bounds {
  readonly min: number
  readonly max: number
}

/** A whole number of the query, or `otherwise` when it is absent. Refused with `message` outside of the bounds. */
export const number = (
  query: ReadonlyMap<string, string>,
  name: string,
  otherwise: number,
  { min, max }: Bounds,
  message: string,
  ec = ""
): Either.Either<number, Refusal.Refusal> => {
  const text = query.get(name)
  if (text === undefined || text === "") return Either.right(otherwise)
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN
  return value >= min && value <= max
    ? Either.right(value)
    : Either.left(Refusal.invalidArgument(message, name, text, ec))
}
