/**
 * Signature Version 4 in its three forms: a request's headers, a presigned URL, a form's policy; and for servers, what a
 * received signature should have been. Pure, but for the cache of signing keys inside a `Signer`.
 *
 * Equal input gives equal bytes. Where the official SDKs disagree, decisions/0010 says what is done here, and why.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import { InvalidParam } from "../model/OssError.ts"
import type * as Crypto from "../ports/Crypto.ts"
import * as CanonicalRequest from "./signature/CanonicalRequest.ts"
import { names, type Entry } from "./signature/SignedHeaders.ts"
import {
  algorithm,
  begin,
  finish,
  settle,
  type Begun,
  type Checked,
  type Signed,
  type Signer
} from "./signature/Signing.ts"
import * as SigningKey from "./signature/SigningKey.ts"

export type { Request } from "./signature/CanonicalRequest.ts"
export {
  inForm as claimInForm,
  inHeaders as claimInHeaders,
  inQuery as claimInQuery,
  type Claim,
  type Parameters,
  type Parsed
} from "./signature/Claim.ts"
export { datetime, parse as parseDatetime } from "./signature/Instant.ts"
export { maxExpiresIn, presign, presignParts, type Presigned, type PresignTerms } from "./signature/PresignedUrl.ts"
export { algorithm, type Signed, type Signer } from "./signature/Signing.ts"
export type { Cache, Terms } from "./signature/SigningKey.ts"
export { equal, expected, expectedPolicy, type Received } from "./signature/Verification.ts"

/** A signer with an empty cache of keys. */
export const make = (crypto: Crypto.Service): Signer => ({ crypto, keys: SigningKey.makeCache() })

export interface SignedRequest extends Signed {
  /** To be laid over the request's own headers. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Signs a request by its headers. What it carries of `x-oss-date`, `x-oss-content-sha256`, `x-oss-security-token` and
 * `authorization` is replaced. Fails with `InvalidParam` for what cannot be signed.
 */
export const signHeaders = (
  signer: Signer,
  request: CanonicalRequest.Request,
  terms: SigningKey.Terms
): Either.Either<SignedRequest, InvalidParam> => settle(sign(signer, request, terms))

const sign = (signer: Signer, request: CanonicalRequest.Request, terms: SigningKey.Terms): Checked<SignedRequest> => {
  const begun = begin(signer, terms)
  if (begun instanceof InvalidParam) return begun
  const { key, moment, token } = begun
  const { datetime } = moment
  const own: Array<Entry> = [contentSha256, ["x-oss-date", datetime]]
  if (token !== "") own.push(["x-oss-security-token", token])
  const parts = CanonicalRequest.make(request, own)
  if (parts instanceof InvalidParam) return parts
  const { additional, entries } = parts.headers
  if (token === "" && names(entries, "x-oss-security-token")) {
    const reason = "must come from the credentials, which have none"
    return new InvalidParam({ field: "x-oss-security-token", reason })
  }
  const query = CanonicalRequest.query(request.query)
  if (query instanceof InvalidParam) return query
  const { canonicalRequest, signature, stringToSign } = finish(signer, key, moment, CanonicalRequest.text(parts, query))
  const named = additional === "" ? "" : `,AdditionalHeaders=${additional}`
  const authorization = `${algorithm} Credential=${key.credential}${named},Signature=${signature}`
  const payload = CanonicalRequest.unsignedPayload
  const headers =
    token === ""
      ? { "x-oss-content-sha256": payload, "x-oss-date": datetime, authorization }
      : { "x-oss-content-sha256": payload, "x-oss-date": datetime, "x-oss-security-token": token, authorization }
  return { canonicalRequest, stringToSign, signature, headers }
}

const contentSha256: Entry = ["x-oss-content-sha256", CanonicalRequest.unsignedPayload]

/** What a form states beside its policy, and the policy states too. */
export interface Stamp {
  /** For `x-oss-credential`. */
  readonly credential: string
  /** For `x-oss-date`: `20250715T093045Z`. */
  readonly date: string
}

/**
 * The stamp that `signPolicy` gives for the same terms: the policy's text states it, so it is needed first. Fails with
 * `InvalidParam` for the term at fault.
 */
export const stamp = (signer: Signer, terms: SigningKey.Terms): Either.Either<Stamp, InvalidParam> => {
  const begun = begin(signer, terms)
  return settle(begun instanceof InvalidParam ? begun : stampOf(begun))
}

const stampOf = ({ key, moment }: Begun): Stamp => ({ credential: key.credential, date: moment.datetime })

/**
 * Signs a form's policy: the base64 text itself, exactly as the form will carry it. Fails with `InvalidParam` for the term
 * at fault.
 */
export const signPolicy = (
  signer: Signer,
  policyBase64: string,
  terms: SigningKey.Terms
): Either.Either<Stamp & { readonly signature: string }, InvalidParam> => {
  const begun = begin(signer, terms)
  if (begun instanceof InvalidParam) return Either.left(begun)
  const { credential, date } = stampOf(begun)
  return Either.right({ credential, date, signature: begun.key.hmac("", policyBase64) })
}
