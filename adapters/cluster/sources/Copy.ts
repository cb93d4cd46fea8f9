/**
 * Parts that OSS copies from another object itself: no byte passes through the runner.
 *
 * The answer to a copied part proves nothing about its bytes, so the whole is proved: the finished object's CRC-64 must be
 * the source's. An object without one (older than OSS's CRC-64) is read by ranges instead. Sizes are in bytes.
 */
import * as Effect from "effect/Effect"
import type { Bucket } from "../../../core/model/Bucket.ts"
import type { ObjectKey } from "../../../core/model/ObjectKey.ts"
import { Crc64Mismatch, SourceError } from "../../../core/model/OssError.ts"
import type * as OssClient from "../../../core/programs/OssClient.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as ObjectSource from "./ObjectSource.ts"

/** Whether OSS can copy: the source is in the region uploaded to, and has a CRC-64 to prove the copy by. */
export const isPossible = (source: ObjectSource.Described, destination: Bucket): boolean =>
  source.crc64 !== undefined && source.size > 0 && source.site === ObjectSource.siteOf(destination)

export interface Part {
  readonly key: ObjectKey
  readonly uploadId: string
  readonly number: number
  readonly offset: number
  /** At least 1. */
  readonly length: number
}

/**
 * Lets OSS copy one part, `source` being as it was described. Doing it again does no harm. Fails with `SourceError`
 * `Changed` when the source is another object by now and `NotFound` when it is gone; an upload that is gone is
 * `ServiceError` `NoSuchUpload`, as with any part.
 */
export const copyPart = (
  client: OssClient.Service,
  source: ObjectSource.Described,
  { key, length, number, offset, uploadId }: Part
): Effect.Effect<MultipartOperation.UploadedPart, OssClient.RequestError> =>
  client
    .execute(
      MultipartOperation.uploadPartCopy(key, uploadId, number, {
        bucket: source.bucket,
        key: source.key,
        etag: source.etag,
        offset,
        length
      })
    )
    .pipe(
      Effect.mapError((cause) => {
        if (cause._tag !== "ServiceError") return cause
        const failed = (reason: "Changed" | "NotFound", detail: string) =>
          new SourceError({ reason, source: `oss://${source.bucket}/${source.key}`, detail, cause })
        if (cause.status === 412) return failed("Changed", "has changed since it was described")
        const isGone = cause.code === "NoSuchKey" || cause.code === "NoSuchBucket"
        return isGone ? failed("NotFound", "there is no such object") : cause
      })
    )

/**
 * Whether an object that was made of copied parts is the source: by the CRC-64 that Complete or HeadObject told of it.
 * Fails with `Crc64Mismatch`, also when OSS told none.
 */
export const prove = (
  source: ObjectSource.Described,
  copied: { readonly key: string; readonly crc64: bigint | undefined }
): Effect.Effect<void, Crc64Mismatch> =>
  source.crc64 !== undefined && copied.crc64 === source.crc64
    ? Effect.void
    : Effect.fail(new Crc64Mismatch({ of: copied.key, client: source.crc64 ?? 0n, server: copied.crc64 ?? 0n }))
