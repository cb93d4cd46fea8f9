/**
 * A multipart upload step by step, for programs that outlive their process: each step may run on another machine, and again.
 *
 * `Upload.multipart` and `Upload.resumable` are these steps in one run. Who takes them one at a time keeps what each has
 * answered: the upload's ID, the parts of each range. Every step may be repeated: a range sends only what ListParts does not
 * show, or shows with another CRC-64; a Complete that had won is found by HeadObject (decisions/0003); uploads whose ID was
 * lost with their process are those that were not pending before. Sizes in bytes, parts numbered from 1.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ObjectKey from "../model/ObjectKey.ts"
import type { CallbackFailed } from "../model/OssError.ts"
import * as PartPlan from "../model/PartPlan.ts"
import type { Uploaded } from "../model/Uploaded.ts"
import type { Source } from "../ports/Source.ts"
import * as MultipartUploads from "./MultipartUploads.ts"
import { OssClient, type RequestError } from "./OssClient.ts"
import * as Completion from "./upload/completion.ts"
import { listParts } from "./upload/listing.ts"
import * as Opening from "./upload/opening.ts"
import {
  holdingOf,
  checkConcurrency,
  encodeMultipart,
  type MultipartOptions,
  type UploadError
} from "./upload/options.ts"
import * as Parts from "./upload/parts.ts"
import { combinedCrc64, type SentPart } from "./upload/sent.ts"

export type { Around, Place } from "./upload/parts.ts"
export type { SentPart } from "./upload/sent.ts"

/** Which upload of which object. */
export interface Pending {
  readonly key: string
  readonly uploadId: string
}

/** What every step is told alike; progress is the caller's affair here. */
export type Options<A> = Omit<MultipartOptions<A>, "onProgress">

/** Opens the upload and answers its ID. Interrupted, it aborts what it may have opened. */
export const initiate = <A>(key: string, options: Options<A>): Effect.Effect<string, RequestError, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const headers = yield* encodeMultipart(objectKey, options)
    const opening = { client, key: objectKey, headers }
    return (yield* Effect.uninterruptibleMask((restore) => Opening.initiate(opening, restore))).uploadId
  }).pipe(Effect.withSpan("oss.MultipartSteps.initiate", { captureStackTrace: false }))

/** The IDs of this very key's pending uploads. */
export const pendingOf = (key: string): Effect.Effect<ReadonlyArray<string>, RequestError, OssClient> =>
  MultipartUploads.list({ prefix: key }).pipe(
    // In the order of their keys: the key itself comes before all that begin with it.
    Stream.takeWhile((upload) => upload.key === key),
    Stream.map(({ uploadId }) => uploadId),
    Stream.runCollect,
    Effect.map((ids) => [...ids])
  )

/** Aborts the key's pending uploads except those to `keep`. What cannot be aborted is logged. */
export const abortOthers = (key: string, keep: ReadonlyArray<string>): Effect.Effect<void, RequestError, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const kept = new Set(keep)
    const others = (yield* pendingOf(key)).filter((uploadId) => !kept.has(uploadId))
    yield* Effect.forEach(others, (uploadId) => Completion.abort({ client, key: objectKey, uploadId, partHeaders: {} }))
  }).pipe(Effect.withSpan("oss.MultipartSteps.abortOthers", { captureStackTrace: false }))

/** What a range of parts is sent with. */
export interface RangeOptions<E> extends Pick<MultipartOptions<never>, "concurrency" | "buffer" | "trafficLimit"> {
  /** Runs around each part that is sent: a permit, a measure. */
  readonly around?: Parts.Around<E> | undefined
  /** Runs after each part that was sent, before the next part of its fiber. */
  readonly onSent?: ((part: SentPart) => Effect.Effect<void, E>) | undefined
  /** Makes a part without its bytes passing through here, where the source can: a copy at the server. */
  readonly place?: Parts.Place | undefined
}

/**
 * Sends the parts `from` to `to` of a plan, both included, or proves those that ListParts shows: each counts if the source's
 * bytes still have its CRC-64. Answers all of them in order. Fails with NoSuchUpload, a `ServiceError`, when it is gone.
 */
export const sendRange = <E = never>(
  { key, uploadId }: Pending,
  plan: PartPlan.PartPlan,
  { from, to }: { readonly from: number; readonly to: number },
  source: Source,
  options: RangeOptions<E> = {}
): Effect.Effect<ReadonlyArray<SentPart>, UploadError | E, OssClient> =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* OssClient
      const objectKey = yield* ObjectKey.make(key)
      const concurrency = yield* checkConcurrency(options.concurrency)
      const { part: partHeaders } = yield* encodeMultipart(objectKey, { trafficLimit: options.trafficLimit })
      const upload: Parts.OpenUpload = { client, key: objectKey, uploadId, partHeaders }
      const reader = yield* source.open
      const listed = new Map((yield* listParts(upload, { from, to })).map((part) => [part.number, part]))
      const parts = Array.from({ length: to - from + 1 }, (_, i) => PartPlan.part(plan, from + i)).flatMap(
        Option.toArray
      )
      const sent = yield* Parts.sendParts<E>(upload, parts, reader, {
        partSize: plan.partSize,
        holding: holdingOf(options, source, plan.partSize),
        concurrency,
        progress: { report: () => {}, partDone: () => {} },
        known: (number) => {
          const part = listed.get(number)
          const planned = Option.getOrUndefined(PartPlan.part(plan, number))
          if (part?.crc64 === undefined || part.size !== planned?.size) return undefined
          return { number, size: part.size, etag: part.etag, crc64: part.crc64 }
        },
        onSent: options.onSent,
        around: options.around,
        place: options.place
      })
      yield* reader.unchanged
      return [...sent]
    })
  ).pipe(Effect.withSpan("oss.MultipartSteps.sendRange", { captureStackTrace: false, attributes: { from, to } }))

/** CRC-64 of the object that the parts make, all of them in order. */
export const crc64Of = combinedCrc64

/** Makes the parts, all of them in order, the object. Finds out by HeadObject when an earlier attempt had won. */
export const complete = <A>(
  { key, uploadId }: Pending,
  parts: ReadonlyArray<SentPart>,
  options: Options<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const headers = yield* encodeMultipart(objectKey, options)
    const upload = { client, key: objectKey, uploadId, partHeaders: headers.part }
    const stored = yield* Completion.complete(upload, parts, headers.complete)
    return yield* Completion.receiptOf("multipart", upload, parts, stored, options.callback)
  }).pipe(Effect.withSpan("oss.MultipartSteps.complete", { captureStackTrace: false }))
