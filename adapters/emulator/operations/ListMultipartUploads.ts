/**
 * ListMultipartUploads: the uploads of a bucket that are neither completed nor aborted, by key, then by ID.
 *
 * Source: "ListMultipartUploads", https://www.alibabacloud.com/help/en/oss/developer-reference/listmultipartuploads
 */
import * as Effect from "effect/Effect"
import type { Answer, BucketCall } from "../Call.ts"
import * as Clocks from "../authentication/Clocks.ts"
import * as Http from "../Http.ts"
import * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Encoding from "./Encoding.ts"
import * as Page from "./Page.ts"
import * as Parameters from "./Parameters.ts"

const byKeyThenId = (a: State.Upload, b: State.Upload): number =>
  State.compareKeys(a.key, b.key) || State.compareKeys(a.uploadId, b.uploadId)

const element = (upload: State.Upload, encoding: Encoding.Encoding): XmlText.Markup =>
  XmlText.parent(
    "Upload",
    encoding.element("Key", upload.key),
    XmlText.element("UploadId", upload.uploadId),
    XmlText.element("StorageClass", upload.attributes.storageClass),
    XmlText.element("Initiated", Clocks.iso(upload.initiated))
  )

export const listMultipartUploads = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const { query, bucket } = call
    const storage = yield* Storage
    const encoding = yield* Encoding.of(query.get("encoding-type"))
    const message = "Argument max-uploads must be an integer between 1 and 1000."
    const max = yield* Parameters.number(query, "max-uploads", 1000, { min: 1, max: 1000 }, message)
    const prefix = query.get("prefix") ?? ""
    const delimiter = query.get("delimiter") ?? ""
    const keyMarker = query.get("key-marker") ?? ""
    // Without a key, an ID marks nothing.
    const idMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "")
    const found = Page.make({
      items: Array.from(storage.uploads(bucket.name), ({ upload }) => upload).sort(byKeyThenId),
      keyOf: ({ key }) => key,
      isBefore: ({ key, uploadId }) => {
        const order = State.compareKeys(key, keyMarker)
        return order < 0 || (order === 0 && (idMarker === "" || State.compareKeys(uploadId, idMarker) <= 0))
      },
      prefix,
      delimiter,
      after: keyMarker,
      max
    })
    const last = found.truncated ? found.last : undefined
    const nextKey = last === undefined ? "" : "item" in last ? last.item.key : last.prefix
    const nextId = last !== undefined && "item" in last ? last.item.uploadId : ""
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "ListMultipartUploadsResult",
          encoding.declaration,
          XmlText.element("Bucket", bucket.name),
          encoding.element("KeyMarker", keyMarker),
          XmlText.element("UploadIdMarker", idMarker),
          encoding.element("NextKeyMarker", nextKey),
          XmlText.element("NextUploadIdMarker", nextId),
          encoding.element("Delimiter", delimiter),
          encoding.element("Prefix", prefix),
          XmlText.element("MaxUploads", max),
          XmlText.element("IsTruncated", found.truncated),
          ...found.items.map((upload) => element(upload, encoding)),
          ...found.prefixes.map((common) => XmlText.parent("CommonPrefixes", encoding.element("Prefix", common)))
        )
      )
    )
  })
