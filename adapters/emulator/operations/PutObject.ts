/**
 * PutObject: the body becomes the object, whole or not at all.
 *
 * Source: "PutObject", https://www.alibabacloud.com/help/en/oss/developer-reference/putobject
 */
import * as Effect from "effect/Effect"
import * as Attributes from "../Attributes.ts"
import type * as Body from "../Body.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import type * as Faults from "../Faults.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as Bodies from "./Bodies.ts"
import * as Callbacks from "./Callbacks.ts"
import * as Headers from "./Headers.ts"

/** The record of an object whose bytes came in one request. */
export const record = (
  key: string,
  attributes: State.Attributes,
  received: Body.Received,
  now: number
): State.ObjectRecord => ({
  ...attributes,
  key,
  type: "Normal",
  size: received.size,
  etag: received.md5.toString("hex").toUpperCase(),
  crc64: received.crc64.toString(),
  md5: received.md5.toString("base64"),
  modified: now,
  segments: received.size === 0 ? [] : [{ file: received.file, size: received.size }]
})

/** Stores a record, unless there is an object already and none may be replaced. */
export const commit = (
  bucket: string,
  record: State.ObjectRecord,
  forbidOverwrite: boolean
): Effect.Effect<State.ObjectRecord, Refusal.Refusal, Storage> =>
  Effect.gen(function* () {
    const storage = yield* Storage
    if (forbidOverwrite && storage.object(bucket, record.key) !== undefined) {
      return yield* Effect.fail(Refusal.fileAlreadyExists)
    }
    yield* storage.putObject(bucket, record)
    return record
  })

/** Stores the record of a received body, or lets the body go. An empty object names no file. */
export const store = (
  bucket: string,
  record: State.ObjectRecord,
  received: Body.Received,
  forbidOverwrite: boolean
): Effect.Effect<State.ObjectRecord, Refusal.Refusal, Storage> =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const discard = storage.discard(received.file)
    const stored = yield* Effect.tapError(commit(bucket, record, forbidOverwrite), () => discard)
    if (received.size === 0) yield* discard
    return stored
  })

export const putObject = (call: ObjectCall): Answer<Callbacks.Sender | Faults.Current> =>
  Effect.gen(function* () {
    const { bucket, key, now, request } = call
    const storage = yield* Storage
    const attributes = yield* Attributes.read(request.headers, bucket)
    const forbidOverwrite = yield* Attributes.forbidOverwrite(request.headers["x-oss-forbid-overwrite"])
    const order = yield* Callbacks.order(call)
    if (forbidOverwrite && storage.object(bucket.name, key) !== undefined) {
      return yield* Effect.fail(Refusal.fileAlreadyExists)
    }
    const stored = yield* Bodies.receive(call, (received) =>
      storage.locked(
        bucket.name,
        key
      )(store(bucket.name, record(key, attributes, received, now), received, forbidOverwrite))
    )
    return yield* Callbacks.finish(call, order, stored, Http.noBody(200, Headers.identity(stored)))
  })
