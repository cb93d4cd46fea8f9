/**
 * One-time tokens: what ties a callback to an upload that this application allowed.
 *
 * A callback's signature says that OSS sent it, and not that anybody here asked for it. A token does: sealed with the
 * application's secret, for one bucket and one key (or keys that begin so), until a time, and spent with the first callback
 * that is handled. It travels in the callback's URL (`Callback.withQuery(callback, { token })`) or in a variable
 * (`Callback.token("token")`), both of which OSS signs; who holds it can use it for the upload it is for, and for nothing else.
 * Times in milliseconds since 1970.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Bucket from "../model/Bucket.ts"
import { CallbackRejected, InvalidParam } from "../model/OssError.ts"
import * as Crypto from "../ports/Crypto.ts"
import * as Sealed from "../wire/Sealed.ts"

/** The name of a token in the query of a callback's URL. */
export const parameter = "token"

const Facts = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  /** Whether `key` is only how the key begins. */
  prefix: Schema.Boolean,
  expiresAt: Schema.Number,
  nonce: Schema.String
})
type Facts = typeof Facts.Type

/** What a token is for: one key, or all that begin alike. */
export type Options = {
  readonly bucket: string
  /** At least 16 characters, drawn at random, the same at the receiver. */
  readonly secret: Redacted.Redacted
  /** How long it holds: as long as the upload may take, and at most 7 days. */
  readonly expiresIn: Duration.DurationInput
} & ({ readonly key: string } | { readonly keyPrefix: string })

const purpose = "one-time token"
const maxExpiresIn = Duration.days(7)

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const factsOf = (options: Options, now: number, nonce: string): Either.Either<Facts, InvalidParam> =>
  Either.gen(function* () {
    yield* Sealed.checkSecret(options.secret)
    yield* Bucket.checkName(options.bucket)
    const lifetime = Duration.decode(options.expiresIn)
    if (Duration.lessThan(lifetime, "1 second") || Duration.greaterThan(lifetime, maxExpiresIn)) {
      return yield* invalid("expiresIn", `must be 1 second to 7 days, got ${Duration.format(lifetime)}`)
    }
    const prefix = "keyPrefix" in options
    const key = "keyPrefix" in options ? options.keyPrefix : options.key
    if (key === "") return yield* invalid(prefix ? "keyPrefix" : "key", "must not be empty: it would fit every key")
    return { bucket: options.bucket, key, prefix, expiresAt: now + Duration.toMillis(lifetime), nonce }
  })

// Makes tokens differ. Nothing rests on its being hard to guess: that is the secret's part.
const nonce = Effect.map(Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4), (words) =>
  words.map((word) => word.toString(16).padStart(8, "0")).join("")
)

/** A new token. Fails with `InvalidParam` for `secret`, `bucket`, `expiresIn`, `key` or `keyPrefix`. */
export const issue = (options: Options): Effect.Effect<string, InvalidParam, Crypto.Crypto> =>
  Effect.gen(function* () {
    const crypto = yield* Crypto.Crypto
    const facts = yield* factsOf(options, yield* Clock.currentTimeMillis, yield* nonce)
    const text = Encoding.encodeBase64Url(JSON.stringify(facts))
    return `${text}.${Sealed.sealOf(crypto, options.secret, purpose, text)}`
  })

/** What a token was shown for. */
export interface Shown {
  readonly bucket: string
  readonly key: string
  /** When; `undefined`: whether it is over does not matter. */
  readonly at: number | undefined
}

export interface Checked {
  /** By which a `ReplayGuard` knows it. */
  readonly id: string
  readonly expiresAt: number
}

const decode = Schema.decodeUnknownEither(Schema.parseJson(Facts))
const bad = (detail: string) => Either.left(new CallbackRejected({ reason: "BadToken", detail }))

/**
 * Whether a token was issued with one of the secrets, for this bucket and key, and is not over. Not whether it is spent.
 * Fails with `CallbackRejected` `BadToken`. Pure.
 */
export const check = (
  crypto: Crypto.Service,
  secrets: ReadonlyArray<Redacted.Redacted>,
  token: string,
  { at, bucket, key }: Shown
): Either.Either<Checked, CallbackRejected> => {
  if (token === "") return bad("it has no token")
  const [text = "", seal = "", ...rest] = token.split(".")
  if (rest.length > 0 || !Sealed.isSealOf(crypto, secrets, purpose, text, seal)) {
    return bad("its token was not issued here")
  }
  const read = Either.flatMap(Encoding.decodeBase64UrlString(text), decode)
  if (Either.isLeft(read)) return bad("its token is not of this version")
  const { right: facts } = read
  if (facts.bucket !== bucket) return bad("its token is for another bucket")
  if (facts.prefix ? !key.startsWith(facts.key) : key !== facts.key) return bad("its token is for another key")
  if (at !== undefined && facts.expiresAt <= at) return bad("its token is over")
  return Either.right({ id: `token-${crypto.sha256Hex(token)}`, expiresAt: facts.expiresAt })
}
