/**
 * The end of a multipart upload: its parts become the object, or it is aborted. Either way it is gone afterwards.
 *
 * Complete must not simply be sent again: OSS goes on when the connection breaks, and a second Complete then meets
 * NoSuchUpload although the object is there. HeadObject tells (decisions/0003).
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ServiceError } from "../../model/OssError.ts"
import type { Method } from "../../model/Uploaded.ts"
import type * as Callback from "../../wire/Callback.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import * as Operation from "../../wire/Operation.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"
import * as OssClient from "../OssClient.ts"
import type { RequestError } from "../OssClient.ts"
import { receipt } from "./receipt.ts"
import type { OpenUpload } from "./parts.ts"
import { combinedCrc64, type SentPart } from "./sent.ts"

/** What the finished object must be: how we know it for ours. */
export interface Expected {
  /** Bytes. */
  readonly size: number
  readonly crc64: bigint
}

/** Size and CRC-64 of the object that the parts make; the parts in their order, without gaps. */
export const expected = (parts: Iterable<Pick<SentPart, "size" | "crc64">>): Expected => {
  let size = 0
  for (const part of parts) size += part.size
  return { size, crc64: combinedCrc64(parts) }
}

/** Whether OSS says that it does not know the upload: completed, aborted, or never there. */
export const isNoSuchUpload = (error: { readonly _tag: string }): boolean =>
  error._tag === "ServiceError" && (error as ServiceError).code === "NoSuchUpload" // the tag says so

/** The object, if it is there and is ours; all but the application's answer is known then. */
export const findStored = (
  { client, key }: Pick<OpenUpload, "client" | "key">,
  { size, crc64 }: Expected
): Effect.Effect<Option.Option<Stored>, RequestError> =>
  client.execute(Operation.headObject(key)).pipe(
    Effect.map((info) =>
      info.size === size && info.crc64 === crc64
        ? Option.some<Stored>({
            etag: info.etag,
            crc64: info.crc64,
            versionId: info.versionId,
            requestId: info.requestId,
            callback: undefined
          })
        : Option.none()
    ),
    Effect.catchIf(
      (error) => error._tag === "ServiceError" && error.status === 404,
      () => Effect.succeedNone
    )
  )

/** Whether an error leaves open that OSS completed the upload. */
const isAmbiguous = (error: RequestError): boolean =>
  isNoSuchUpload(error) ||
  (OssClient.isTransient(error) && !(error._tag === "TransportError" && error.sent === "nothing"))

/**
 * Makes the parts the object. An ambiguous error is settled by HeadObject, then Complete is tried again. A doubt that
 * HeadObject could not settle is the outcome, also when a later attempt is refused.
 */
export const complete = (
  upload: OpenUpload,
  parts: Iterable<SentPart>,
  headers: Operation.Headers
): Effect.Effect<Stored, RequestError> => {
  const { client, key, uploadId } = upload
  const object = expected(parts)
  const attempt = Effect.catchIf(
    client.execute(MultipartOperation.completeMultipartUpload(key, uploadId, parts, headers)),
    isAmbiguous,
    (error) =>
      Effect.matchEffect(findStored(upload, object), {
        onFailure: () => Effect.fail(error), // nothing new is known
        onSuccess: Option.match({
          onNone: () => Effect.fail(error),
          // An older object of the same bytes looks the same. Then the upload is still there, and nobody needs it.
          onSome: (stored) => Effect.as(abort(upload), stored)
        })
      })
  )
  return OssClient.retryStoring(
    () => attempt,
    client.retry,
    (error) => isAmbiguous(error) && !isNoSuchUpload(error)
  )
}

/** The receipt of an object made of parts. */
export const receiptOf = <A>(
  method: Method,
  { client, key }: Pick<OpenUpload, "client" | "key">,
  parts: Iterable<SentPart>,
  stored: Stored,
  callback: Callback.Callback<A> | undefined
): ReturnType<typeof receipt<A>> => {
  const operation = "CompleteMultipartUpload"
  const sent = { method, operation, bucket: client.bucket.name, key, ...expected(parts) }
  return receipt(sent, stored, callback, client.execute(Operation.headObject(key)))
}

/**
 * Drops the upload and its parts. Asked again until OSS no longer knows it, because parts on their way may arrive behind
 * the first. What cannot be aborted within the time is logged with its upload ID: it is paid for until somebody does.
 */
export const abort = ({ client, key, uploadId }: OpenUpload): Effect.Effect<void> =>
  client.execute(MultipartOperation.abortMultipartUpload(key, uploadId)).pipe(
    Effect.repeatN(2),
    Effect.catchIf(isNoSuchUpload, () => Effect.void),
    Effect.timeout("30 seconds"),
    Effect.catchAll((error) =>
      Effect.logWarning(`upload ${uploadId} of ${key} is still pending and could not be aborted: ${error.message}`)
    )
  )
