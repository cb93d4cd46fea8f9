/**
 * The keys that requests may be signed with, and the tokens of temporary ones. Pure.
 *
 * Sources: error articles 0002-00000902 (unknown ID), -6 to -8 (security token).
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Refusal from "../Refusal.ts"
import type { AccessKey } from "../Settings.ts"

/** The key of an ID. */
export const find = (
  accessKeys: ReadonlyMap<string, AccessKey>,
  accessKeyId: string
): Either.Either<AccessKey, Refusal.Refusal> => {
  const key = accessKeys.get(accessKeyId)
  return key === undefined ? Either.left(unknown(accessKeyId)) : Either.right(key)
}

/** The refusal for an ID that nobody has. */
export const unknown = (accessKeyId: string): Refusal.Refusal =>
  Refusal.forbidden(
    "InvalidAccessKeyId",
    "The OSS Access Key Id you provided does not exist in our records.",
    "0002-00000902",
    [["OSSAccessKeyId", accessKeyId]]
  )

/** The refusal for a token that has ended. */
export const tokenExpired: Refusal.Refusal = Refusal.forbidden(
  "SecurityTokenExpired",
  "The security token you provided has expired.",
  "0002-00000007"
)

/** The token that came with a request, against the key's own. An ID of temporary credentials means nothing without it. */
export const checkToken = (
  key: AccessKey,
  token: string | undefined,
  now: number
): Either.Either<void, Refusal.Refusal> => {
  const own = key.securityToken === undefined ? "" : Redacted.value(key.securityToken)
  const given = token ?? ""
  if (own !== "" && given === "") return Either.left(unknown(key.accessKeyId))
  if (own !== given) {
    return Either.left(
      Refusal.forbidden("InvalidSecurityToken", "The security token you provided is invalid.", "0002-00000008")
    )
  }
  return key.expiresAt !== undefined && now >= key.expiresAt ? Either.left(tokenExpired) : Either.void
}

/** A text's UTF-8 bytes as OSS shows them: `47 45 54`. */
export const hexBytes = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ")
