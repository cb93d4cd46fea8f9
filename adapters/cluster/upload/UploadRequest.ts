/**
 * What is to be uploaded: from where, to which key, how, and who is told. What durable state holds of it is this alone.
 *
 * Plain data with a schema; no secret can be part of it (`SourceRef`, `Callbacks`). Sizes in bytes.
 */
import * as Schema from "effect/Schema"
import { CallbackRef } from "./Callbacks.ts"
import { SourceRef } from "../sources/SourceRef.ts"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })
const Texts = Schema.Record({ key: Schema.String, value: Schema.String })

/** As for `Upload.multipart`, as far as it may be kept. */
export const UploadOptions = Schema.Struct({
  contentType: optional(Schema.String),
  cacheControl: optional(Schema.String),
  contentDisposition: optional(Schema.String),
  contentEncoding: optional(Schema.String),
  expires: optional(Schema.String),
  metadata: optional(Texts),
  tagging: optional(Texts),
  acl: optional(Schema.Literal("default", "private", "public-read", "public-read-write")),
  storageClass: optional(Schema.Literal("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")),
  serverSideEncryption: optional(Schema.String),
  serverSideEncryptionKeyId: optional(Schema.String),
  forbidOverwrite: optional(Schema.Boolean),
  trafficLimit: optional(Schema.Number),
  partSize: optional(Schema.Number)
})
export type UploadOptions = typeof UploadOptions.Type

export const UploadRequest = Schema.Struct({
  key: Schema.String,
  source: SourceRef,
  /** The bucket of the runners that take it; one of another bucket refuses. Default: whichever theirs is. */
  bucket: optional(Schema.String),
  options: optional(UploadOptions),
  callback: optional(CallbackRef),
  /** From 1 on; what failed for good is tried again as the next. */
  attempt: optional(Schema.Int.pipe(Schema.positive()))
})
export type UploadRequest = typeof UploadRequest.Type

/** Which attempt a request is. */
export const attemptOf = ({ attempt = 1 }: UploadRequest): number => attempt

const toJson = Schema.encodeSync(Schema.parseJson(UploadRequest))

/** The request as JSON text. */
export const encode = (request: UploadRequest): string => toJson(request)

/** Reads what `encode` wrote. */
export const decode = Schema.decodeUnknownEither(Schema.parseJson(UploadRequest))
