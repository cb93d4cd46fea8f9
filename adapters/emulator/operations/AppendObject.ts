/**
 * AppendObject: bytes at the end of an object, if the end is where the client believes it to be.
 *
 * Source: "AppendObject", https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject. Not known: how OSS makes
 * the ETag of such an object; here it is the MD5 over the ETag before and the MD5 of the bytes.
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Attributes from "../Attributes.ts"
import type * as Body from "../Body.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as Bodies from "./Bodies.ts"
import * as Headers from "./Headers.ts"
import * as Parameters from "./Parameters.ts"

const nextPosition = "x-oss-next-append-position"

/** The object to append to; `undefined` for a new one. */
const find = ({ bucket, key }: ObjectCall, position: number) =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const object = storage.object(bucket.name, key)
    if (object !== undefined && object.type !== "Appendable") return yield* Effect.fail(Refusal.objectNotAppendable)
    const size = object?.size ?? 0
    if (size === position) return object
    return yield* Effect.fail({ ...Refusal.positionNotEqualToLength, headers: { [nextPosition]: String(size) } })
  })

const appended = (before: State.ObjectRecord, received: Body.Received, now: number): State.ObjectRecord => ({
  ...before,
  size: before.size + received.size,
  etag: NodeCrypto.createHash("md5").update(before.etag).update(received.md5).digest("hex").toUpperCase(),
  crc64: Crc64.combine(BigInt(before.crc64), received.crc64, received.size).toString(),
  modified: now,
  segments: received.size === 0 ? before.segments : [...before.segments, { file: received.file, size: received.size }]
})

const empty = (key: string, attributes: State.Attributes): State.ObjectRecord => ({
  ...attributes,
  key,
  type: "Appendable",
  size: 0,
  etag: "",
  crc64: "0",
  modified: 0,
  segments: []
})

export const appendObject = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const { bucket, key, request, now } = call
    const storage = yield* Storage
    const bounds = { min: 0, max: Number.MAX_SAFE_INTEGER }
    const position = yield* Parameters.number(call.query, "position", NaN, bounds, "The position is invalid.")
    if (Number.isNaN(position)) {
      return yield* Effect.fail(Refusal.invalidArgument("The position must be given.", "position", ""))
    }
    const attributes = yield* Attributes.read(request.headers, bucket)
    yield* find(call, position)
    const stored = yield* Bodies.receive(call, (received) =>
      storage.locked(
        bucket.name,
        key
      )(
        Effect.gen(function* () {
          const before = (yield* find(call, position)) ?? empty(key, attributes)
          const record = appended(before, received, now)
          yield* storage.putObject(bucket.name, record)
          if (received.size === 0) yield* storage.discard(received.file)
          return record
        })
      )
    )
    return Http.noBody(200, { ...Headers.identity(stored), [nextPosition]: String(stored.size) })
  })
