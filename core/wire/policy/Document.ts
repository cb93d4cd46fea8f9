/**
 * A policy as a document: its JSON, the base64 of it, and what the two say. Reading is strict and names the fault by OSS's
 * code and EC. Pure; never throws, and takes time linear in the text.
 *
 * Source: the pages of EC 0006-00000201 to 0006-00000224, https://help.aliyun.com/en/oss/user-guide/0006-00000201 and its
 * neighbours, each of which shows one faulty policy. Two ECs are not on any page and are taken from the nearest one: -201
 * for a text that is too long, -218 for a simple condition that has not exactly one property.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Base64 from "../../model/Base64.ts"
import * as Bytes from "../../model/Bytes.ts"
import * as Utf8 from "../../model/Utf8.ts"
import * as Instant from "../signature/Instant.ts"
import * as Condition from "./Condition.ts"
import * as Json from "./Json.ts"
import * as Refusal from "./Refusal.ts"

export interface PostPolicy {
  /** Milliseconds since 1970. */
  readonly expiration: number
  readonly conditions: ReadonlyArray<Condition.Condition>
  /** The text as it was made or received. */
  readonly json: string
  /** The form's `policy` field, and what is signed: this very text. */
  readonly base64: string
}

export type Read<A> = Either.Either<A, Refusal.PolicyRefusal>

/** The longest policy in base64, in bytes: what OSS allows any form field. */
export const maxBase64Bytes = Bytes.MiB(2)

/**
 * A policy of checked conditions and their JSON, in a row with commas between. What it says is known, so it is not read back:
 * `parse` would give the same. Fails with the reader's refusal when it is too much for the reader.
 */
export const write = (
  expiration: number,
  conditions: ReadonlyArray<Condition.Condition>,
  list: string
): Read<PostPolicy> => {
  const json = `{"expiration":"${Instant.iso(expiration)}","conditions":[${list}]}`
  let values = 3 // the document, its expiration, its list
  for (const condition of conditions) values += Condition.countValues(condition)
  // A unit of UTF-16 takes at most four characters of base64.
  return values > Json.maxValues || (json.length + 1) * 4 > maxBase64Bytes
    ? parse(json)
    : Either.right({ expiration, conditions: conditions.slice(), json, base64: Base64.encode(json) })
}

/** Reads a policy's JSON. Fails with the refusal that OSS would answer (400 InvalidPolicyDocument). */
export const parse = (json: string): Read<PostPolicy> => {
  if (Math.ceil(Utf8.byteLength(json) / 3) * 4 > maxBase64Bytes) return tooLong
  if (!Utf8.isWellFormed(json)) return Refusal.document("203", "it is not UTF-8.")
  return Either.map(read(json), (policy) => ({ ...policy, base64: Base64.encode(json) }))
}

/** Reads a form's `policy` field. Fails with the refusal that OSS would answer (400 InvalidPolicyDocument). */
export const parseBase64 = (base64: string): Read<PostPolicy> => {
  if (base64 === "") return Refusal.document("205", "it is empty.")
  if (base64.length > maxBase64Bytes) return tooLong
  const bytes = Encoding.decodeBase64(base64)
  if (Either.isLeft(bytes)) return Refusal.document("202", "it is not base64.")
  const json = Utf8.decode(bytes.right)
  if (Option.isNone(json)) return Refusal.document("203", "it is not UTF-8.")
  return Either.map(read(json.value), (policy) => ({ ...policy, base64 }))
}

const tooLong = Refusal.document("201", `it is longer than ${maxBase64Bytes} bytes in base64.`)

const read = (json: string): Read<Omit<PostPolicy, "base64">> =>
  Either.gen(function* () {
    const root = yield* Either.orElse(Json.read(json), (cause) => Refusal.document("204", `Invalid JSON: ${cause}.`))
    if (!isObject(root)) return yield* Refusal.document("204", "Invalid JSON: { expected.")
    const members = yield* readMembers(root)
    const expiration = yield* readExpiration(members.expiration)
    const conditions = yield* readConditions(members.conditions)
    return { expiration, conditions, json }
  })

const isObject = (value: Json.Json): value is ReadonlyMap<string, Json.Json> => value instanceof Map

const isArray = (value: Json.Json): value is ReadonlyArray<Json.Json> => Array.isArray(value)

