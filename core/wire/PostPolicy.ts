/**
 * The policy of a form upload, as one value that can be made, signed, sent, read back and run.
 *
 * A policy says until when, and under which conditions, somebody without keys may upload one object. It is built once:
 * `base64` is what is signed and what the form carries. The same evaluation serves the uploader, before a byte is sent,
 * and the emulator. Pure. Sizes in bytes, times in milliseconds since 1970.
 *
 * ```ts
 * const stamp = yield* Signature.stamp(signer, terms)
 * const policy = yield* PostPolicy.make({
 *   expiration: now + 600_000,
 *   conditions: PostPolicy.withV4([PostPolicy.startsWith("key", "avatars/u_42/")], { bucket: "media", ...stamp })
 * })
 * const signed = yield* Signature.signPolicy(signer, policy.base64, terms)
 * const fields = PostPolicy.fields(policy, signed) // and the key, and last of all the file
 * ```
 *
 * Two things to know when writing conditions. What a policy does not name, the uploader may choose: name `callback`, `x:`
 * variables and `success_action_redirect` if they matter. And OSS takes the object's type from `x-oss-content-type` before
 * the file part's own and before `content-type`, so it is the first that must be pinned to be sure of it.
 * Sources: "PostObject", https://www.alibabacloud.com/help/en/oss/developer-reference/postobject; "POST V4 signature",
 * https://help.aliyun.com/en/oss/developer-reference/signature-version-4-recommend
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Members from "../model/Members.ts"
import * as ObjectKey from "../model/ObjectKey.ts"
import { InvalidParam } from "../model/OssError.ts"
import * as Condition from "./policy/Condition.ts"
import { write, type PostPolicy } from "./policy/Document.ts"
import { algorithm } from "./signature/Signing.ts"
import * as Instant from "./signature/Instant.ts"

export {
  canonicalName,
  contentLengthRange,
  eq,
  maxFileBytes,
  notIn,
  oneOf,
  oneOf as in,
  startsWith,
  text,
  type Condition
} from "./policy/Condition.ts"
export { maxBase64Bytes, parse, parseBase64, type PostPolicy, type Read } from "./policy/Document.ts"
export {
  evaluate,
  evaluateFields,
  evaluateSize,
  maxLifetime,
  type Evaluated,
  type Form,
  type FormFields,
  type Options as EvaluationOptions
} from "./policy/Evaluation.ts"
export type { PolicyRefusal } from "./policy/Refusal.ts"

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

/**
 * Makes a policy. `expiration` is in milliseconds since 1970. Fails with `InvalidParam` for `expiration`, `conditions`, or
 * the condition at fault, `conditions[2]`.
 */
export const make = (options: {
  readonly expiration: number
  readonly conditions: ReadonlyArray<Condition.Condition>
}): Either.Either<PostPolicy, InvalidParam> => {
  const { conditions, expiration } = options
  if (!Number.isInteger(expiration) || !Instant.isValid(expiration)) {
    return refuse("expiration", `must be 0 to ${Instant.end - 1} whole milliseconds since 1970, got ${expiration}`)
  }
  if (conditions.length === 0) return refuse("conditions", "must be at least 1 condition, got 0 conditions")
  let list = ""
  for (let index = 0; index < conditions.length; index++) {
    const condition = conditions[index]! // below its length
    const complaint = Condition.complaint(condition)
    if (complaint !== undefined) return refuse(`conditions[${index}]`, complaint)
    list += index === 0 ? Condition.json(condition) : `,${Condition.json(condition)}`
  }
  // Looked for once, at the end: a policy is made of many small texts, and searching each would put it together twice.
  if (list.includes(Condition.malformed)) {
    const index = conditions.findIndex((condition) => Condition.json(condition).includes(Condition.malformed))
    return refuse(`conditions[${index}]`, "must be well-formed Unicode, got a lone surrogate")
  }
  const written = write(expiration, conditions, list)
  if (Either.isRight(written)) return Either.right(written.right)
  // What is too much for the reader is too much to make.
  return refuse("conditions", `must be fewer or shorter: ${written.left.message}`)
}

/** What a V4 form states beside its policy; `Signature.stamp` gives the first two. */
export interface V4Terms {
  /** For `x-oss-credential`: `ak/20250715/cn-hangzhou/oss/aliyun_v4_request`. */
  readonly credential: string
  /** For `x-oss-date`: `20250715T093045Z`. */
  readonly date: string
  /** Of temporary credentials. It stands in the policy and in the form, for whoever holds them to read. */
  readonly securityToken?: Redacted.Redacted | undefined
}

/** The conditions, led by those that V4 demands, and by one on the bucket: a policy without it fits all the signer's. */
export const withV4 = (
  conditions: ReadonlyArray<Condition.Condition>,
  terms: V4Terms & { readonly bucket: string }
): ReadonlyArray<Condition.Condition> => {
  const token = terms.securityToken === undefined ? "" : Redacted.value(terms.securityToken)
  const all: Array<Condition.Condition> = [
    Condition.eq("bucket", terms.bucket),
    Condition.eq("x-oss-signature-version", algorithm),
    Condition.eq("x-oss-credential", terms.credential),
    Condition.eq("x-oss-date", terms.date)
  ]
  if (token !== "") all.push(Condition.eq("x-oss-security-token", token))
  for (const condition of conditions) all.push(condition)
  return all
}

/**
 * The fields to post before the file, but for `key`, which the uploader chooses: those the policy fixes by `eq`, the policy
 * itself, and V4's own. Further ones may be added, of any name but these.
 */
export const fields = (
  policy: PostPolicy,
  terms: V4Terms & { readonly signature: string }
): Readonly<Record<string, string>> => {
  const token = terms.securityToken === undefined ? "" : Redacted.value(terms.securityToken)
  // A literal: one object that V8 knows, where adding member after member would cost as much as the signature.
  const form: Record<string, string> = {
    "x-oss-signature-version": algorithm,
    "x-oss-credential": terms.credential,
    "x-oss-date": terms.date,
    policy: policy.base64,
    "x-oss-signature": terms.signature
  }
  if (token !== "") form["x-oss-security-token"] = token
  const taken = new Set<string>()
  for (const condition of policy.conditions) {
    if (condition._tag !== "Eq") continue
    const { field, value } = condition
    const name = Condition.canonicalName(field)
    if (own.includes(name) || (name === "x-oss-security-token" && token !== "") || taken.has(name)) continue
    taken.add(name)
    Members.put(form, field, value)
  }
  return form
}

/** What no condition adds to the form: it is stated anyway, or not a field, or for the uploader to choose. */
const own: ReadonlyArray<string> = [
  "bucket",
  "key",
  "policy",
  "x-oss-signature-version",
  "x-oss-credential",
  "x-oss-date",
  "x-oss-signature"
]

/**
 * The key that a form asks for: `${filename}` becomes the file's name. To be done after the policy was evaluated. Fails with
 * `InvalidParam` for `key` when the outcome is no key.
 */
export const resolveKey = (key: string, filename: string): Either.Either<ObjectKey.ObjectKey, InvalidParam> => {
  const pieces = key.split(placeholder)
  // Measured before it is built: a long name many times over would fill the memory.
  const length = key.length + (pieces.length - 1) * (filename.length - placeholder.length)
  return length > ObjectKey.maxBytes
    ? refuse("key", `must be 1 to ${ObjectKey.maxBytes} bytes of UTF-8, got ${length} characters`)
    : ObjectKey.make(pieces.join(filename))
}

const placeholder = "${filename}"
