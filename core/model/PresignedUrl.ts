/**
 * Permission to make one request, for somebody without keys: a URL, and exactly the headers that must go with it.
 *
 * Plain JSON on both ends. Whoever holds it can use it until it expires: treat it as a secret, and never log it.
 */
import * as Schema from "effect/Schema"

/** The Schema of a presigned URL. */
export const PresignedUrl = Schema.Struct({
  method: Schema.Literal("PUT", "GET", "HEAD", "POST", "DELETE"),
  url: Schema.NonEmptyString,
  /** To be sent as they are, and with no other `content-type`, `content-md5` or `x-oss-*`. Names in lower case. */
  headers: Schema.Record({ key: Schema.String, value: Schema.String }),
  bucket: Schema.String,
  key: Schema.String,
  /** Milliseconds since 1970. */
  expiresAt: Schema.Number
})

export type PresignedUrl = typeof PresignedUrl.Type
