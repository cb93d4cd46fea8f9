/**
 * DeleteObject: gone afterwards, whether it was there or not.
 *
 * Source: "DeleteObject", https://www.alibabacloud.com/help/en/oss/developer-reference/deleteobject
 */
import * as Effect from "effect/Effect"
import type { Answer, ObjectCall } from "../Call.ts"
import * as Http from "../Http.ts"
import { Storage } from "../Storage.ts"

export const deleteObject = ({ bucket, key }: ObjectCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    yield* storage.locked(bucket.name, key)(storage.removeObject(bucket.name, key))
    return Http.noBody(204)
  })
