/**
 * The ways to upload, by the names of OSS's help: one function each.
 *
 * Each answers a receipt, `Uploaded<A>`, whose `callback` is what the application server answered, typed by the callback's
 * contract. Without a `callback`, `CallbackFailed` is not among the errors.
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CallbackFailed, CheckpointError } from "../model/OssError.ts"
import type { PresignedUrl } from "../model/PresignedUrl.ts"
import type { SignedForm } from "../model/SignedForm.ts"
import type { Uploaded } from "../model/Uploaded.ts"
import type { CheckpointStore } from "../ports/CheckpointStore.ts"
import type { Source } from "../ports/Source.ts"
import type { Transport } from "../ports/Transport.ts"
import type * as Callback from "../wire/Callback.ts"
import type { OssClient } from "./OssClient.ts"
import { form as runForm, type FormOptions } from "./upload/form.ts"
import type { GrantedOptions, GrantedUploadError } from "./upload/granted.ts"
import { multipart as runMultipart } from "./upload/multipart.ts"
import type { MultipartOptions, ResumableOptions, UploadError, UploadOptions } from "./upload/options.ts"
import { presigned as runPresigned } from "./upload/presigned.ts"
import { resumable as runResumable } from "./upload/resumable.ts"
import { multipartStream as runMultipartStream } from "./upload/stream.ts"
import { simple as runSimple } from "./upload/simple.ts"

export { events, type Event } from "./upload/events.ts"
export type { FormOptions } from "./upload/form.ts"
export type { GrantedOptions, GrantedUploadError } from "./upload/granted.ts"

export type { MultipartOptions, ResumableOptions, UploadError, UploadOptions } from "./upload/options.ts"
export type { OnProgress } from "./upload/progress.ts"

/** Options with a callback, or with the contract that reads its answer, and without. */
export type WithCallback<Options, A> = Options & { readonly callback: Callback.Callback<A> }
export type WithContract<Options, A> = Options & { readonly callback: Pick<Callback.Callback<A>, "decodeResponse"> }
export type WithoutCallback<Options> = Options & { readonly callback?: undefined }

/**
 * Simple upload: the whole source in one PutObject, at most 5 GiB (5,368,709,120 bytes).
 *
 * The object appears whole or not at all. When it fails, nothing was stored, except: `TransportError` with
 * `sent: "unknown"` and `ServiceError` with a status from 500 on (unknown), `UnexpectedResponse` (likely stored),
 * `Crc64Mismatch` (stored, and wrong), `CallbackFailed` (stored, and right).
 * Source: "Simple upload", https://www.alibabacloud.com/help/en/oss/user-guide/simple-upload
 */
