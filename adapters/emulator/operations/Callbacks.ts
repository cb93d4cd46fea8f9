/**
 * How an upload's callback is taken from the request, sent, and answered: 200 with the application's own bytes, or 203.
 *
 * The order is read before a byte is stored, so that a bad one stores nothing; it is delivered when the object is stored, so
 * that a failure leaves the object: 203 says both. Source: "Callback",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Effect from "effect/Effect"
import type { BucketCall, ObjectCall } from "../Call.ts"
import {
  CallbackSender as Sending,
  Facts,
  ImageInfo,
  type CallbackRefusal,
  type Resolution
} from "../callback/index.ts"
import * as ErrorResponse from "../ErrorResponse.ts"
import * as Faults from "../Faults.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import * as Slices from "../Slices.ts"
import { Settings } from "../Settings.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as Headers from "./Headers.ts"

export type Sender = Sending.CallbackSender

/** A callback that an upload has ordered; `undefined` for none. */
export type Order = Resolution.ResolvedOrder | undefined

type Ordered = Effect.Effect<Order, Refusal.Refusal, Sender>

/** What OSS answers to a callback that is configured wrongly. */
export const refusalOf = ({
  message,
  argumentName,
  argumentValue,
  ec
}: CallbackRefusal.CallbackRefusal): Refusal.Refusal =>
  Refusal.invalidArgument(message, argumentName, argumentValue, ec)

const policiesOf = ({ callbackPolicies = [] }: State.Bucket) =>
  new Map(callbackPolicies.map((policy) => [policy.name, policy] as const))

/** The callback that a request orders in its headers or its query. */
export const order = ({ bucket, request: { headers }, query }: BucketCall): Ordered =>
  Effect.flatMap(Sending.CallbackSender, (sender) =>
    sender.order({
      policies: policiesOf(bucket),
      header: { callback: headers["x-oss-callback"], callbackVar: headers["x-oss-callback-var"] },
      query: { callback: query.get("callback"), callbackVar: query.get("callback-var") }
    })
  ).pipe(Effect.mapError(refusalOf))

/** The callback that a form orders in its fields. */
export const orderOfForm = (bucket: State.Bucket, fields: ReadonlyMap<string, string>): Ordered =>
  Effect.flatMap(Sending.CallbackSender, (sender) =>
    sender.order({
      policies: policiesOf(bucket),
      form: {
        callback: fields.get("callback"),
        callbackVar: fields.get("callback-var"),
        vars: Object.fromEntries(fields)
      }
    })
  ).pipe(Effect.mapError(refusalOf))

const facts = (call: ObjectCall, stored: State.ObjectRecord, image: ImageInfo.ImageInfo | undefined) =>
  Effect.map(Settings, ({ ownerId }): Facts.Facts => ({
    bucket: call.bucket.name,
    object: stored.key,
    etag: stored.etag,
    size: stored.size,
    mimeType: stored.contentType,
    crc64: BigInt(stored.crc64),
    contentMd5: stored.md5,
    clientIp: call.request.remoteAddress,
    requestId: call.requestId,
    operation: call.operation,
    image,
    owner: ownerId,
    requester: call.principal._tag === "Owner" ? ownerId : "-",
    time: call.now
  }))

const imageOf = (stored: State.ObjectRecord): Effect.Effect<ImageInfo.ImageInfo | undefined, never, Storage> =>
  Effect.gen(function* () {
    const storage = yield* Storage
    yield* storage.pin(stored)
    const range = { offset: 0, length: Math.min(stored.size, ImageInfo.prefixBytes) }
    const prefix = yield* Slices.bytes(Slices.of(storage.path, stored.segments, range))
    return ImageInfo.read(prefix)
  }).pipe(Effect.scoped)

/** Sends the callback, if there is one, and lets its answer take the place of the plain one. */
export const finish = (
  call: ObjectCall,
  order: Order,
  stored: State.ObjectRecord,
  plain: Http.Response
): Effect.Effect<Http.Response, never, Sender | Settings | Storage | Faults.Current> =>
  Effect.gen(function* () {
    if (order === undefined) return plain
    const sender = yield* Sending.CallbackSender
    const told = yield* facts(call, stored, Facts.wantsImage(order) ? yield* imageOf(stored) : undefined)
    const twice = (yield* Faults.Current).some(({ fault }) => fault === "duplicateCallback")
    const outcome = yield* sender.deliver(order, told)
    if (twice) yield* sender.deliver(order, told)
    const headers = Headers.identity(stored)
    if (outcome._tag === "Answered") {
      const { body, contentType = "application/json" } = outcome
      return { status: 200, headers: { ...headers, "Content-Type": contentType }, body: Http.bytes(body) }
    }
    const context = { requestId: call.requestId, hostId: call.location.host }
    const document = ErrorResponse.document(Refusal.callbackFailed(outcome.message, outcome.ec), context)
    return Http.xml(203, document, { ...headers, "x-oss-ec": outcome.ec })
  })
