/**
 * ListObjects and ListObjectsV2: the objects of a bucket, by pages.
 *
 * Sources: "ListObjects", https://www.alibabacloud.com/help/en/oss/developer-reference/listobjects; "ListObjectsV2 (GetBucketV2)".
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Answer, BucketCall } from "../Call.ts"
import * as Clocks from "../authentication/Clocks.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Encoding from "./Encoding.ts"
import * as Owner from "./Owner.ts"
import * as Page from "./Page.ts"
import * as Parameters from "./Parameters.ts"

/** What both versions ask for. */
interface Wanted {
  readonly encoding: Encoding.Encoding
  readonly prefix: string
  readonly delimiter: string
  readonly maxKeys: number
}

const wanted = (query: ReadonlyMap<string, string>): Either.Either<Wanted, Refusal.Refusal> =>
  Either.gen(function* () {
    return {
      encoding: yield* Encoding.of(query.get("encoding-type")),
      prefix: query.get("prefix") ?? "",
      delimiter: query.get("delimiter") ?? "",
      maxKeys: yield* Parameters.number(
        query,
        "max-keys",
        100,
        { min: 1, max: 1000 },
        "Argument max-keys must be an integer between 1 and 1000."
      )
    }
  })

const page = (call: BucketCall, { prefix, delimiter, maxKeys }: Wanted, after: string) =>
  Effect.map(Storage, (storage) =>
    Page.make({
      items: Page.sortByKey(storage.objects(call.bucket.name)),
      keyOf: ({ key }) => key,
      isBefore: ({ key }) => State.compareKeys(key, after) <= 0,
      prefix,
      delimiter,
      after,
      max: maxKeys
    })
  )

const lastName = (last: Page.Page<State.ObjectRecord>["last"]): string =>
  last === undefined ? "" : "item" in last ? last.item.key : last.prefix

const contents = (object: State.ObjectRecord, { element }: Encoding.Encoding, owner: XmlText.Markup | undefined) =>
  XmlText.parent(
    "Contents",
    element("Key", object.key),
    XmlText.element("LastModified", Clocks.iso(object.modified)),
    XmlText.element("ETag", `"${object.etag}"`),
    XmlText.element("Type", object.type),
    XmlText.element("Size", object.size),
    XmlText.element("StorageClass", object.storageClass),
    owner
  )

const body = (
  found: Page.Page<State.ObjectRecord>,
  encoding: Encoding.Encoding,
  owner: XmlText.Markup | undefined
): ReadonlyArray<XmlText.Markup> => [
  ...found.items.map((object) => contents(object, encoding, owner)),
  ...found.prefixes.map((prefix) => XmlText.parent("CommonPrefixes", encoding.element("Prefix", prefix)))
]

export const listObjects = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const asked = yield* wanted(call.query)
    const { encoding } = asked
    const marker = call.query.get("marker") ?? ""
    const found = yield* page(call, asked, marker)
    const owner = Owner.element(yield* Settings)
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "ListBucketResult",
          XmlText.element("Name", call.bucket.name),
          encoding.element("Prefix", asked.prefix),
          encoding.element("Marker", marker),
          XmlText.element("MaxKeys", asked.maxKeys),
          encoding.element("Delimiter", asked.delimiter),
          encoding.declaration,
          XmlText.element("IsTruncated", found.truncated),
          found.truncated ? encoding.element("NextMarker", lastName(found.last)) : undefined,
          ...body(found, encoding, owner)
        )
      )
    )
  })

// Opaque to clients, as OSS's are.
const toToken = (name: string): string => Buffer.from(name).toString("base64")

const ofToken = (token: string): Either.Either<string, Refusal.Refusal> => {
  const name = Buffer.from(token, "base64").toString("utf8")
  return toToken(name) === token
    ? Either.right(name)
    : Either.left(Refusal.invalidArgument("The continuation token provided is incorrect", "continuation-token", token))
}

export const listObjectsV2 = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const { query } = call
    const asked = yield* wanted(query)
    const { encoding } = asked
    const token = query.get("continuation-token")
    const startAfter = query.get("start-after")
    const after = token === undefined ? (startAfter ?? "") : yield* ofToken(token)
    const found = yield* page(call, asked, after)
    const owner = query.get("fetch-owner") === "true" ? Owner.element(yield* Settings) : undefined
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "ListBucketResult",
          XmlText.element("Name", call.bucket.name),
          encoding.element("Prefix", asked.prefix),
          startAfter === undefined ? undefined : encoding.element("StartAfter", startAfter),
          XmlText.element("MaxKeys", asked.maxKeys),
          encoding.element("Delimiter", asked.delimiter),
          encoding.declaration,
          XmlText.element("IsTruncated", found.truncated),
          token === undefined ? undefined : XmlText.element("ContinuationToken", token),
          found.truncated ? XmlText.element("NextContinuationToken", toToken(lastName(found.last))) : undefined,
          XmlText.element("KeyCount", found.items.length + found.prefixes.length),
          ...body(found, encoding, owner)
        )
      )
    )
  })
