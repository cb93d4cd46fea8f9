/**
 * CopyObject and UploadPartCopy: bytes that are here already become an object, or a part.
 *
 * The bytes are copied, so that no two records name the same file.
 * Sources: "CopyObject", https://www.alibabacloud.com/help/en/oss/developer-reference/copyobject; "UploadPartCopy".
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Attributes from "../Attributes.ts"
import type * as Body from "../Body.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Clocks from "../authentication/Clocks.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import * as Slices from "../Slices.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Conditions from "./Conditions.ts"
import * as Headers from "./Headers.ts"
import * as PutObject from "./PutObject.ts"
import * as UploadPart from "./UploadPart.ts"
import * as Uploads from "./Uploads.ts"

interface Source {
  readonly bucket: string
  readonly key: string
}

const badSource = (value: string) =>
  Either.left(
    Refusal.invalidArgument(
      "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey",
      "x-oss-copy-source",
      value
    )
  )

/** `/bucket/key`, percent-encoded. */
const readSource = (value: string): Either.Either<Source, Refusal.Refusal> => {
  const path = value.startsWith("/") ? value.slice(1) : value
  const at = path.indexOf("/")
  if (at <= 0 || at === path.length - 1) return badSource(value)
  if (/[?&]versionId=/.test(path)) return Either.left(Refusal.notImplemented("versionId"))
  try {
    return Either.right({ bucket: path.slice(0, at), key: decodeURIComponent(path.slice(at + 1)) })
  } catch {
    return badSource(value)
  }
}

const findSource = (call: ObjectCall) =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { bucket, key } = yield* readSource(call.request.headers["x-oss-copy-source"] ?? "")
    if (storage.bucket(bucket) === undefined) return yield* Effect.fail(Refusal.noSuchBucket(bucket))
    const object = storage.object(bucket, key)
    if (object === undefined) return yield* Effect.fail(Refusal.noSuchKey(key))
    // A stranger must be allowed to read what he copies; owners may read all.
    if (call.principal._tag === "Anonymous") return yield* Effect.fail(Refusal.anonymous)
    const outcome = yield* Conditions.evaluate(call.request.headers, object, "x-oss-copy-source-")
    return { object, outcome }
  })

/** Copies a range of an object's bytes to a file that nothing names yet. */
const copy = (
  object: State.ObjectRecord,
  range: Conditions.Range
): Effect.Effect<Body.Received, Refusal.Refusal, Settings | Storage> =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { limits } = yield* Settings
    if (range.length > limits.maxBody) return yield* Effect.fail(Refusal.entityTooLarge(limits.maxBody, range.length))
    yield* storage.pin(object)
    const slices = Slices.of(storage.path, object.segments, range)
    return yield* Effect.orDie(storage.receive(Slices.read(slices), limits.maxBody))
  }).pipe(Effect.scoped)

const result = (name: string, etag: string, modified: number): string =>
  XmlText.document(
    XmlText.parent(name, XmlText.element("LastModified", Clocks.iso(modified)), XmlText.element("ETag", `"${etag}"`))
  )

const directive = (value: string | undefined, name: string): Either.Either<"COPY" | "REPLACE", Refusal.Refusal> => {
  const upper = (value ?? "COPY").toUpperCase()
  if (upper === "COPY" || upper === "REPLACE") return Either.right(upper)
  return Either.left(Refusal.invalidArgument("The metadata directive is invalid.", name, value ?? ""))
}

const attributes = (call: ObjectCall, from: State.ObjectRecord): Either.Either<State.Attributes, Refusal.Refusal> =>
  Either.gen(function* () {
    const { headers } = call.request
    const own = yield* Attributes.read(headers, call.bucket)
    const replaces = (yield* directive(headers["x-oss-metadata-directive"], "x-oss-metadata-directive")) === "REPLACE"
    const retags = (yield* directive(headers["x-oss-tagging-directive"], "x-oss-tagging-directive")) === "REPLACE"
    const { contentType, headers: kept, meta } = replaces ? own : from
    const tagging = retags ? own.tagging : from.tagging
    const { tagging: _, ...rest } = own
    return { ...rest, contentType, headers: kept, meta, ...(tagging === undefined ? {} : { tagging }) }
  })

export const copyObject = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const { bucket, key, now, request } = call
    const storage = yield* Storage
    const { object, outcome } = yield* findSource(call)
    if (outcome === "not-modified") return Http.noBody(304)
    const described = yield* attributes(call, object)
    const forbidOverwrite = yield* Attributes.forbidOverwrite(request.headers["x-oss-forbid-overwrite"])
    request.sendContinue()
    const received = yield* copy(object, { offset: 0, length: object.size })
    const record = PutObject.record(key, described, received, now)
    const stored = yield* storage.locked(
      bucket.name,
      key
    )(PutObject.store(bucket.name, record, received, forbidOverwrite))
    return Http.xml(200, result("CopyObjectResult", stored.etag, stored.modified), Headers.identity(stored))
  }).pipe(Effect.uninterruptible)

// A range that is none copies the whole object.
const range = (call: ObjectCall, size: number): Either.Either<Conditions.Range, Refusal.Refusal> => {
  const value = call.request.headers["x-oss-copy-source-range"]
  const asked = value === undefined ? {} : { range: value }
  return Either.map(Conditions.range(asked, size), (found) => found ?? { offset: 0, length: size })
}

export const uploadPartCopy = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const number = yield* UploadPart.partNumber(call.query)
    yield* Uploads.find(call, UploadPart.noSuchUploadEc)
    const { object, outcome } = yield* findSource(call)
    if (outcome === "not-modified") return Http.noBody(304)
    call.request.sendContinue()
    const received = yield* copy(object, yield* range(call, object.size))
    const part: State.Part = {
      partNumber: number,
      size: received.size,
      etag: received.md5.toString("hex").toUpperCase(),
      crc64: received.crc64.toString(),
      modified: call.now,
      file: received.file
    }
    yield* storage
      .locked(
        call.bucket.name,
        call.key
      )(UploadPart.commit(call, part))
      .pipe(Effect.tapError(() => storage.discard(received.file)))
    return Http.xml(200, result("CopyPartResult", part.etag, part.modified), { "x-oss-hash-crc64ecma": part.crc64 })
  }).pipe(Effect.uninterruptible)
