/**
 * GetObject, HeadObject and GetObjectMeta: an object, or what is known of it.
 *
 * Sources: "GetObject", https://www.alibabacloud.com/help/en/oss/developer-reference/getobject; "HeadObject";
 * "GetObjectMeta". Answers are never compressed.
 */
import * as Effect from "effect/Effect"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import * as Slices from "../Slices.ts"
import { Storage } from "../Storage.ts"
import * as Conditions from "./Conditions.ts"
import * as Headers from "./Headers.ts"

/** The object of a call. */
export const find = ({ bucket, key }: ObjectCall): Effect.Effect<State.ObjectRecord, Refusal.Refusal, Storage> =>
  Effect.flatMap(Storage, (storage) => {
    const object = storage.object(bucket.name, key)
    return object === undefined ? Effect.fail(Refusal.noSuchKey(key)) : Effect.succeed(object)
  })

const overrides: Readonly<Record<string, string>> = {
  "response-content-type": "Content-Type",
  "response-content-language": "Content-Language",
  "response-expires": "Expires",
  "response-cache-control": "Cache-Control",
  "response-content-disposition": "Content-Disposition",
  "response-content-encoding": "Content-Encoding"
}

// Only who signs may say how an object is served: else a stranger could have a picture served as a page.
const overridden = (call: ObjectCall): Effect.Effect<Record<string, string>, Refusal.Refusal> => {
  const given = Object.entries(overrides).flatMap(([name, header]) => {
    const value = call.query.get(name)
    return value === undefined || value === "" ? [] : [[header, value] as const]
  })
  return given.length > 0 && call.principal._tag === "Anonymous"
    ? Effect.fail(
        Refusal.badRequest("InvalidRequest", "Request specific response headers cannot be used for anonymous requests.")
      )
    : Effect.succeed(Object.fromEntries(given))
}

/** GetObject and HeadObject: they differ in the body alone. */
export const getObject = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const object = yield* find(call)
    const { headers } = call.request
    if ((yield* Conditions.evaluate(headers, object)) === "not-modified") {
      return Http.noBody(304, { ...Headers.identity(object), "Last-Modified": Headers.httpDate(object.modified) })
    }
    const described = { ...Headers.all(object), ...(yield* overridden(call)) }
    const range = yield* Conditions.range(headers, object.size)
    const { offset, length } = range ?? { offset: 0, length: object.size }
    const partial =
      range === undefined ? {} : { "Content-Range": `bytes ${offset}-${offset + length - 1}/${object.size}` }
    const status = range === undefined ? 200 : 206
    if (call.request.method === "HEAD") {
      return { ...Http.noBody(status, { ...described, ...partial }), contentLength: length }
    }
    yield* storage.pin(object)
    return {
      status,
      headers: { ...described, ...partial },
      body: { _tag: "Slices", slices: Slices.of(storage.path, object.segments, { offset, length }) }
    }
  })

/** The few facts of GetObjectMeta, by HEAD or GET. Never a body, so only HEAD can tell the size. */
export const getObjectMeta = (call: ObjectCall): Answer =>
  Effect.map(find(call), (object) => ({
    ...Http.noBody(200, {
      ETag: `"${object.etag}"`,
      "x-oss-hash-crc64ecma": object.crc64,
      "Last-Modified": Headers.httpDate(object.modified)
    }),
    ...(call.request.method === "HEAD" ? { contentLength: object.size } : {})
  }))
