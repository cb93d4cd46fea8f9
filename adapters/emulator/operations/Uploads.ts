/**
 * InitiateMultipartUpload, AbortMultipartUpload and ListParts: an upload, from its ID to its end.
 *
 * Sources: "InitiateMultipartUpload", https://www.alibabacloud.com/help/en/oss/developer-reference/initiatemultipartupload;
 * "AbortMultipartUpload"; "ListParts".
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Attributes from "../Attributes.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Clocks from "../authentication/Clocks.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Encoding from "./Encoding.ts"
import * as Parameters from "./Parameters.ts"

/** The upload of a call: its ID must exist, in this bucket and for this key. */
export const find = (
  call: ObjectCall,
  ec = "0042-00000002"
): Effect.Effect<State.UploadState, Refusal.Refusal, Storage> =>
  Effect.flatMap(Storage, (storage) => {
    const uploadId = call.query.get("uploadId") ?? ""
    const found = storage.upload(call.bucket.name, uploadId)
    return found === undefined || found.upload.key !== call.key
      ? Effect.fail(Refusal.noSuchUpload(uploadId, ec))
      : Effect.succeed(found)
  })

export const initiateMultipartUpload = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const { bucket, key, request, now, query } = call
    const storage = yield* Storage
    const encoding = yield* Encoding.of(query.get("encoding-type"))
    const attributes = yield* Attributes.read(request.headers, bucket)
    const forbidOverwrite = yield* Attributes.forbidOverwrite(request.headers["x-oss-forbid-overwrite"])
    if (forbidOverwrite && storage.object(bucket.name, key) !== undefined) {
      return yield* Effect.fail(Refusal.fileAlreadyExists)
    }
    request.sendContinue()
    const uploadId = NodeCrypto.randomBytes(16).toString("hex").toUpperCase()
    yield* storage.putUpload(bucket.name, {
      attributes,
      key,
      uploadId,
      initiated: now,
      sequential: query.has("sequential")
    })
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "InitiateMultipartUploadResult",
          encoding.declaration,
          XmlText.element("Bucket", bucket.name),
          encoding.element("Key", key),
          XmlText.element("UploadId", uploadId)
        )
      )
    )
  })

export const abortMultipartUpload = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    yield* storage.locked(
      call.bucket.name,
      call.key
    )(Effect.flatMap(find(call), ({ upload }) => storage.removeUpload(call.bucket.name, upload.uploadId)))
    return Http.noBody(204)
  })

/** The parts of an upload, by number. */
export const sorted = ({ parts }: State.UploadState): ReadonlyArray<State.Part> =>
  Array.from(parts.values()).sort((a, b) => a.partNumber - b.partNumber)

export const listParts = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const { query } = call
    const encoding = yield* Encoding.of(query.get("encoding-type"))
    const maxParts = yield* Parameters.number(
      query,
      "max-parts",
      1000,
      { min: 1, max: 1000 },
      "Argument max-parts must be an integer between 1 and 1000."
    )
    const marker = yield* Parameters.number(
      query,
      "part-number-marker",
      0,
      { min: 0, max: Number.MAX_SAFE_INTEGER },
      "Argument part-number-marker must be an integer of at least 0."
    )
    const found = yield* find(call)
    const after = sorted(found).filter(({ partNumber }) => partNumber > marker)
    const page = after.slice(0, maxParts)
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "ListPartsResult",
          encoding.declaration,
          XmlText.element("Bucket", call.bucket.name),
          encoding.element("Key", call.key),
          XmlText.element("UploadId", found.upload.uploadId),
          XmlText.element("StorageClass", found.upload.attributes.storageClass),
          XmlText.element("PartNumberMarker", marker),
          XmlText.element("NextPartNumberMarker", page.at(-1)?.partNumber ?? marker),
          XmlText.element("MaxParts", maxParts),
          XmlText.element("IsTruncated", after.length > page.length),
          XmlText.list(page.map(part))
        )
      )
    )
  })

const part = ({ partNumber, modified, etag, crc64, size }: State.Part): XmlText.Markup =>
  XmlText.parent(
    "Part",
    XmlText.element("PartNumber", partNumber),
    XmlText.element("LastModified", Clocks.iso(modified)),
    XmlText.element("ETag", `"${etag}"`),
    XmlText.element("HashCrc64ecma", crc64),
    XmlText.element("Size", size)
  )