const readMembers = (
  root: ReadonlyMap<string, Json.Json>
): Read<{ readonly expiration: Json.Json; readonly conditions: Json.Json }> => {
  const expiration = root.get("expiration")
  const conditions = root.get("conditions")
  for (const name of root.keys()) {
    if (name !== "expiration" && name !== "conditions") {
      return Refusal.document("206", `it may hold expiration and conditions only, not ${JSON.stringify(name)}.`)
    }
  }
  if (expiration === undefined && conditions === undefined) {
    return Refusal.document("209", "it lacks expiration and conditions.")
  }
  if (expiration === undefined) return Refusal.document("208", "it lacks expiration.")
  if (conditions === undefined) return Refusal.document("207", "it lacks conditions.")
  return Either.right({ expiration, conditions })
}

const timeForm = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?Z$/

const readExpiration = (value: Json.Json): Read<number> => {
  if (typeof value !== "string") return Refusal.document("210", "expiration must be a string.")
  if (value === "") return Refusal.document("211", "expiration is empty.")
  const match = timeForm.exec(value)
  const time = match === null ? Number.NaN : Date.parse(value)
  // Date.parse carries the 30th of February over into March: what does not come back as it was is no date.
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(match![1]!)
    ? Refusal.document("212", "expiration must be an ISO 8601 time in UTC, such as 2025-07-15T09:30:45.000Z.")
    : Either.right(time)
}

const readConditions = (value: Json.Json): Read<ReadonlyArray<Condition.Condition>> => {
  if (!isArray(value)) return Refusal.document("214", "conditions must be a list.")
  if (value.length === 0) return Refusal.document("215", "conditions must not be empty.")
  const conditions: Array<Condition.Condition> = []
  for (const item of value) {
    const condition = readCondition(item)
    if (Either.isLeft(condition)) return Either.left(condition.left)
    conditions.push(condition.right)
  }
  return Either.right(conditions)
}

const readCondition = (item: Json.Json): Read<Condition.Condition> => {
  if (isObject(item)) return readSimple(item)
  if (!isArray(item)) return Refusal.document("222", "a condition must be an object or a list.")
  const [mode, first, second] = item
  if (typeof mode !== "string" || mode.startsWith("$")) return Refusal.document("216", "a condition lacks its mode.")
  if (!modes.has(mode)) return Refusal.document("217", `the mode ${JSON.stringify(mode)} of a condition is not known.`)
  if (first === undefined || second === undefined || item.length > 3) {
    return Refusal.document("218", `the condition ${mode} must have exactly two arguments.`)
  }
  return mode === "content-length-range" ? readRange(first, second) : readFieldCondition(mode, first, second)
}

const modes: ReadonlySet<string> = new Set(["eq", "starts-with", "in", "not-in", "content-length-range"])

const readSimple = (item: ReadonlyMap<string, Json.Json>): Read<Condition.Condition> => {
  const [member, other] = item
  if (member === undefined || other !== undefined) {
    const cause = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
    return Refusal.document("218", cause)
  }
  const [field, value] = member
  return typeof value === "string" ? Either.right(Condition.eq(field, value)) : wrongType("eq", "a string")
}

const wrongType = (mode: string, expected: string): Read<never> =>
  Refusal.document("224", `the condition ${mode} must be given ${expected}.`)

const readFieldCondition = (mode: string, name: Json.Json, argument: Json.Json): Read<Condition.Condition> => {
  if (typeof name !== "string") return wrongType(mode, "a field's name")
  // The help's own samples leave out the `$` now and then; OSS puts it back in its messages.
  const field = name.startsWith("$") ? name.slice(1) : name
  if (mode === "in" || mode === "not-in") {
    if (!isArray(argument) || !argument.every(isString)) return wrongType(mode, "a list of strings")
    return Either.right(mode === "in" ? Condition.oneOf(field, argument) : Condition.notIn(field, argument))
  }
  if (!isString(argument)) return wrongType(mode, "a string")
  return Either.right(mode === "eq" ? Condition.eq(field, argument) : Condition.startsWith(field, argument))
}

const isString = (value: Json.Json): value is string => typeof value === "string"

const isSize = (value: Json.Json): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0

const badBound = (ec: string, which: string): Read<never> =>
  Refusal.document(ec, `the ${which} of content-length-range must be a whole number of bytes, 0 or more.`)

const readRange = (min: Json.Json, max: Json.Json): Read<Condition.Condition> => {
  if ([min, max].some((bound) => typeof bound === "object" && bound !== null)) {
    return Refusal.document("223", "the bounds of content-length-range must be numbers.")
  }
  if (!isSize(min)) return badBound("220", "minimum")
  if (!isSize(max)) return badBound("221", "maximum")
  if (max < min) return Refusal.document("219", "the maximum of content-length-range is below its minimum.")
  return Either.right(Condition.contentLengthRange(min, max))
}
