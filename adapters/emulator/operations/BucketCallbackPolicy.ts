/**
 * PutBucketCallbackPolicy, GetBucketCallbackPolicy and DeleteBucketCallbackPolicy: a bucket's callbacks by name, so that a
 * client need not, and cannot, say which server is called.
 *
 * An upload names one with `{"callbackPolicy":"name"}` where it would have put a whole configuration; CallbackOrder.ts reads
 * that. Sources: oss2's put_bucket_callback_policy (`?policy&comp=callback`), aliyun-oss-java-sdk's BucketCallbackPolicyTest.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Xml from "../../../core/wire/Xml.ts"
import type { Answer, BucketCall } from "../Call.ts"
import { CallbackOrder } from "../callback/index.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Callbacks from "./Callbacks.ts"
import * as Documents from "./Documents.ts"

type Checked<A> = Either.Either<A, Refusal.Refusal>

const readItem = (value: Xml.Value): Checked<State.CallbackPolicy> => {
  if (typeof value === "string") return Either.left(Refusal.malformedXml)
  const { PolicyName: name, Callback: callback, CallbackVar: callbackVar = "" } = value
  if (typeof name !== "string" || typeof callback !== "string" || typeof callbackVar !== "string") {
    return Either.left(Refusal.malformedXml)
  }
  if (name === "" || callback === "") return Either.left(Refusal.malformedXml)
  // A policy that no upload could use is refused now; whether its server may be called is asked at each upload.
  const usable = CallbackOrder.parse({ header: { callback, callbackVar }, privateAddressesAllowed: true })
  if (Either.isLeft(usable)) return Either.left(Callbacks.refusalOf(usable.left))
  return Either.right(callbackVar === "" ? { name, callback } : { name, callback, callbackVar })
}

/** The items of a BucketCallbackPolicy. Refuses two of one name. */
const read = (document: Uint8Array): Checked<ReadonlyArray<State.CallbackPolicy>> => {
  const parsed = Xml.parse(document, "BucketCallbackPolicy")
  if (Either.isLeft(parsed)) return Either.left(Refusal.malformedXml)
  const { PolicyItem } = parsed.right
  const given = PolicyItem === undefined ? [] : Array.isArray(PolicyItem) ? PolicyItem : [PolicyItem]
  if (given.length === 0) return Either.left(Refusal.malformedXml)
  return Either.flatMap(Either.all(given.map(readItem)), (items) =>
    new Set(items.map(({ name }) => name)).size < items.length ? Either.left(Refusal.malformedXml) : Either.right(items)
  )
}

export const putBucketCallbackPolicy = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const callbackPolicies = yield* read(yield* Documents.receive(call))
    yield* storage.putBucket({ ...call.bucket, callbackPolicies })
    return Http.noBody(200)
  })

export const deleteBucketCallbackPolicy = ({ bucket }: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { callbackPolicies: _, ...rest } = bucket
    yield* storage.putBucket(rest)
    return Http.noBody(204)
  })

const item = ({ name, callback, callbackVar }: State.CallbackPolicy): XmlText.Markup =>
  XmlText.parent(
    "PolicyItem",
    XmlText.element("PolicyName", name),
    XmlText.element("Callback", callback),
    callbackVar === undefined ? undefined : XmlText.element("CallbackVar", callbackVar)
  )

export const getBucketCallbackPolicy = ({ bucket: { name, callbackPolicies } }: BucketCall): Answer =>
  callbackPolicies === undefined
    ? Effect.fail(Refusal.noSuchCallbackPolicy(name))
    : Effect.succeed(
        Http.xml(200, XmlText.document(XmlText.parent("BucketCallbackPolicy", ...callbackPolicies.map(item))))
      )
