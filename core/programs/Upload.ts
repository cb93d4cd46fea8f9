/**
 * The ways to upload, by the names of OSS's help: one function each.
 *
 * Each answers a receipt, `Uploaded<A>`, whose `callback` is what the application server answered, typed by the callback's
 * contract. Without a `callback`, `CallbackFailed` is not among the errors.
 */
import type * as Effect from "effect/Effect"
import type { CallbackFailed } from "../model/OssError.ts"
import type { PresignedUrl } from "../model/PresignedUrl.ts"
import type { SignedForm } from "../model/SignedForm.ts"
import type { Uploaded } from "../model/Uploaded.ts"
import type { Source } from "../ports/Source.ts"
import type { Transport } from "../ports/Transport.ts"
import type * as Callback from "../wire/Callback.ts"
import type { OssClient } from "./OssClient.ts"
import { form as runForm, type FormOptions } from "./upload/form.ts"
import type { GrantedOptions, GrantedUploadError } from "./upload/granted.ts"
import { multipart as runMultipart } from "./upload/multipart.ts"
import type { MultipartOptions, UploadError, UploadOptions } from "./upload/options.ts"
import { presigned as runPresigned } from "./upload/presigned.ts"
import { simple as runSimple } from "./upload/simple.ts"

export type { FormOptions } from "./upload/form.ts"
export type { GrantedOptions, GrantedUploadError } from "./upload/granted.ts"

export type { MultipartOptions, UploadError, UploadOptions } from "./upload/options.ts"

/** Options with a callback, or with the contract that reads its answer, and without. */
export type WithCallback<Options, A> = Options & { readonly callback: Callback.Callback<A> }
export type WithContract<Options, A> = Options & { readonly callback: Pick<Callback.Callback<A>, "decodeResponse"> }
export type WithoutCallback<Options> = Options & { readonly callback?: undefined }

/**
 * Simple upload: the whole source in one PutObject, at most 5 GiB (5,368,709,120 bytes).
 *
 * The object appears whole or not at all. When it fails, nothing was stored, except: `TransportError` with
 * `sent: "unknown"` (unknown), `Crc64Mismatch` (stored, and wrong), `CallbackFailed` (stored, and right).
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
 * Holds `concurrency` times `partSize` bytes. Failed or interrupted, it leaves no pending upload behind. A source of one
 * part is sent as one PutObject. Errors as for `simple`.
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
} = (key: string, source: Source, options: MultipartOptions<unknown> = {}) =>
  runMultipart(key, source, options) as never // as above

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
