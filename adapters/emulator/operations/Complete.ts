/**
 * CompleteMultipartUpload: parts become an object, in one step that a crash either has done or has not.
 *
 * No byte is copied: the object's record names the parts' files, and from then on the upload is only litter. The server
 * goes on when the client hangs up, as OSS does. Source: "CompleteMultipartUpload",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/completemultipartupload; error articles 0042-00000205 to -216;
 * the ETag's rule from recorded traffic: the MD5 over the parts' ETags as text, and their number.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as NodeCrypto from "node:crypto"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Uri from "../../../core/wire/Uri.ts"
import * as Xml from "../../../core/wire/Xml.ts"
import * as Attributes from "../Attributes.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import type * as Faults from "../Faults.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Callbacks from "./Callbacks.ts"
import * as Documents from "./Documents.ts"
import * as Encoding from "./Encoding.ts"
import * as Headers from "./Headers.ts"
import * as PutObject from "./PutObject.ts"
import * as UploadPart from "./UploadPart.ts"
import * as Uploads from "./Uploads.ts"

/** One part as the client lists it. */
export interface Listed {
  readonly partNumber: number
  /** Without quotes, in capitals. */
  readonly etag: string
}

type Checked<A> = Either.Either<A, Refusal.Refusal>

const malformed = Either.left(Refusal.malformedParts)

const readPart = (value: Xml.Value): Listed | undefined => {
  if (typeof value === "string") return undefined
  const { PartNumber, ETag } = value
  if (typeof PartNumber !== "string" || typeof ETag !== "string" || !/^\d{1,9}$/.test(PartNumber.trim()))
    return undefined
  return {
    partNumber: Number(PartNumber),
    etag: ETag.trim()
      .replace(/^"(.*)"$/, "$1")
      .toUpperCase()
  }
}

/** The list in the request's document: at least one part. */
export const readList = (document: Uint8Array): Checked<ReadonlyArray<Listed>> => {
  const parsed = Xml.parse(document, "CompleteMultipartUpload")
  if (Either.isLeft(parsed)) return malformed
  const given = parsed.right["Part"]
  const parts = given === undefined ? [] : Array.isArray(given) ? given : [given]
  const listed = parts.map(readPart)
  return listed.length === 0 || listed.includes(undefined)
    ? malformed
    : Either.right(listed.filter((part) => part !== undefined))
}

const outOfOrder = (message: string) => Either.left(Refusal.badRequest("InvalidPartOrder", message, "0042-00000209"))

const checkOrder = (listed: ReadonlyArray<Listed>): Checked<void> => {
  if (listed.some(({ partNumber }) => partNumber < 1 || partNumber > 10_000)) {
    return outOfOrder("Part number must be an integer between 1 and 10000, inclusive.")
  }
  return listed.every(({ partNumber }, i) => i === 0 || partNumber > (listed[i - 1]?.partNumber ?? 0))
    ? Either.void
    : outOfOrder("The list of parts was not in ascending order.")
}

const invalidPart = ({ partNumber, etag }: Listed, uploadId: string): Refusal.Refusal =>
  Refusal.badRequest(
    "InvalidPart",
    "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.",
    "",
    [
      ["PartNumber", String(partNumber)],
      ["ETag", etag],
      ["UploadId", uploadId]
    ]
  )

/** The parts that a list names. Refused: out of order, unknown or other parts, and any but the last below `minPart` bytes. */
export const choose = (
  state: State.UploadState,
  listed: ReadonlyArray<Listed>,
  minPart: number
): Checked<ReadonlyArray<State.Part>> =>
  Either.gen(function* () {
    yield* checkOrder(listed)
    const chosen: Array<State.Part> = []
    for (const wanted of listed) {
      const part = state.parts.get(wanted.partNumber)
      if (part === undefined || part.etag !== wanted.etag) {
        return yield* Either.left(invalidPart(wanted, state.upload.uploadId))
      }
      chosen.push(part)
    }
    const small = chosen.slice(0, -1).find(({ size }) => size < minPart)
    if (small === undefined) return chosen
    return yield* Either.left(
      Refusal.badRequest(
        "EntityTooSmall",
        "Your proposed upload smaller than the minimum allowed size.",
        "0042-00000213",
        [
          ["ETag", small.etag],
          ["MinSizeAllowed", String(minPart)],
          ["PartNumber", String(small.partNumber)],
          ["ProposedSize", String(small.size)]
        ]
      )
    )
  })

