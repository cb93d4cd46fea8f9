/**
 * Buckets: made, listed, described, opened to others, removed.
 *
 * Sources: "PutBucket", https://www.alibabacloud.com/help/en/oss/developer-reference/putbucket; "DeleteBucket"; "ListBuckets
 * (GetService)"; "GetBucketInfo"; "GetBucketLocation"; "PutBucketAcl"; "GetBucketAcl".
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Xml from "../../../core/wire/Xml.ts"
import * as Attributes from "../Attributes.ts"
import type { Answer, BucketCall, Call } from "../Call.ts"
import * as Clocks from "../authentication/Clocks.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Settings, type Service } from "../Settings.ts"
import * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Documents from "./Documents.ts"
import * as Owner from "./Owner.ts"
import * as Parameters from "./Parameters.ts"

const describe = (bucket: State.Bucket, settings: Service, ...more: ReadonlyArray<XmlText.Markup>) =>
  XmlText.parent(
    "Bucket",
    XmlText.element("CreationDate", Clocks.iso(bucket.created)),
    XmlText.element("ExtranetEndpoint", settings.publicHost()),
    XmlText.element("IntranetEndpoint", settings.publicHost()),
    XmlText.element("Location", `oss-${bucket.region}`),
    XmlText.element("Name", bucket.name),
    XmlText.element("Region", bucket.region),
    XmlText.element("StorageClass", bucket.storageClass),
    ...more
  )

export const listBuckets = ({ query }: Call): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const settings = yield* Settings
    const message = "Argument max-keys must be an integer between 1 and 1000."
    const max = yield* Parameters.number(query, "max-keys", 100, { min: 1, max: 1000 }, message)
    const prefix = query.get("prefix") ?? ""
    const marker = query.get("marker") ?? ""
    const all = Array.from(storage.buckets())
      .filter(({ name }) => name.startsWith(prefix) && name > marker)
      .sort((a, b) => State.compareKeys(a.name, b.name))
    const page = all.slice(0, max)
    const truncated = page.length < all.length
    return Http.xml(
      200,
      XmlText.document(
        XmlText.parent(
          "ListAllMyBucketsResult",
          XmlText.element("Prefix", prefix),
          XmlText.element("Marker", marker),
          XmlText.element("MaxKeys", max),
          XmlText.element("IsTruncated", truncated),
          XmlText.element("NextMarker", truncated ? (page.at(-1)?.name ?? "") : ""),
          Owner.element(settings),
          XmlText.parent("Buckets", ...page.map((bucket) => describe(bucket, settings)))
        )
      )
    )
  })

const bucketAcl = (value: string | undefined): Either.Either<State.Acl, Refusal.Refusal> => {
  if (value === undefined) return Either.right("private")
  const found = State.Acl.literals.find((known) => known === value)
  return found === undefined
    ? Either.left(Refusal.invalidArgument("no such bucket access control exists", "x-oss-acl", value))
    : Either.right(found)
}

// The document is optional; what else it may say (LocationConstraint, DataRedundancyType) has no meaning here.
const wantedClass = (document: Uint8Array): Either.Either<string, Refusal.Refusal> => {
  if (document.length === 0) return Either.right("Standard")
  const parsed = Xml.parse(document, "CreateBucketConfiguration")
  if (Either.isLeft(parsed)) return Either.left(Refusal.malformedXml)
  const { StorageClass } = parsed.right
  return Attributes.storageClass(typeof StorageClass === "string" ? StorageClass : undefined, "Standard")
}

export const putBucket = (call: Call): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { region } = yield* Settings
    const name = call.location.bucket ?? ""
    const acl = yield* bucketAcl(call.request.headers["x-oss-acl"])
    const storageClass = yield* wantedClass(yield* Documents.receive(call))
    yield* storage.locked(
      name,
      ""
    )(
      Effect.suspend(() =>
        storage.bucket(name) === undefined
          ? storage.putBucket({ name, region, acl, storageClass, created: call.now })
          : Effect.fail(Refusal.bucketAlreadyExists(name))
      )
    )
    return Http.noBody(200, { Location: `/${name}` })
  })

export const deleteBucket = ({ bucket: { name } }: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const isEmpty = () => ![...storage.objects(name)].length && ![...storage.uploads(name)].length
    yield* storage.locked(
      name,
      ""
    )(Effect.suspend(() => (isEmpty() ? storage.removeBucket(name) : Effect.fail(Refusal.bucketNotEmpty(name)))))
    return Http.noBody(204)
  })

export const headBucket = ({ bucket }: BucketCall): Answer =>
  Effect.succeed(Http.noBody(200, { "x-oss-bucket-region": bucket.region }))

const grant = (acl: string): XmlText.Markup => XmlText.parent("AccessControlList", XmlText.element("Grant", acl))

export const getBucketInfo = ({ bucket }: BucketCall): Answer =>
  Effect.map(Settings, (settings) =>
    Http.xml(
      200,
      XmlText.document(
        XmlText.parent("BucketInfo", describe(bucket, settings, grant(bucket.acl), Owner.element(settings)))
      )
    )
  )

export const getBucketLocation = ({ bucket }: BucketCall): Answer =>
  Effect.succeed(Http.xml(200, XmlText.document(XmlText.element("LocationConstraint", `oss-${bucket.region}`))))

/** The document of both access control lists, a bucket's and an object's. */
export const accessControl = (acl: string): Answer =>
  Effect.map(Settings, (settings) =>
    Http.xml(200, XmlText.document(XmlText.parent("AccessControlPolicy", Owner.element(settings), grant(acl))))
  )

export const getBucketAcl = ({ bucket }: BucketCall): Answer => accessControl(bucket.acl)

export const putBucketAcl = ({ bucket, request }: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const value = request.headers["x-oss-acl"]
    if (value === undefined) return yield* Effect.fail(Refusal.missingHeader("x-oss-acl"))
    yield* storage.putBucket({ ...bucket, acl: yield* bucketAcl(value) })
    return Http.noBody(200)
  })
