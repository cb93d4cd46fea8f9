/**
 * UploadPartCopy as data: a part whose bytes OSS takes from an object that it has. Pure. Sizes and offsets are in bytes.
 *
 * Source: "UploadPartCopy", https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpartcopy
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import type { UploadedPart } from "../MultipartOperation.ts"
import { make, onSuccess, type Headers, type Operation } from "../Operation.ts"
import * as ServiceResponse from "../ServiceResponse.ts"
import * as Uri from "../Uri.ts"
import * as XmlSchema from "../XmlSchema.ts"

/** What a part is copied from: so many bytes of an object in a bucket of the same region, as long as its ETag is the same. */
export interface CopySource {
  readonly bucket: string
  readonly key: ObjectKey
  /** Without quotes. OSS answers 412 when the object has another by now. */
  readonly etag: string
  readonly offset: number
  /** Bytes, at least 1. */
  readonly length: number
}

/**
 * UploadPartCopy: as UploadPart, but OSS takes the bytes from an object that it has. Its answer tells no CRC-64 that we may
 * rely on: what was copied is proved when the object is complete. A range that is none copies the whole object.
 */
export const uploadPartCopy = (
  key: ObjectKey,
  uploadId: string,
  number: number,
  source: CopySource,
  headers: Headers = {}
): Operation<UploadedPart> => {
  const name = `UploadPartCopy ${number}`
  const read = XmlSchema.read(name, "CopyPartResult", Schema.Struct({ ETag: Schema.NonEmptyString }))
  return make({
    name,
    method: "PUT",
    key,
    query: { partNumber: String(number), uploadId },
    headers: {
      ...headers,
      "x-oss-copy-source": `/${source.bucket}/${Uri.encodePath(source.key)}`,
      "x-oss-copy-source-range": `bytes=${source.offset}-${source.offset + source.length - 1}`,
      "x-oss-copy-source-if-match": `"${source.etag}"`
    },
    decode: onSuccess(name, (response) =>
      Either.map(read(response), ({ ETag }) => ({
        number,
        etag: ServiceResponse.unquote(ETag),
        crc64: ServiceResponse.crc64(response)
      }))
    )
  })
}
