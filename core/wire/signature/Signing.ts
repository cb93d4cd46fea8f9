/**
 * What the three forms of a signature have in common: the terms are checked at the start, the texts are signed at the end.
 * Pure, but for the cache of signing keys inside a `Signer`.
 *
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { InvalidParam } from "../../model/OssError.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import * as SigningKey from "./SigningKey.ts"

/** Signs. Holds the keys derived so far, so make one and keep it. */
export interface Signer {
  readonly crypto: Crypto.Service
  readonly keys: SigningKey.Cache
}

/** A signature and the two texts it came from. The first holds the security token, if there is one: never log it. */
export interface Signed {
  readonly canonicalRequest: string
  readonly stringToSign: string
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string
}

/** The name of the signing method, as it stands in headers, queries and forms. */
export const algorithm = SigningKey.algorithm

/**
 * What is made on the way to a signature, or why there is none. An `Either` costs as much as encoding a name, and signing
 * would make ten of them: so inside this folder a refusal is returned as it is, and `settle` makes the one that callers get.
 */
export type Checked<A> = A | InvalidParam

/** What callers get: fails with the refusal, if it is one. */
export const settle = <A>(checked: Checked<A>): Either.Either<A, InvalidParam> =>
  checked instanceof InvalidParam ? Either.left(checked) : Either.right(checked)

export interface Begun {
  readonly key: SigningKey.SigningKey
  readonly moment: SigningKey.Moment
  /** Empty for none. */
  readonly token: string
}

// A token goes into a header or a query. An empty one is none: of the SDKs only Java's sends it.
const tokenForm = /^[!-~]*$/

/** Checks the terms. Gives `InvalidParam` for the one at fault, never with any of a secret or a token. */
export const begin = (signer: Signer, terms: SigningKey.Terms): Checked<Begun> => {
  const key = SigningKey.get(signer.crypto, signer.keys, terms)
  if (key instanceof InvalidParam) return key
  const { securityToken } = terms.credentials
  const token = securityToken === undefined ? "" : Redacted.value(securityToken)
  return tokenForm.test(token)
    ? { key, moment: key.momentOf(terms.time), token }
    : new InvalidParam({ field: "securityToken", reason: "must be visible ASCII characters" })
}

/** Signs the text of a request. */
export const finish = (
  { crypto }: Signer,
  { hmac }: SigningKey.SigningKey,
  { stringToSign: head }: SigningKey.Moment,
  canonicalRequest: string
): Signed => {
  const digest = crypto.sha256Hex(canonicalRequest)
  return { canonicalRequest, stringToSign: head + digest, signature: hmac(head, digest) }
}