/** The ETag of an object of these parts. */
export const etag = (parts: ReadonlyArray<State.Part>): string => {
  const md5 = NodeCrypto.createHash("md5").update(parts.map((part) => part.etag).join(""))
  return `${md5.digest("hex").toUpperCase()}-${parts.length}`
}

/** The object that an upload's parts make. */
export const assemble = (
  { attributes, key, uploadId }: State.Upload,
  parts: ReadonlyArray<State.Part>,
  acl: State.ObjectAcl | undefined,
  now: number
): State.ObjectRecord => ({
  ...attributes,
  acl: acl ?? attributes.acl,
  key,
  uploadId,
  type: "Multipart",
  size: parts.reduce((sum, { size }) => sum + size, 0),
  etag: etag(parts),
  crc64: parts.reduce((crc, part) => Crc64.combine(crc, BigInt(part.crc64), part.size), 0n).toString(),
  modified: now,
  segments: parts.flatMap(({ file, size }) => (size === 0 ? [] : [{ file, size }]))
})

// "yes" has OSS list the parts itself; then there may be no document.
const list = (call: ObjectCall, document: Uint8Array, state: State.UploadState): Checked<ReadonlyArray<Listed>> => {
  const all = call.request.headers["x-oss-complete-all"]
  if (all === undefined) return readList(document)
  if (all !== "yes") {
    return Either.left(
      Refusal.invalidArgument("The x-oss-complete-all header must be yes.", "x-oss-complete-all", all, "")
    )
  }
  if (document.length > 0) {
    const message = "The request body must be empty when x-oss-complete-all is yes."
    return Either.left(Refusal.badRequest("InvalidRequest", message, "0042-00000216"))
  }
  const parts = Uploads.sorted(state)
  return parts.length === 0 ? malformed : Either.right(parts)
}

const commit = (call: ObjectCall, document: Uint8Array, forbidOverwrite: boolean, acl: State.ObjectAcl | undefined) =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { limits } = yield* Settings
    const state = yield* Uploads.find(call)
    const listed = yield* list(call, document, state)
    const parts = yield* choose(state, listed, limits.minPart)
    const record = assemble(state.upload, parts, acl, call.now)
    yield* PutObject.commit(call.bucket.name, record, forbidOverwrite)
    yield* storage.removeUpload(call.bucket.name, state.upload.uploadId)
    return record
  })

/** Where the object is, for people; clients do not use it. */
export const objectUrl = (
  call: { readonly request: Http.Request; readonly location: ObjectCall["location"] },
  bucket: string,
  key: string
): string => {
  const path = Uri.encodePath(key)
  const host = call.request.headers["host"] ?? call.location.host
  return `http://${host}/${call.location.addressing === "path" ? `${bucket}/` : ""}${path}`
}

export const completeMultipartUpload = (call: ObjectCall): Answer<Callbacks.Sender | Faults.Current> =>
  Effect.gen(function* () {
    const { bucket, key, request } = call
    const storage = yield* Storage
    const encoding = yield* Encoding.of(call.query.get("encoding-type"))
    yield* UploadPart.checkHeaders(request.headers)
    const forbidOverwrite = yield* Attributes.forbidOverwrite(request.headers["x-oss-forbid-overwrite"])
    const aclHeader = request.headers["x-oss-object-acl"]
    const acl = aclHeader === undefined ? undefined : yield* Attributes.acl(aclHeader)
    yield* Uploads.find(call)
    const order = yield* Callbacks.order(call)
    const document = yield* Documents.receive(call)
    const stored = yield* storage.locked(bucket.name, key)(commit(call, document, forbidOverwrite, acl))
    const result = XmlText.document(
      XmlText.parent(
        "CompleteMultipartUploadResult",
        encoding.declaration,
        XmlText.element("Location", objectUrl(call, bucket.name, key)),
        XmlText.element("Bucket", bucket.name),
        encoding.element("Key", key),
        XmlText.element("ETag", `"${stored.etag}"`)
      )
    )
    return yield* Callbacks.finish(call, order, stored, Http.xml(200, result, Headers.identity(stored)))
  }).pipe(Effect.uninterruptible)
