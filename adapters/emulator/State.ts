/**
 * What the emulator knows of buckets, objects and uploads: the documents in its data folder. Pure.
 *
 * Sizes are in bytes, times in milliseconds since 1970. ETags are upper-case hexadecimal without quotes, CRC-64 is unsigned
 * decimal text. Bodies are files of their own, named here and never changed once named.
 */
import * as Schema from "effect/Schema"

export const Acl = Schema.Literal("private", "public-read", "public-read-write")
export type Acl = typeof Acl.Type

export const ObjectAcl = Schema.Literal("default", ...Acl.literals)
export type ObjectAcl = typeof ObjectAcl.Type

const Texts = Schema.Record({ key: Schema.String, value: Schema.String })

export const CorsRule = Schema.Struct({
  allowedOrigins: Schema.Array(Schema.String),
  allowedMethods: Schema.Array(Schema.String),
  allowedHeaders: Schema.Array(Schema.String),
  exposeHeaders: Schema.Array(Schema.String),
  maxAgeSeconds: Schema.optionalWith(Schema.Int, { exact: true })
})
export type CorsRule = typeof CorsRule.Type

export const Cors = Schema.Struct({ rules: Schema.Array(CorsRule), responseVary: Schema.Boolean })
export type Cors = typeof Cors.Type

/** A callback by name: base64, as uploads would send it. */
export const CallbackPolicy = Schema.Struct({
  name: Schema.String,
  callback: Schema.String,
  callbackVar: Schema.optionalWith(Schema.String, { exact: true })
})
export type CallbackPolicy = typeof CallbackPolicy.Type

export const Bucket = Schema.Struct({
  name: Schema.String,
  region: Schema.String,
  acl: Acl,
  storageClass: Schema.String,
  created: Schema.Number,
  cors: Schema.optionalWith(Cors, { exact: true }),
  callbackPolicies: Schema.optionalWith(Schema.Array(CallbackPolicy), { exact: true })
})
export type Bucket = typeof Bucket.Type

/** What a request says about an object beside its bytes; kept from Initiate to Complete. */
export const Attributes = Schema.Struct({
  contentType: Schema.String,
  /** Cache-Control, Content-Disposition, Content-Encoding, Content-Language, Expires; names in lower case. */
  headers: Texts,
  /** `x-oss-meta-*`, the names without the prefix, in lower case. */
  meta: Texts,
  acl: ObjectAcl,
  storageClass: Schema.String,
  /** The encoded tags as they were sent. */
  tagging: Schema.optionalWith(Schema.String, { exact: true }),
  encryption: Schema.optionalWith(Texts, { exact: true })
})
export type Attributes = typeof Attributes.Type

/** One file of a body. */
export const Segment = Schema.Struct({ file: Schema.String, size: Schema.Number })
export type Segment = typeof Segment.Type

export const ObjectRecord = Schema.Struct({
  ...Attributes.fields,
  key: Schema.String,
  type: Schema.Literal("Normal", "Multipart", "Appendable"),
  size: Schema.Number,
  etag: Schema.String,
  crc64: Schema.String,
  /** Base64; only of objects whose bytes came in one request. */
  md5: Schema.optionalWith(Schema.String, { exact: true }),
  modified: Schema.Number,
  segments: Schema.Array(Segment),
  /** The upload that became this object: after a crash, it is known to be complete. */
  uploadId: Schema.optionalWith(Schema.String, { exact: true })
})
export type ObjectRecord = typeof ObjectRecord.Type

export const Upload = Schema.Struct({
  attributes: Attributes,
  key: Schema.String,
  uploadId: Schema.String,
  initiated: Schema.Number,
  sequential: Schema.Boolean
})
export type Upload = typeof Upload.Type

export const Part = Schema.Struct({
  partNumber: Schema.Int,
  size: Schema.Number,
  etag: Schema.String,
  crc64: Schema.String,
  modified: Schema.Number,
  file: Schema.String
})
export type Part = typeof Part.Type

/** One upload and its parts by number. */
export interface UploadState {
  readonly upload: Upload
  readonly parts: Map<number, Part>
}

/** One bucket and what is in it. */
export interface BucketState {
  bucket: Bucket
  readonly objects: Map<string, ObjectRecord>
  readonly uploads: Map<string, UploadState>
}

/** How OSS orders keys: by the bytes of their UTF-8 form. (Code units order characters beyond U+FFFF before U+E000.) */
export const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

// Surrogates stand for characters above every other code unit.
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
