/**
 * DeleteMultipleObjects: up to 1,000 keys at once; those that are not there count as deleted.
 *
 * Source: "DeleteMultipleObjects", https://www.alibabacloud.com/help/en/oss/developer-reference/deletemultipleobjects
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Xml from "../../../core/wire/Xml.ts"
import type { Answer, BucketCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Names from "../Names.ts"
import * as Refusal from "../Refusal.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Documents from "./Documents.ts"
import * as Encoding from "./Encoding.ts"

const maxKeys = 1000

interface Wanted {
  readonly keys: ReadonlyArray<string>
  /** Whether only failures are to be told, of which there are none. */
  readonly quiet: boolean
}

const read = (document: Uint8Array): Either.Either<Wanted, Refusal.Refusal> => {
  const parsed = Xml.parse(document, "Delete")
  if (Either.isLeft(parsed)) return Either.left(Refusal.malformedXml)
  const { Object: given, Quiet } = parsed.right
  const objects = given === undefined ? [] : Array.isArray(given) ? given : [given]
  const keys = objects.flatMap((object) =>
    typeof object === "string" || typeof object["Key"] !== "string" ? [] : [object["Key"]]
  )
  if (keys.length === 0 || keys.length !== objects.length || keys.length > maxKeys) {
    return Either.left(Refusal.malformedXml)
  }
  return Either.right({ keys, quiet: Quiet === "true" })
}

export const deleteMultipleObjects = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { name } = call.bucket
    const encoding = yield* Encoding.of(call.query.get("encoding-type"))
    const { keys, quiet } = yield* read(yield* Documents.receive(call))
    for (const key of keys) yield* Names.checkKey(key)
    for (const key of keys) yield* storage.locked(name, key)(storage.removeObject(name, key))
    if (quiet) return Http.noBody(200)
    const deleted = keys.map((key) => XmlText.parent("Deleted", encoding.element("Key", key)))
    return Http.xml(200, XmlText.document(XmlText.parent("DeleteResult", encoding.declaration, ...deleted)))
  })
