/**
 * The facts of an upload in parts, sealed: the server gives them to the uploader and gets them back, and need not keep them.
 *
 * Readable by its holder, who cannot change it. Without a seal an uploader could claim another size than was granted. Pure.
 * Sizes in bytes, times in milliseconds since 1970.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { InvalidParam } from "../../model/OssError.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import * as Sealed from "../../wire/Sealed.ts"

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

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const purpose = "upload ticket"

/** Seals. Fails with `InvalidParam` for `secret`. */
export const seal = (
  crypto: Crypto.Service,
  secret: Redacted.Redacted,
  facts: Facts
): Either.Either<string, InvalidParam> =>
  Either.map(Sealed.checkSecret(secret), () => {
    const text = Encoding.encodeBase64Url(JSON.stringify(facts))
    return `${text}.${Sealed.sealOf(crypto, secret, purpose, text)}`
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
    yield* Sealed.checkSecret(secret)
    const [text = "", seal = ""] = ticket.split(".")
    if (!Sealed.isSealOf(crypto, [secret], purpose, text, seal)) {
      return yield* invalid("ticket", "must be one that was issued here, unchanged")
    }
    const facts = yield* Either.mapLeft(
      Either.flatMap(Encoding.decodeBase64UrlString(text), decode),
      () => new InvalidParam({ field: "ticket", reason: "must be of this version" })
    )
    return facts.expiresAt > now ? facts : yield* invalid("ticket", "must not be over: ask for a new grant")
  })
