/**
 * A callback that the application server was not told, kept so that it can be told again: what to post, where, about what.
 *
 * Pure: plain data, and its JSON text. Sizes in bytes, times in milliseconds since 1970; a CRC-64 is a bigint here and a
 * decimal text in JSON. It may hold a one-time token, in a URL or in the body: keep it where others cannot read.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Crc64Text from "./Crc64Text.ts"
import * as ObjectKey from "./ObjectKey.ts"
import type { Uploaded } from "./Uploaded.ts"

const Count = Schema.Int.pipe(Schema.nonNegative())
const isKey = (key: string): boolean => Either.isRight(ObjectKey.make(key))

const Stored = Schema.Struct({
  method: Schema.Literal("simple", "multipart", "resumable", "form", "presigned"),
  bucket: Schema.String,
  key: Schema.String.pipe(Schema.filter(isKey), Schema.brand("ObjectKey")),
  size: Count,
  etag: Schema.String,
  crc64: Crc64Text.schema,
  versionId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.String
})

const schema = Schema.Struct({
  version: Schema.Literal(1),
  /** The same for the same callback of the same upload: 64 hexadecimal digits. */
  id: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
  /** To be tried in order, as OSS does. */
  urls: Schema.Array(Schema.String),
  /** The Host header, where it is not the URL's host. */
  host: Schema.UndefinedOr(Schema.String),
  contentType: Schema.Literal("application/x-www-form-urlencoded", "application/json"),
  /** The body that OSS would have sent. */
  body: Schema.String,
  /** When OSS failed to deliver it. */
  since: Count,
  /** The receipt of the object. */
  stored: Stored
})

type Fields = typeof schema.Type

export interface Undelivered extends Omit<Fields, "stored"> {
  readonly stored: Uploaded
}

const json = Schema.parseJson(schema)
const toJson = Schema.encodeSync(json)
const fromJson = Schema.decodeUnknownEither(json)

/** As JSON text. */
export const encode = (undelivered: Undelivered): string => toJson(undelivered)

/** Reads the JSON text. Fails with a sentence for any other, also for versions other than 1. */
export const decode = (text: string): Either.Either<Undelivered, string> =>
  Either.mapBoth(fromJson(text), {
    onLeft: () => "it is no undelivered callback of version 1",
    onRight: (fields) => ({ ...fields, stored: { ...fields.stored, callback: undefined } })
  })
