/**
 * One clause of a form's policy: what a field may hold, or how large the file may be. Pure data; sizes in bytes.
 *
 * Source: "PostObject", appendix "Post Policy", https://www.alibabacloud.com/help/en/oss/developer-reference/postobject
 */
import * as Bytes from "../../model/Bytes.ts"
import * as Utf8 from "../../model/Utf8.ts"

export type Condition =
  | { readonly _tag: "Eq"; readonly field: string; readonly value: string }
  | { readonly _tag: "StartsWith"; readonly field: string; readonly prefix: string }
  | { readonly _tag: "In"; readonly field: string; readonly values: ReadonlyArray<string> }
  | { readonly _tag: "NotIn"; readonly field: string; readonly values: ReadonlyArray<string> }
  | { readonly _tag: "ContentLengthRange"; readonly min: number; readonly max: number }

/** The largest file that a form may carry, in bytes. */
export const maxFileBytes = Bytes.GiB(5)
/** The longest name of a form field, in bytes. */
export const maxNameBytes = Bytes.KiB(8)

/** The field holds exactly this. Field names are written without `$`, and compared without regard to case. */
export const eq = (field: string, value: string): Condition => ({ _tag: "Eq", field, value })

/** The field begins with this; `""` demands only that the field is there. */
export const startsWith = (field: string, prefix: string): Condition => ({ _tag: "StartsWith", field, prefix })

/** The field holds one of these. Exported by `PostPolicy` as `in`. */
export const oneOf = (field: string, values: ReadonlyArray<string>): Condition => ({ _tag: "In", field, values })

/** The field is there, and holds none of these. */
export const notIn = (field: string, values: ReadonlyArray<string>): Condition => ({ _tag: "NotIn", field, values })

/** The file has from `min` to `max` bytes, both included; whole numbers, 0 <= min <= max <= 5 GiB. */
export const contentLengthRange = (min: number, max: number): Condition => ({ _tag: "ContentLengthRange", min, max })

/**
 * The name under which fields are compared. Only A-Z are lowered: Unicode would also make a "k" of the Kelvin sign, and
 * a field could then be checked under one name and used under another.
 */
export const canonicalName = (field: string): string =>
  lowered.test(field) ? field : field.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

const lowered = /^[^A-Z]*$/

/** Fields whose values no message quotes: tokens, and what the application tells its own server. */
const isPrivate = (field: string): boolean => /^(?:x-oss-security-token|callback|x:.*)$/s.test(canonicalName(field))

const quoted = (field: string, values: ReadonlyArray<string>): ReadonlyArray<string> =>
  (isPrivate(field) ? ["***"] : values).map((value) => JSON.stringify(value))

const ofField = (mode: string, field: string, argument: string): string =>
  `["${mode}", ${JSON.stringify(`$${field}`)}, ${argument}]`

/** The condition as OSS quotes it in messages: `["starts-with", "$key", "user/eric/"]`. Tokens and callbacks are masked. */
export const text = (condition: Condition): string => {
  switch (condition._tag) {
    case "Eq":
      return ofField("eq", condition.field, quoted(condition.field, [condition.value]).join())
    case "StartsWith":
      return ofField("starts-with", condition.field, quoted(condition.field, [condition.prefix]).join())
    case "In":
      return ofField("in", condition.field, `[${quoted(condition.field, condition.values).join(", ")}]`)
    case "NotIn":
      return ofField("not-in", condition.field, `[${quoted(condition.field, condition.values).join(", ")}]`)
    case "ContentLengthRange":
      return `["content-length-range", ${condition.min}, ${condition.max}]`
  }
}

// Printable ASCII but for the quote and the backslash: it stands in JSON as it is, and is well-formed.
const plain = /^[ !#-[\]-~]*$/

/** Stands in `json` for a text that is not well-formed Unicode. It is a control character: no JSON has it. */
export const malformed = "\u0000"

const quote = (text: string): string => {
  if (plain.test(text)) return `"${text}"`
  return Utf8.isWellFormed(text) ? JSON.stringify(text) : malformed
}

/** The condition as it stands in the policy's JSON, or something with `malformed` in it. */
export const json = (condition: Condition): string => {
  switch (condition._tag) {
    case "Eq":
      return `{${quote(condition.field)}:${quote(condition.value)}}`
    case "StartsWith":
      return `["starts-with",${quote(`$${condition.field}`)},${quote(condition.prefix)}]`
    case "In":
      return `["in",${quote(`$${condition.field}`)},[${condition.values.map(quote).join()}]]`
    case "NotIn":
      return `["not-in",${quote(`$${condition.field}`)},[${condition.values.map(quote).join()}]]`
    case "ContentLengthRange":
      return `["content-length-range",${condition.min},${condition.max}]`
  }
}

/** How many values `json` holds, those inside of others included. */
export const countValues = (condition: Condition): number =>
  condition._tag === "Eq" ? 2 : "values" in condition ? 4 + condition.values.length : 4

/** What is wrong with a condition of our own caller, in words; `undefined` when nothing is but, maybe, its Unicode (see `json`). */
export const complaint = (condition: Condition): string | undefined => {
  if (condition._tag === "ContentLengthRange") {
    const { max, min } = condition
    return Number.isInteger(min) && Number.isInteger(max) && min >= 0 && min <= max && max <= maxFileBytes
      ? undefined
      : `must be whole bytes with 0 <= min <= max <= ${maxFileBytes}, got ${min} to ${max} bytes`
  }
  const { field } = condition
  if (field === "" || field.startsWith("$")) return `must name a field, without "$", got ${JSON.stringify(field)}`
  // A unit of UTF-16 takes at most three bytes.
  if (field.length * 3 > maxNameBytes && Utf8.byteLength(field) > maxNameBytes) {
    return `a field's name must be at most ${maxNameBytes} bytes, got ${Utf8.byteLength(field)} bytes`
  }
  if ("values" in condition && condition.values.length === 0)
    return `must list at least 1 value for ${field}, got 0 values`
  return undefined
}
