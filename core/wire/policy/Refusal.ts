/**
 * Why OSS refuses a form for its policy: in OSS's own status, code and EC. Plain data.
 *
 * The words are OSS's own where they are known: an expired policy, a condition that failed, extra fields, the two sizes, a
 * simple condition of several properties, and the two faults of JSON that its help quotes. All others begin as OSS's do
 * ("Invalid Policy: ") and go on in ours. Sources: the pages of EC 0006-00000003 to 0006-00000228,
 * https://help.aliyun.com/en/oss/user-guide/0006-00000201 and its neighbours; "How to handle common errors when the
 * PostObject operation is called".
 */
import * as Either from "effect/Either"

export interface PolicyRefusal {
  readonly _tag: "PolicyRefusal"
  /** The HTTP status. */
  readonly status: 400 | 403
  readonly code: "InvalidPolicyDocument" | "AccessDenied" | "EntityTooLarge" | "EntityTooSmall"
  /** OSS's sentence. Holds no security token. */
  readonly message: string
  readonly ec: string
  /** The condition at fault as the message quotes it, `["eq", "$key", "a.txt"]`; `undefined` when it is none. */
  readonly condition: string | undefined
}

type Refused = Either.Either<never, PolicyRefusal>

const refuse = (
  status: PolicyRefusal["status"],
  code: PolicyRefusal["code"],
  ec: string,
  message: string,
  condition?: string
): Refused => Either.left({ _tag: "PolicyRefusal", status, code, message, ec: `0006-00000${ec}`, condition })

/** 400 InvalidPolicyDocument: the policy's text is at fault. `ec` is its last three digits. */
export const document = (ec: string, cause: string): Refused =>
  refuse(400, "InvalidPolicyDocument", ec, `Invalid Policy: ${cause}`)

/** 403 AccessDenied: the policy, or the seven days of its signature, are over. */
export const expired: Refused = refuse(403, "AccessDenied", "213", "Invalid according to Policy: Policy expired.")

const failed = (ec: string, condition: string): Refused =>
  refuse(403, "AccessDenied", ec, `Invalid according to Policy: Policy Condition failed: ${condition}`, condition)

/** 403 AccessDenied: the field that a condition names is not in the form. */
export const missing = (condition: string): Refused => failed("226", condition)

/** 403 AccessDenied: the field's value is not what the condition wants. */
export const mismatch = (condition: string): Refused => failed("227", condition)

/** 403 AccessDenied: there are fields that the policy would have to name. */
export const extra = (names: ReadonlyArray<string>): Refused =>
  refuse(403, "AccessDenied", "228", `Invalid according to Policy: Extra input fields: ${names.join(", ")}`)

/** 400 EntityTooLarge: `condition` is `undefined` when the file is above what any form may carry. */
export const tooLarge = (condition?: string): Refused =>
  refuse(400, "EntityTooLarge", "003", "Your proposed upload exceeds the maximum allowed size.", condition)

/** 400 EntityTooSmall: the file has fewer bytes than the condition wants. */
export const tooSmall = (condition: string): Refused =>
  refuse(400, "EntityTooSmall", "004", "Your proposed upload smaller than the minimum allowed size.", condition)
