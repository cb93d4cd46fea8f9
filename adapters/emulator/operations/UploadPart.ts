/**
 * UploadPart: one part of an upload; the same number again replaces it.
 *
 * A part's size is not checked here: which part is the last is known only at Complete.
 * Source: "UploadPart", https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart; error articles 0017-00000219,
 * -220 and -244.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as Bodies from "./Bodies.ts"
import * as Headers from "./Headers.ts"
import * as Uploads from "./Uploads.ts"

/** OSS says so when an upload's ID is unknown to UploadPart. */
export const noSuchUploadEc = "0017-00000244"

/** The number of the part, 1 to 10,000; the upload's ID must be there too. */
export const partNumber = (query: ReadonlyMap<string, string>): Either.Either<number, Refusal.Refusal> => {
  const missing = ["partNumber", "uploadId"].find((name) => !query.get(name))
  if (missing !== undefined) {
    return Either.left(
      Refusal.invalidArgument("Unexpected query string parameter", "ResourceType", missing, "0017-00000219")
    )
  }
  const text = query.get("partNumber") ?? ""
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= 10_000) return Either.right(number)
  const message = "Part number must be an integer between 1 and 10000, inclusive."
  return Either.left(Refusal.invalidArgument(message, "PartNumber", text, "0017-00000220"))
}

// What belongs to Initiate; OSS refuses it here, which is why ali-oss strips it.
const foreign = ["x-oss-storage-class", "x-oss-server-side-encryption"]

/** Refuses headers that only Initiate takes. */
export const checkHeaders = (headers: Http.Headers): Either.Either<void, Refusal.Refusal> => {
  const found = foreign.find((name) => headers[name] !== undefined)
  return found === undefined ? Either.void : Either.left(Refusal.notImplemented(found))
}

const inOrder = ({ upload, parts }: State.UploadState, number: number): boolean =>
  !upload.sequential || parts.has(number) || number === Math.max(0, ...parts.keys()) + 1

/** Names a part, unless its upload has gone meanwhile. */
export const commit = (call: ObjectCall, part: State.Part): Effect.Effect<State.Part, Refusal.Refusal, Storage> =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const found = yield* Uploads.find(call, noSuchUploadEc)
    if (!inOrder(found, part.partNumber)) {
      const message = "The part number of a sequential upload must be one more than that of the last part."
      return yield* Effect.fail(Refusal.badRequest("PartNotSequential", message))
    }
    yield* storage.putPart(call.bucket.name, found.upload.uploadId, part)
    return part
  })

export const uploadPart = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const number = yield* partNumber(call.query)
    yield* checkHeaders(call.request.headers)
    yield* Uploads.find(call, noSuchUploadEc)
    const { part, md5 } = yield* Bodies.receive(call, (received) =>
      storage.locked(
        call.bucket.name,
        call.key
      )(
        Effect.map(
          commit(call, {
            partNumber: number,
            size: received.size,
            etag: received.md5.toString("hex").toUpperCase(),
            crc64: received.crc64.toString(),
            modified: call.now,
            file: received.file
          }),
          (part) => ({ part, md5: received.md5.toString("base64") })
        )
      )
    )
    return Http.noBody(200, Headers.identity({ ...part, md5 }))
  })
