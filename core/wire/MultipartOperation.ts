/**
 * The requests of a multipart upload as data: initiate, send or copy parts, list them, complete or abort. Pure.
 *
 * Source: "Multipart upload" and the pages of each API under
 * https://www.alibabacloud.com/help/en/oss/developer-reference/
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Crc64 from "../model/Crc64.ts"
import type { ObjectKey } from "../model/ObjectKey.ts"
import type * as Transport from "../ports/Transport.ts"
import { documentOf } from "./multipart/PartList.ts"
import { make, onSuccess, type Headers, type Operation } from "./Operation.ts"
import * as ServiceResponse from "./ServiceResponse.ts"
import * as Xml from "./Xml.ts"
import * as XmlSchema from "./XmlSchema.ts"

export { uploadPartCopy, type CopySource } from "./multipart/PartCopy.ts"

const UploadId = Schema.NonEmptyString

/** InitiateMultipartUpload: opens an upload and answers its ID. `headers` describe the object to be. */
export const initiateMultipartUpload = (key: ObjectKey, headers: Headers): Operation<string> =>
  make({
    name: "InitiateMultipartUpload",
    method: "POST",
    key,
    query: { uploads: "" },
    headers,
    decode: onSuccess("InitiateMultipartUpload", (response) =>
      Either.map(
        XmlSchema.read(
          "InitiateMultipartUpload",
          "InitiateMultipartUploadResult",
          Schema.Struct({ UploadId })
        )(response),
        (result) => result.UploadId
      )
    )
  })

/** What OSS holds of one part. */
export interface UploadedPart {
  readonly number: number
  readonly etag: string
  /** `undefined` when OSS did not tell it. */
  readonly crc64: bigint | undefined
}

/** UploadPart: stores one part, replacing any with the same number (1 to 10,000). */
export const uploadPart = (
  key: ObjectKey,
  uploadId: string,
  number: number,
  headers: Headers,
  body: Transport.Body,
  onSent?: (bytes: number) => void
): Operation<UploadedPart> => {
  const name = `UploadPart ${number}`
  return make({
    name,
    method: "PUT",
    key,
    query: { partNumber: String(number), uploadId },
    headers,
    body,
    onSent,
    decode: onSuccess(name, (response) => {
      const etag = ServiceResponse.etag(response)
      return etag === undefined
        ? Either.left(ServiceResponse.unexpected(name, response, "it has no ETag"))
        : Either.right({ number, etag, crc64: ServiceResponse.crc64(response) })
    })
  })
}

const Part = Schema.Struct({
  PartNumber: XmlSchema.Count,
  ETag: Schema.String,
  Size: XmlSchema.Count,
  HashCrc64ecma: Schema.optional(Schema.String)
})

const ListPartsResult = Schema.Struct({
  IsTruncated: XmlSchema.Flag,
  NextPartNumberMarker: Schema.optionalWith(Schema.String, { default: () => "" }),
  Part: XmlSchema.many(Part)
})

/** A part as ListParts tells it; `size` in bytes. */
export interface ListedPart extends UploadedPart {
  readonly size: number
}

/** One page of at most 1,000 parts in the order of their numbers; `next` is where the following page begins. */
export interface PartsPage {
  readonly parts: ReadonlyArray<ListedPart>
  readonly next: Option.Option<string>
}

/** ListParts: what OSS holds of an upload, from behind part `marker` on; `limit` parts at most, or 1,000 where that is less. */
export const listParts = (key: ObjectKey, uploadId: string, marker = "0", limit = 1000): Operation<PartsPage> =>
  make({
    name: "ListParts",
    method: "GET",
    key,
    query: { uploadId, "max-parts": String(Math.min(limit, 1000)), "part-number-marker": marker },
    maxResponseBytes: Xml.maxBytes,
    decode: onSuccess("ListParts", (response) =>
      Either.map(XmlSchema.read("ListParts", "ListPartsResult", ListPartsResult)(response), (result) => ({
        parts: result.Part.map((part) => ({
          number: part.PartNumber,
          etag: ServiceResponse.unquote(part.ETag),
          size: part.Size,
          crc64: Option.getOrUndefined(Crc64.parse(part.HashCrc64ecma ?? ""))
        })),
        // A page that says "more" and leads nowhere would be asked for ever.
        next:
          result.IsTruncated && Number(result.NextPartNumberMarker) > Number(marker)
            ? Option.some(result.NextPartNumberMarker)
            : Option.none()
      }))
    )
  })

