/**
 * The facts of an upload in parts, sealed: the server gives them to the uploader and gets them back, and need not keep them.
 *
 * Readable by its holder, who cannot change it. Without a seal an uploader could claim another size than was granted. Pure.
 * Sizes in bytes, times in milliseconds since 1970.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import * as Signature from "../../wire/Signature.ts"

const Facts = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  uploadId: Schema.NonEmptyString,
  size: Schema.Number,
  partSize: Schema.Number,
  /** Until when it may be renewed and completed. */
  expiresAt: Schema.Number,
  /** The headers of CompleteMultipartUpload: callback, overwriting, access. */
  complete: Schema.Record({ key: Schema.String, value: Schema.String })
})
export type Facts = typeof Facts.Type

/** The fewest characters of a secret. */
export const minSecret = 16

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

// The purpose is part of what is sealed, so that a server may use its secret for other things too.
const sealOf = (crypto: Crypto.Service, secret: Redacted.Redacted, text: string): string =>
  crypto.hmacSha256Hex(Utf8.encode(Redacted.value(secret)), `effect-oss upload ticket\n${text}`)

const checkSecret = (secret: Redacted.Redacted): Either.Either<void, InvalidParam> =>
  Redacted.value(secret).length >= minSecret
    ? Either.void
    : invalid("secret", `must be at least ${minSecret} characters, drawn at random`)

/** Seals. Fails with `InvalidParam` for `secret`. */
export const seal = (
  crypto: Crypto.Service,
  secret: Redacted.Redacted,
  facts: Facts
): Either.Either<string, InvalidParam> =>
  Either.map(checkSecret(secret), () => {
    const text = Encoding.encodeBase64Url(JSON.stringify(facts))
    return `${text}.${sealOf(crypto, secret, text)}`
  })

const decode = Schema.decodeUnknownEither(Schema.parseJson(Facts))

/** The facts of a ticket that was sealed with this secret. Fails with `InvalidParam` for `ticket`, also once it is over. */
export const open = (
  crypto: Crypto.Service,
  secret: Redacted.Redacted,
  ticket: string,
  now: number
): Either.Either<Facts, InvalidParam> =>
  Either.gen(function* () {
    yield* checkSecret(secret)
    const [text = "", seal = ""] = ticket.split(".")
    if (!Signature.equal(sealOf(crypto, secret, text), seal)) {
      return yield* invalid("ticket", "must be one that was issued here, unchanged")
    }
    const facts = yield* Either.mapLeft(
      Either.flatMap(Encoding.decodeBase64UrlString(text), decode),
      () => new InvalidParam({ field: "ticket", reason: "must be of this version" })
    )
    return facts.expiresAt > now ? facts : yield* invalid("ticket", "must not be over: ask for a new grant")
  })
