/**
 * The ways to upload, by the names of OSS's help: one function each.
 *
 * Each answers a receipt, `Uploaded<A>`, whose `callback` is what the application server answered, typed by the callback's
 * contract. Without a `callback`, `CallbackFailed` is not among the errors.
 */
import type * as Effect from "effect/Effect"
import type { CallbackFailed } from "../model/OssError.ts"
import type { Uploaded } from "../model/Uploaded.ts"
import type { Source } from "../ports/Source.ts"
import type * as Callback from "../wire/Callback.ts"
import type { OssClient } from "./OssClient.ts"
import { multipart as runMultipart } from "./upload/multipart.ts"
import type { MultipartOptions, UploadError, UploadOptions } from "./upload/options.ts"
import { simple as runSimple } from "./upload/simple.ts"

export type { MultipartOptions, UploadError, UploadOptions } from "./upload/options.ts"

/** Options with a callback, and without. */
export type WithCallback<Options, A> = Options & { readonly callback: Callback.Callback<A> }
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
