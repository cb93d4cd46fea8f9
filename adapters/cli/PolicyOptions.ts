/**
 * The conditions of a form, as options.
 */
import * as Either from "effect/Either"
import * as PostPolicy from "../../core/wire/PostPolicy.ts"
import { Usage, type Options, type Values } from "./Command.ts"
import * as Units from "./Units.ts"

export const options = {
  key: { kind: "text", value: "KEY", about: "exactly this key" },
  "key-prefix": { kind: "text", value: "TEXT", about: "a key that begins so" },
  "min-size": { kind: "text", value: "SIZE", about: "the least size of the file, default 0" },
  "max-size": { kind: "text", value: "SIZE", about: "the largest size of the file, default 5GiB" },
  type: { kind: "texts", value: "TYPE", about: "the file's Content-Type is one of these" },
  condition: { kind: "texts", value: "JSON", about: 'a condition as OSS spells it: ["eq","$x:user","42"]' },
  "no-overwrite": { kind: "flag", about: "refuse to replace an object" }
} as const satisfies Options

/** Conditions as OSS spells them are read by the reader of whole policies. */
const written = (condition: string): ReadonlyArray<PostPolicy.Condition> => {
  const policy = PostPolicy.parse(`{"expiration":"2100-01-01T00:00:00.000Z","conditions":[${condition}]}`)
  if (Either.isLeft(policy)) throw new Usage(`--condition: ${policy.left.message}`)
  return policy.right.conditions
}

/** The conditions; none at all would let anybody write anything. Throws `Usage`. */
export const make = (given: Values<typeof options>): ReadonlyArray<PostPolicy.Condition> => {
  const min = given["min-size"]
  const max = given["max-size"]
  const conditions: Array<PostPolicy.Condition> = []
  if (given.key !== undefined) conditions.push(PostPolicy.eq("key", given.key))
  if (given["key-prefix"] !== undefined) conditions.push(PostPolicy.startsWith("key", given["key-prefix"]))
  if (min !== undefined || max !== undefined) {
    conditions.push(
      PostPolicy.contentLengthRange(
        min === undefined ? 0 : Units.bytes("--min-size", min),
        max === undefined ? PostPolicy.maxFileBytes : Units.bytes("--max-size", max)
      )
    )
  }
  if (given.type.length > 0) conditions.push(PostPolicy.in("content-type", given.type))
  return [...conditions, ...given.condition.flatMap(written)]
}
