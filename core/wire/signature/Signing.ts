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
import * as Instant from "./Instant.ts"
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
export const algorithm = "OSS4-HMAC-SHA256"

export interface Begun {
  readonly key: SigningKey.SigningKey
  /** `20250715T093045Z`. */
  readonly datetime: string
  /** Empty for none. */
  readonly token: string
}

// A token goes into a header or a query. An empty one is none: of the SDKs only Java's sends it.
const tokenForm = /^[!-~]*$/

/** Checks the terms. Fails with `InvalidParam` for the one at fault, never with any of a secret or a token. */
export const begin = (signer: Signer, terms: SigningKey.Terms): Either.Either<Begun, InvalidParam> =>
  Either.flatMap(SigningKey.get(signer.crypto, signer.keys, terms), (key) => {
    const { securityToken } = terms.credentials
    const token = securityToken === undefined ? "" : Redacted.value(securityToken)
    return tokenForm.test(token)
      ? Either.right({ key, datetime: key.date + Instant.timeOfDay(terms.time), token })
      : Either.left(new InvalidParam({ field: "securityToken", reason: "must be visible ASCII characters" }))
  })

/** Signs the text of a request. */
export const finish = (
  { crypto }: Signer,
  key: SigningKey.SigningKey,
  datetime: string,
  canonicalRequest: string
): Signed => {
  const stringToSign = `${algorithm}\n${datetime}\n${key.scope}\n${crypto.sha256Hex(canonicalRequest)}`
  return { canonicalRequest, stringToSign, signature: crypto.hmacSha256Hex(key.bytes, stringToSign) }
}
