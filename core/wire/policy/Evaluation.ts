/**
 * Whether a form satisfies a policy, as OSS decides it. Pure: the time is an argument. Sizes in bytes, times in
 * milliseconds since 1970.
 *
 * The order of the checks: time, then the conditions as they stand, then fields that had to be named, then the size of the
 * file. Where OSS's documents are silent this is strict: a field that stands twice in the form satisfies no condition,
 * because nothing says which of the two counts. The signature itself and the 15 minutes of clock skew are not looked at:
 * they need no policy. Sources: "PostObject"; "POST V4 signature",
 * https://help.aliyun.com/en/oss/developer-reference/signature-version-4-recommend; the pages of EC 0006-00000003, -4, -213
 * and -226 to -228.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Instant from "../signature/Instant.ts"
import * as Condition from "./Condition.ts"
import type { PostPolicy } from "./Document.ts"
import * as Refusal from "./Refusal.ts"

export interface FormFields {
  /** The bucket the form is posted to; a condition on `bucket` is about this, and not about a field. */
  readonly bucket: string
  /** As received or as they will be sent, in any case; without the file. `key` still has its `${filename}`. */
  readonly fields: Iterable<readonly [name: string, value: string]>
  readonly file: {
    /** The Content-Type of the file's own part, which counts where the form has no such field. */
    readonly contentType?: string | undefined
  }
}

export interface Form extends FormFields {
  readonly file: FormFields["file"] & {
    /** Bytes. */
    readonly size: number
  }
}

export interface Options {
  /** Refuse every field that no condition names, as S3 does and OSS does not. Default false. */
  readonly strict?: boolean | undefined
}

export type Evaluated = Either.Either<void, Refusal.PolicyRefusal>

/** A V4 signature permits for this long after `x-oss-date`, whatever the policy says: 7 days, in milliseconds. */
export const maxLifetime = 7 * Instant.day

/** Evaluates a form at the time `now`. Fails with the refusal that OSS would answer, and names the condition. */
export const evaluate = (policy: PostPolicy, form: Form, now: number, options?: Options): Evaluated =>
  Either.flatMap(evaluateFields(policy, form, now, options), () => evaluateSize(policy, form.file.size))

/**
 * Evaluates all but the file's size, which a server does not know before it has read the file. Ordinary fields need no
 * condition; V4's own (`x-oss-signature-version`, `x-oss-credential`, `x-oss-date`, `x-oss-security-token`) need one each.
 * Fails with the refusal that OSS would answer, 403 AccessDenied; `now` is in milliseconds since 1970.
 */
export const evaluateFields = (policy: PostPolicy, form: FormFields, now: number, options: Options = {}): Evaluated => {
  const fields = collect(form)
  if (now > end(policy, fields)) return Refusal.expired
  for (const condition of policy.conditions) {
    const refused = checkField(condition, fields, form)
    if (refused !== undefined) return refused
  }
  const extra = unnamed(policy, fields, options.strict === true)
  return extra.length > 0 ? Refusal.extra(extra) : Either.void
}

/**
 * Evaluates the size of the file, in bytes; above 5 GiB it is too large for any policy. Fails with the refusal that OSS would
 * answer, 400 EntityTooLarge or EntityTooSmall.
 */
export const evaluateSize = (policy: PostPolicy, size: number): Evaluated => {
  if (size > Condition.maxFileBytes) return Refusal.tooLarge()
  for (const condition of policy.conditions) {
    if (condition._tag !== "ContentLengthRange") continue
    if (size > condition.max) return Refusal.tooLarge(Condition.text(condition))
    if (size < condition.min) return Refusal.tooSmall(Condition.text(condition))
  }
  return Either.void
}

/** A field that stands twice. */
const ambiguous = Symbol("ambiguous")

type Fields = ReadonlyMap<string, string | typeof ambiguous>

const collect = (form: FormFields): Fields => {
  const fields = new Map<string, string | typeof ambiguous>()
  for (const [name, value] of form.fields) {
    const canonical = Condition.canonicalName(name)
    fields.set(canonical, fields.has(canonical) ? ambiguous : value)
  }
  return fields
}

const end = (policy: PostPolicy, fields: Fields): number => {
  const date = fields.get("x-oss-date")
  const signed = typeof date === "string" ? Instant.parse(date) : Option.none()
  return Option.isNone(signed) ? policy.expiration : Math.min(policy.expiration, signed.value + maxLifetime)
}

const checkField = (condition: Condition.Condition, fields: Fields, form: FormFields): Evaluated | undefined => {
  if (condition._tag === "ContentLengthRange") return undefined
  const name = Condition.canonicalName(condition.field)
  const value = name === "bucket" ? form.bucket : (fields.get(name) ?? implied(name, form))
  if (value === undefined) return Refusal.missing(Condition.text(condition))
  return value !== ambiguous && holds(condition, value) ? undefined : Refusal.mismatch(Condition.text(condition))
}

// Browsers state the type of the file's part only, and policies on $content-type are met by it.
const implied = (name: string, form: FormFields) => (name === "content-type" ? form.file.contentType : undefined)

const holds = (condition: Exclude<Condition.Condition, { _tag: "ContentLengthRange" }>, value: string): boolean => {
  switch (condition._tag) {
    case "Eq":
      return value === condition.value
    case "StartsWith":
      return value.startsWith(condition.prefix)
    case "In":
      return condition.values.includes(value)
    case "NotIn":
      return !condition.values.includes(value)
  }
}

const v4Fields: ReadonlyArray<string> = ["x-oss-signature-version", "x-oss-credential", "x-oss-date"]
const securityToken = "x-oss-security-token"
/** What the policy cannot name: itself, and what is made from it. */
const unnameable: ReadonlySet<string> = new Set(["policy", "signature", "x-oss-signature", "ossaccesskeyid"])

const unnamed = (policy: PostPolicy, fields: Fields, strict: boolean): ReadonlyArray<string> => {
  const isV4 = fields.has("x-oss-signature") || v4Fields.some((name) => fields.has(name))
  const required = strict
    ? [...fields.keys()].filter((name) => !unnameable.has(name))
    : isV4
      ? [...v4Fields, securityToken].filter((name) => fields.has(name))
      : []
  if (required.length === 0) return required
  const named = new Set(
    policy.conditions.map((condition) => ("field" in condition ? Condition.canonicalName(condition.field) : ""))
  )
  return required.filter((name) => !named.has(name))
}
