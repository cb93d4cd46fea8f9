/**
 * Texts sealed with a secret of the application's own: readable by whoever holds them, changed by nobody. Pure.
 *
 * The seal is an HMAC-SHA256 over a purpose and the text, so that one secret may serve several purposes. With several
 * secrets, each of them opens: the way to change a secret while texts are on their way. Source of the method: RFC 2104.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { InvalidParam } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import type * as Crypto from "../ports/Crypto.ts"
import * as Signature from "./Signature.ts"

/** The fewest characters of a secret. */
export const minSecret = 16

/** Fails with `InvalidParam` for `secret` when it is too short. Its worth is in how it was drawn, which nobody can check. */
export const checkSecret = (secret: Redacted.Redacted): Either.Either<void, InvalidParam> =>
  Redacted.value(secret).length >= minSecret
    ? Either.void
    : Either.left(
        new InvalidParam({ field: "secret", reason: `must be at least ${minSecret} characters, drawn at random` })
      )

/** The seal of a text: 64 lower-case hexadecimal digits. `purpose` is a few words without a line feed. */
export const sealOf = (crypto: Crypto.Service, secret: Redacted.Redacted, purpose: string, text: string): string =>
  crypto.hmacSha256Hex(Utf8.encode(Redacted.value(secret)), `effect-oss ${purpose}\n${text}`)

/** Whether one of the secrets made this seal. Takes the same time for every wrong seal of 64 characters. */
export const isSealOf = (
  crypto: Crypto.Service,
  secrets: ReadonlyArray<Redacted.Redacted>,
  purpose: string,
  text: string,
  seal: string
): boolean => secrets.some((secret) => Signature.equal(sealOf(crypto, secret, purpose, text), seal))
