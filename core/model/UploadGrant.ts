/**
 * Permission to upload one file of a known size, for somebody without keys; and what becomes of it.
 *
 * Plain JSON on both ends. By the file's size it is a form, a presigned URL, or presigned URLs for parts. Whoever holds it can
 * use it until it expires: treat it as a secret, and never log it. Sizes in bytes, times in milliseconds since 1970.
 */
import * as Schema from "effect/Schema"
import { PresignedUrl } from "./PresignedUrl.ts"
import { SignedForm } from "./SignedForm.ts"

const facts = {
  bucket: Schema.String,
  key: Schema.String,
  /** Exactly this many bytes. */
  size: Schema.Number,
  contentType: Schema.String,
  expiresAt: Schema.Number
}

/** One PostObject, for small files: OSS itself checks size and type. */
export const FormGrant = Schema.Struct({ _tag: Schema.Literal("Form"), ...facts, form: SignedForm })
export type FormGrant = typeof FormGrant.Type

/** One PutObject, for files of middle size: size and type are signed. */
export const PutGrant = Schema.Struct({ _tag: Schema.Literal("Put"), ...facts, put: PresignedUrl })
export type PutGrant = typeof PutGrant.Type

/** Where one part goes: a PUT of exactly the part's bytes, without a content type. */
export const PartUrl = Schema.Struct({
  /** From 1 on. */
  number: Schema.Number,
  url: Schema.NonEmptyString,
  expiresAt: Schema.Number
})
export type PartUrl = typeof PartUrl.Type

/** A multipart upload that the server began and will complete. The URLs are for the first parts; more are had by renewal. */
export const PartsGrant = Schema.Struct({
  _tag: Schema.Literal("Parts"),
  ...facts,
  /** Of every part but the last. */
  partSize: Schema.Number,
  urls: Schema.Array(PartUrl),
  /** What the server needs to know again, sealed: to be given back for renewal and completion. */
  ticket: Schema.NonEmptyString
})
export type PartsGrant = typeof PartsGrant.Type

/** The Schema of a grant. */
export const UploadGrant = Schema.Union(FormGrant, PutGrant, PartsGrant)
export type UploadGrant = typeof UploadGrant.Type

/** A part that its uploader has sent: what the server compares with OSS's own list. */
export const SentPart = Schema.Struct({
  number: Schema.Number,
  /** CRC-64 of the part's bytes, in decimal: JSON's numbers would lose digits. */
  crc64: Schema.String
})
export type SentPart = typeof SentPart.Type

const stored = {
  bucket: Schema.String,
  key: Schema.String,
  size: Schema.Number,
  etag: Schema.String,
  crc64: Schema.String,
  requestId: Schema.String
}

/**
 * What became of an upload in parts. `Stored`: the object is there, with the application's answer as it was written.
 * `CallbackFailed`: the object is there too, but the application was not told, or answered off the contract. `Missing`: these
 * parts are not at OSS as they should be; send them again, and complete again.
 */
export const Outcome = Schema.Union(
  Schema.Struct({ _tag: Schema.Literal("Stored"), ...stored, callback: Schema.optional(Schema.Unknown) }),
  Schema.Struct({ _tag: Schema.Literal("CallbackFailed"), ...stored, reason: Schema.String, detail: Schema.String }),
  Schema.Struct({ _tag: Schema.Literal("Missing"), parts: Schema.Array(Schema.Number) })
)
export type Outcome = typeof Outcome.Type
