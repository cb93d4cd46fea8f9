/**
 * Who posts a form, and under which policy: signature version 4 or 1 over the policy's text, or nobody's. Pure, but for
 * the signer's cache.
 *
 * Sources: "POST V4 signature", https://help.aliyun.com/en/oss/developer-reference/signature-version-4-recommend; "PostObject",
 * appendix; error articles 0002-00000701 to -715.
 */
import * as Either from "effect/Either"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Refusal from "../Refusal.ts"
import type { Terms } from "./Authenticator.ts"
import * as Clocks from "./Clocks.ts"
import * as Keys from "./Keys.ts"
import { anonymous, type Principal } from "./Principal.ts"
import * as V1 from "./V1.ts"

export interface Verified {
  readonly principal: Principal
  /** `undefined`: an anonymous form without conditions. */
  readonly policy: PostPolicy.PostPolicy | undefined
}

type Fields = ReadonlyMap<string, string>
type Checked<A> = Either.Either<A, Refusal.Refusal>

const bad = (name: string, value: string | undefined, ec: string, message = `Invalid ${name} in form.`) =>
  Either.left(Refusal.invalidArgument(message, name, value ?? "", ec))

const missing = (name: string, ec: string) =>
  bad(
    name,
    undefined,
    ec,
    `Bucket POST must contain a field named '${name}'. If it is specified, please check the order of the fields.`
  )

/** The refusal of a policy, as one of the emulator's. */
export const policyRefusal = ({ status, code, message, ec }: PostPolicy.PolicyRefusal): Refusal.Refusal => ({
  _tag: "Refusal",
  status,
  code,
  message,
  ec,
  details: []
})

const readPolicy = (text: string): Checked<PostPolicy.PostPolicy> =>
  Either.mapLeft(PostPolicy.parseBase64(text), policyRefusal)

const v4Names = ["x-oss-signature-version", "x-oss-credential", "x-oss-signature", "x-oss-date"]

// Most telling first; the library's parser says only that something is wrong.
const explainV4 = (fields: Fields): Checked<never> => {
  if (fields.get("x-oss-signature-version") !== Signature.algorithm) {
    return bad("x-oss-signature-version", fields.get("x-oss-signature-version"), "0002-00000701")
  }
  if (!fields.has("x-oss-signature")) return missing("x-oss-signature", "0002-00000703")
  const date = fields.get("x-oss-date")
  if (date === undefined || !/^\d{8}T\d{6}Z$/.test(date)) return bad("x-oss-date", date, "")
  const credential = fields.get("x-oss-credential")
  const [, day, , ...rest] = (credential ?? "").split("/")
  return rest.join("/") === "oss/aliyun_v4_request" && day !== date.slice(0, 8)
    ? bad("x-oss-credential", credential, "0002-00000709")
    : bad("x-oss-credential", credential, "0002-00000710")
}

const mismatch = (claim: Signature.Claim, policy: string): Refusal.Refusal =>
  Refusal.forbidden(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    "0002-00000705",
    [
      ["OSSAccessKeyId", claim.accessKeyId],
      ["SignatureProvided", claim.signature],
      ["StringToSign", policy]
    ]
  )

const v4 = (terms: Terms, fields: Fields): Checked<Verified> =>
  Either.gen(function* () {
    const text = fields.get("policy")
    if (text === undefined) return yield* missing("policy", "0002-00000702")
    const parsed = Signature.claimInForm(Object.fromEntries(fields))
    if (Either.isLeft(parsed)) return yield* explainV4(fields)
    const claim = parsed.right
    const credential = fields.get("x-oss-credential")
    if (claim.product !== "oss") return yield* bad("x-oss-credential", credential, "0002-00000710")
    if (claim.region !== terms.region) {
      return yield* bad("x-oss-credential", credential, "0002-00000715", "Invalid signing region in form.")
    }
    const key = yield* Keys.find(terms.accessKeys, claim.accessKeyId)
    const expected = Signature.expectedPolicy(terms.signer, claim, text, key.accessKeySecret)
    if (Either.isLeft(expected) || !Signature.equal(expected.right, claim.signature)) {
      return yield* Either.left(mismatch(claim, text))
    }
    // The end of the seven days is the policy's to tell.
    if (claim.time - terms.now > Clocks.maxSkew) return yield* Either.left(Clocks.tooSkewed(claim.time, terms.now))
    yield* Keys.checkToken(key, fields.get("x-oss-security-token"), terms.now)
    const principal: Principal = { _tag: "Owner", accessKeyId: claim.accessKeyId, version: "V4", via: "form" }
    return { principal, policy: yield* readPolicy(text) }
  })

const v1 = (terms: Terms, fields: Fields): Checked<Verified> =>
  Either.gen(function* () {
    const accessKeyId = fields.get("ossaccesskeyid")
    const text = fields.get("policy")
    const signature = fields.get("signature")
    if (text === undefined) return yield* missing("policy", "0002-00000702")
    if (signature === undefined) return yield* missing("Signature", "0002-00000703")
    if (accessKeyId === undefined) return yield* missing("OSSAccessKeyId", "0002-00000706")
    const key = yield* Keys.find(terms.accessKeys, accessKeyId)
    if (!Signature.equal(V1.sign(key.accessKeySecret, text), signature)) {
      return yield* Either.left(V1.mismatch(accessKeyId, signature, text, "0002-00000705"))
    }
    yield* Keys.checkToken(key, fields.get("x-oss-security-token"), terms.now)
    return {
      principal: { _tag: "Owner", accessKeyId, version: "V1", via: "form" },
      policy: yield* readPolicy(text)
    }
  })

/** Verifies a form's signature; names of fields in lower case. A form with any of the fields of one must have them all. */
export const verify = (terms: Terms, fields: Fields): Checked<Verified> => {
  if (v4Names.some((name) => fields.has(name))) return v4(terms, fields)
  if (["policy", "signature", "ossaccesskeyid"].some((name) => fields.has(name))) {
    return terms.signatureV1 ? v1(terms, fields) : bad("x-oss-signature-version", undefined, "0002-00000701")
  }
  return Either.right({ principal: anonymous, policy: undefined })
}
