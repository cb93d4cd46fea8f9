/**
 * Who sends a request: picks the version of its signature and has it verified. Pure, but for the signer's cache.
 */
import * as Either from "effect/Either"
import * as Refusal from "../Refusal.ts"
import { anonymous, type Principal } from "./Principal.ts"
import * as V1 from "./V1.ts"
import * as V4 from "./V4.ts"

export interface Terms extends V4.Terms {
  /** Whether version 1 is taken. */
  readonly signatureV1: boolean
}

const v1Off = Refusal.forbidden("AccessDenied", "Signature version 1 is not allowed here, use OSS4-HMAC-SHA256.")

/**
 * Verifies a request's signature, in its header or its query. Without any the request is anonymous; a broken one is refused,
 * never taken for anonymous.
 */
export const verify = (terms: Terms, received: V4.Received): Either.Either<Principal, Refusal.Refusal> => {
  const { headers, query } = received
  const authorization = headers["authorization"]
  if (authorization !== undefined) {
    if (authorization.startsWith("OSS4-HMAC-SHA256")) return V4.inHeaders(terms, received)
    if (authorization.startsWith("OSS ")) return terms.signatureV1 ? V1.inHeaders(terms, received) : Either.left(v1Off)
    return Either.left(
      Refusal.badRequest("InvalidArgument", "Authorization header is invalid.", "", [["Authorization", authorization]])
    )
  }
  if (Object.hasOwn(query, "x-oss-signature-version")) return V4.inQuery(terms, received)
  if (Object.hasOwn(query, "OSSAccessKeyId"))
    return terms.signatureV1 ? V1.inQuery(terms, received) : Either.left(v1Off)
  return Either.right(anonymous)
}