/**
 * CompleteMultipartUpload: makes the parts the object. The only request of a multipart upload that may carry a callback.
 * Not repeatable: a second one meets NoSuchUpload although the first succeeded. `parts` are read for each attempt.
 */
export const completeMultipartUpload = (
  key: ObjectKey,
  uploadId: string,
  parts: Iterable<Pick<UploadedPart, "number" | "etag">>,
  headers: Headers
): Operation<ServiceResponse.Stored> => {
  return make({
    name: "CompleteMultipartUpload",
    method: "POST",
    key,
    query: { uploadId },
    headers: { "content-type": "application/xml", ...headers },
    body: documentOf(parts),
    repeatable: false,
    storesObject: true,
    decode: (response, explain) =>
      ServiceResponse.toStored("CompleteMultipartUpload", response, "x-oss-callback" in headers, explain)
  })
}

/** AbortMultipartUpload: drops an upload and its parts. Parts still on their way may survive it; abort again then. */
export const abortMultipartUpload = (key: ObjectKey, uploadId: string): Operation<void> =>
  make({
    name: "AbortMultipartUpload",
    method: "DELETE",
    key,
    query: { uploadId },
    decode: onSuccess("AbortMultipartUpload", () => Either.void)
  })

const ListMultipartUploadsResult = Schema.Struct({
  IsTruncated: XmlSchema.Flag,
  NextKeyMarker: Schema.optionalWith(XmlSchema.UrlEncoded, { default: () => "" }),
  NextUploadIdMarker: Schema.optionalWith(Schema.String, { default: () => "" }),
  Upload: XmlSchema.many(Schema.Struct({ Key: XmlSchema.UrlEncoded, UploadId, Initiated: XmlSchema.Moment }))
})

/** An upload that was neither completed nor aborted. It is paid for until then. */
export interface PendingUpload {
  readonly key: string
  readonly uploadId: string
  /** Milliseconds since 1970. */
  readonly initiated: number
}

export interface UploadsMarker {
  readonly key: string
  readonly uploadId: string
}

/** One page of at most 1,000 uploads, ordered by key, then upload ID. */
export interface UploadsPage {
  readonly uploads: ReadonlyArray<PendingUpload>
  readonly next: Option.Option<UploadsMarker>
}

/** Whether a page that says "more" leads anywhere: else it would be asked for ever. */
const leadsOn = (
  page: { readonly NextKeyMarker: string; readonly NextUploadIdMarker: string },
  from: UploadsMarker | undefined
): boolean =>
  page.NextKeyMarker !== "" && !(page.NextKeyMarker === from?.key && page.NextUploadIdMarker === from.uploadId)

/** ListMultipartUploads: the bucket's pending uploads whose keys begin with `prefix`. */
export const listMultipartUploads = (prefix: string, marker?: UploadsMarker): Operation<UploadsPage> =>
  make({
    name: "ListMultipartUploads",
    method: "GET",
    key: undefined,
    query: {
      uploads: "",
      "encoding-type": "url",
      "max-uploads": "1000",
      ...(prefix === "" ? {} : { prefix }),
      ...(marker === undefined ? {} : { "key-marker": marker.key, "upload-id-marker": marker.uploadId })
    },
    maxResponseBytes: Xml.maxBytes,
    decode: onSuccess("ListMultipartUploads", (response) =>
      Either.map(
        XmlSchema.read("ListMultipartUploads", "ListMultipartUploadsResult", ListMultipartUploadsResult)(response),
        (result) => ({
          uploads: result.Upload.map((upload) => ({
            key: upload.Key,
            uploadId: upload.UploadId,
            initiated: upload.Initiated
          })),
          next:
            result.IsTruncated && leadsOn(result, marker)
              ? Option.some({ key: result.NextKeyMarker, uploadId: result.NextUploadIdMarker })
              : Option.none()
        })
      )
    )
  })
