/**
 * What the signature of a received request or form must be: for servers, such as the emulator. Pure, but for the cache of
 * signing keys inside a `Signer`.
 *
 * The same text is made of what arrived as the signer made of what it sent. Blanks at the ends of header values are gone by
 * then, and an additional header may have arrived without a value, which some SDKs sign.
 * Sources: "Signature Version 4",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4; recorded official clients.
 */
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import { InvalidParam } from "../../model/OssError.ts"
import type * as Uri from "../Uri.ts"
import * as CanonicalRequest from "./CanonicalRequest.ts"
import type { Claim } from "./Claim.ts"
import { finish, settle, type Signed, type Signer } from "./Signing.ts"
import * as SigningKey from "./SigningKey.ts"

/** A request as it arrived: path and query decoded once, nothing normalised; names of headers in any case. */
export type Received = Omit<CanonicalRequest.Request, "additionalHeaders">

/**
 * The signature that a request must have; compare it with the claim's by `equal`. `claim` comes from the request's headers
 * or query; `secret` belongs to the claimed ID. Fails with `InvalidParam` when nothing like it can have been signed.
 */
export const expected = (
  signer: Signer,
  claim: Claim,
  received: Received,
  secret: Redacted.Redacted
): Either.Either<Signed, InvalidParam> => {
  const { bucket, headers, method } = received
  const query = claim.place === "query" ? withoutSignature(received.query) : received.query
  const request = { method, bucket, key: received.key, query, headers, additionalHeaders: claim.additionalHeaders }
  const key = keyOf(signer, claim, secret)
  if (key instanceof InvalidParam) return Either.left(key)
  const parts = CanonicalRequest.make(request, undefined)
  if (parts instanceof InvalidParam) return Either.left(parts)
  const canonical = CanonicalRequest.query(query)
  if (canonical instanceof InvalidParam) return Either.left(canonical)
  return Either.right(finish(signer, key, key.momentOf(claim.time), CanonicalRequest.text(parts, canonical)))
}

const withoutSignature = (query: Uri.Query): Uri.Query => {
  const { "x-oss-signature": _, ...rest } = query
  return rest
}

/**
 * The signature that a form must have, by the text of its policy as it arrived; `secret` belongs to the claimed ID. Fails with
 * `InvalidParam` when nothing like it can have been signed.
 */
export const expectedPolicy = (
  signer: Signer,
  claim: Claim,
  policyBase64: string,
  secret: Redacted.Redacted
): Either.Either<string, InvalidParam> => {
  const key = keyOf(signer, claim, secret)
  return settle(key instanceof InvalidParam ? key : key.hmac("", policyBase64))
}

/** Whether two signatures are the same, in a time that does not tell where they differ. */
export const equal = (a: string, b: string): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

const keyOf = (signer: Signer, { accessKeyId, product, region, time }: Claim, accessKeySecret: Redacted.Redacted) =>
  SigningKey.get(signer.crypto, signer.keys, { credentials: { accessKeyId, accessKeySecret }, region, product, time })
