/**
 * GetObjectAcl and PutObjectAcl.
 *
 * Source: "PutObjectACL", https://www.alibabacloud.com/help/en/oss/developer-reference/putobjectacl
 */
import * as Effect from "effect/Effect"
import * as Attributes from "../Attributes.ts"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Storage } from "../Storage.ts"
import * as Buckets from "./Buckets.ts"
import * as GetObject from "./GetObject.ts"

export const getObjectAcl = (call: ObjectCall): Answer =>
  Effect.flatMap(GetObject.find(call), ({ acl }) => Buckets.accessControl(acl))

export const putObjectAcl = (call: ObjectCall): Answer =>
  Effect.gen(function* () {
    const { bucket, key, request } = call
    const storage = yield* Storage
    const value = request.headers["x-oss-object-acl"]
    if (value === undefined) return yield* Effect.fail(Refusal.missingHeader("x-oss-object-acl"))
    const acl = yield* Attributes.acl(value)
    yield* storage.locked(
      bucket.name,
      key
    )(Effect.flatMap(GetObject.find(call), (object) => storage.putObject(bucket.name, { ...object, acl })))
    return Http.noBody(200)
  })
