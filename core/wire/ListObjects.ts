/**
 * ListObjectsV2 as data: the objects of a bucket whose keys begin with a prefix, by pages. Pure.
 *
 * Pages go on behind the last key (`start-after`), not by OSS's token: a key is known to all, and a walk may be taken up
 * again with it. Source: "ListObjectsV2 (GetBucketV2)",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { make, onSuccess, type Operation } from "./Operation.ts"
import * as ServiceResponse from "./ServiceResponse.ts"
import * as Xml from "./Xml.ts"
import * as XmlSchema from "./XmlSchema.ts"

/** An object as a list tells it. */
export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since 1970, by OSS's clock; OSS tells whole seconds. */
  readonly lastModified: number
  /** `Normal`, `Multipart`, `Appendable` …; empty when it is not told. */
  readonly objectType: string
}

/** One page of at most 1,000 objects in the order of their keys; `next` is what the following page begins behind. */
export interface ObjectsPage {
  readonly objects: ReadonlyArray<ListedObject>
  readonly next: Option.Option<string>
}

const ListBucketResult = Schema.Struct({
  IsTruncated: XmlSchema.Flag,
  Contents: XmlSchema.many(
    Schema.Struct({
      Key: XmlSchema.UrlEncoded,
      LastModified: XmlSchema.Moment,
      ETag: Schema.String,
      Size: XmlSchema.Count,
      Type: Schema.optionalWith(Schema.String, { default: () => "" })
    })
  )
})

/** ListObjectsV2: the objects whose keys begin with `prefix`, those behind the key `after`. */
export const listObjects = (prefix: string, after = ""): Operation<ObjectsPage> =>
  make({
    name: "ListObjectsV2",
    method: "GET",
    key: undefined,
    query: {
      "list-type": "2",
      "encoding-type": "url",
      "max-keys": "1000",
      ...(prefix === "" ? {} : { prefix }),
      ...(after === "" ? {} : { "start-after": after })
    },
    maxResponseBytes: Xml.maxBytes,
    decode: onSuccess("ListObjectsV2", (response) =>
      Either.map(
        XmlSchema.read("ListObjectsV2", "ListBucketResult", ListBucketResult)(response),
        ({ Contents, IsTruncated }) => {
          const objects = Contents.map((one) => ({
            key: one.Key,
            size: one.Size,
            etag: ServiceResponse.unquote(one.ETag),
            lastModified: one.LastModified,
            objectType: one.Type
          }))
          const last = objects.at(-1)?.key
          // A page that says "more" and leads nowhere would be asked for ever.
          return {
            objects,
            next: IsTruncated && last !== undefined && last !== after ? Option.some(last) : Option.none()
          }
        }
      )
    )
  })