export const simple: {
  <A>(
    key: string,
    source: Source,
    options: WithCallback<UploadOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient>
  (
    key: string,
    source: Source,
    options?: WithoutCallback<UploadOptions<undefined>>
  ): Effect.Effect<Uploaded, UploadError, OssClient>
} = (key: string, source: Source, options: UploadOptions<unknown> = {}) => runSimple(key, source, options) as never // the two signatures say more than one implementation can

/**
 * Multipart upload: parts of the source side by side, then one object; up to 48.8 TB in at most 10,000 parts.
 *
 * Holds `concurrency` times `partSize` bytes, or less: see `buffer`. Failed or interrupted, it leaves no pending upload
 * behind. A source of one part is sent as one PutObject. Errors as for `simple`.
 *
 * A stream need not know its length. Its parts grow as it goes on, double after every 1,000, so that 10,000 parts of 8 MiB at
 * first carry 7.8 TiB. It is asked for no more than the parts in flight can hold, and its own errors are among the errors.
 * Source: "Multipart upload", https://www.alibabacloud.com/help/en/oss/user-guide/multipart-upload
 */
export const multipart: {
  <A>(
    key: string,
    source: Source,
    options: WithCallback<MultipartOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient>
  (
    key: string,
    source: Source,
    options?: WithoutCallback<MultipartOptions<undefined>>
  ): Effect.Effect<Uploaded, UploadError, OssClient>
  <A, E, R>(
    key: string,
    source: Stream.Stream<Uint8Array, E, R>,
    options: WithCallback<MultipartOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed | E, OssClient | R>
  <E, R>(
    key: string,
    source: Stream.Stream<Uint8Array, E, R>,
    options?: WithoutCallback<MultipartOptions<undefined>>
  ): Effect.Effect<Uploaded, UploadError | E, OssClient | R>
} = (
  key: string,
  source: Source | Stream.Stream<Uint8Array, unknown, unknown>,
  options: MultipartOptions<unknown> = {}
) => ("open" in source ? runMultipart(key, source, options) : runMultipartStream(key, source, options)) as never // as above

/**
 * Resumable upload: a multipart upload whose progress is kept in the `CheckpointStore`, so that the next run for the same
 * key goes on where this one ended, however it ended.
 *
 * What counts as sent is at the server, in the checkpoint, and equal by CRC-64 to what the source holds now. It never
 * aborts its upload, except to begin anew: for other headers, another part size or, if you say so, another source. While
 * one run is at work, others fail with `CheckpointError` `Locked`. Once the object is stored, the checkpoint is removed, also
 * when the callback failed. Errors as for `simple`; `SourceError` `Changed` also when an earlier run began with another
 * source (see `ifChanged`), and `CheckpointError` when the store fails: what was sent is kept. A source of one part is sent
 * as one PutObject.
 * Source: "Resumable upload", https://www.alibabacloud.com/help/en/oss/user-guide/resumable-upload
 */
export const resumable: {
  <A>(
    key: string,
    source: Source,
    options: WithCallback<ResumableOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, UploadError | CheckpointError | CallbackFailed, OssClient | CheckpointStore>
  (
    key: string,
    source: Source,
    options?: WithoutCallback<ResumableOptions<undefined>>
  ): Effect.Effect<Uploaded, UploadError | CheckpointError, OssClient | CheckpointStore>
} = (key: string, source: Source, options: ResumableOptions<unknown> = {}) =>
  runResumable(key, source, options) as never // as above

/**
 * Form upload: one PostObject by a signed form, at most 5 GiB. Needs a transport, and no keys.
 *
 * The form's policy is run before a byte is sent: what it refuses is `InvalidParam` for `form`, in OSS's own words. `callback`
 * is the contract of the callback in the form, which reads the application's answer.
 * Source: "Form upload", https://www.alibabacloud.com/help/en/oss/user-guide/form-upload
 */
export const form: {
  <A>(
    grant: SignedForm,
    key: string,
    source: Source,
    options: WithContract<FormOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, GrantedUploadError | CallbackFailed, Transport>
  (
    grant: SignedForm,
    key: string,
    source: Source,
    options?: WithoutCallback<FormOptions<undefined>>
  ): Effect.Effect<Uploaded, GrantedUploadError, Transport>
} = (grant: SignedForm, key: string, source: Source, options: FormOptions<unknown> = {}) =>
  runForm(grant, key, source, options) as never // as above

/**
 * Upload with a presigned URL: one PutObject, at most 5 GiB. Needs a transport, and no keys.
 *
 * The grant's headers are sent as they are. `callback` is the contract of the callback in the grant, which reads the
 * application's answer.
 * Source: "Upload objects using presigned URLs",
 * https://www.alibabacloud.com/help/en/oss/user-guide/upload-files-using-presigned-urls
 */
export const presigned: {
  <A>(
    grant: PresignedUrl,
    source: Source,
    options: WithContract<GrantedOptions<A>, A>
  ): Effect.Effect<Uploaded<A>, GrantedUploadError | CallbackFailed, Transport>
  (
    grant: PresignedUrl,
    source: Source,
    options?: WithoutCallback<GrantedOptions<undefined>>
  ): Effect.Effect<Uploaded, GrantedUploadError, Transport>
} = (grant: PresignedUrl, source: Source, options: GrantedOptions<unknown> = {}) =>
  runPresigned(grant, source, options) as never // as above
