/**
 * Telling the application server of objects that it never heard of, found by walking the bucket itself.
 *
 * For where no outbox could be kept: the uploader was killed between OSS's answer and its outbox, or was a browser. The
 * bucket says what is stored; the application says what it knows; the difference is delivered as a redelivery.
 */
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import * as ObjectKey from "../../model/ObjectKey.ts"
import type { Undelivered } from "../../model/Undelivered.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import { Crypto } from "../../ports/Crypto.ts"
import type { Transport } from "../../ports/Transport.ts"
import type * as Callback from "../../wire/Callback.ts"
import { listObjects, type ListedObject } from "../../wire/ListObjects.ts"
import * as Operation from "../../wire/Operation.ts"
import { OssClient, type RequestError } from "../OssClient.ts"
import { prepare } from "./Preparing.ts"
import { reconciled, settle, type Reconciled, type ReconcileOptions } from "./Settling.ts"

export type { ListedObject } from "../../wire/ListObjects.ts"

/** An object that the application does not know: what the list and HeadObject tell of it. */
export interface StoredObject extends ListedObject {
  readonly contentType: string
  /** What the uploader wrote beside it, without the `x-oss-meta-`. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface ListingOptions<A, E, R> extends ReconcileOptions {
  /** Where callbacks are due: only objects whose keys begin so. All of them for an empty one. */
  readonly prefix: string
  /** Only objects that were stored at this time or later: milliseconds since 1970, by OSS's clock. */
  readonly since: number
  /** How long ago an object must have been stored: OSS's own callback may be on its way. Default: 1 minute. */
  readonly settled?: Duration.DurationInput | undefined
  /** Whether the application knows of this object already, by its key and ETag. Asked for each object in range. */
  readonly isAcknowledged: (object: ListedObject) => Effect.Effect<boolean, E, R>
  /** The callback that the upload had, its variables filled in again; `undefined` where none was due. */
  readonly callback: (object: StoredObject) => Effect.Effect<Callback.Callback<A> | undefined, E, R>
}

/** Every object under a prefix, a page of 1,000 at a time. */
const listed = (prefix: string): Stream.Stream<ListedObject, RequestError, OssClient> =>
  Stream.unwrap(
    Effect.map(OssClient, ({ execute }) =>
      Stream.paginateChunkEffect("", (after) =>
        Effect.map(execute(listObjects(prefix, after)), ({ next, objects }) => [Chunk.unsafeFromArray(objects), next])
      )
    )
  )

/** The object as it is now; nothing when it is gone, or another one by now, whose own callback counts. */
const look = (object: ListedObject) =>
  Effect.gen(function* () {
    const { bucket, execute } = yield* OssClient
    const key = yield* ObjectKey.make(object.key)
    const info = yield* execute(Operation.headObject(key))
    if (info.etag !== object.etag) return Option.none()
    const { contentType, crc64, metadata, versionId } = info
    const identity = JSON.stringify([bucket.name, key, object.etag, object.lastModified])
    const stored: Uploaded = {
      method: object.objectType === "Multipart" ? "multipart" : "simple",
      bucket: bucket.name,
      key,
      size: info.size,
      etag: info.etag,
      crc64: crc64 ?? 0n,
      versionId,
      // The upload's own is known to nobody now. The same at every walk, so that a guard knows the second again.
      requestId: `listed-${(yield* Crypto).sha256Hex(identity).slice(0, 24)}`,
      callback: undefined
    }
    return Option.some({ stored, found: { ...object, contentType, metadata } satisfies StoredObject })
  }).pipe(
    Effect.catchIf(
      (error) => error._tag === "ServiceError" && error.status === 404,
      () => Effect.succeedNone
    )
  )

/**
 * Walks the bucket once, and delivers the callbacks of objects that the application does not know. Run it by a schedule, with
 * a `since` that reaches back behind the last walk; the receiver needs the option `redelivery`.
 *
 * A receiver with `replay` runs its handler once for all walks that meet an object. It cannot know that OSS delivered it
 * (only OSS knew the upload's request ID, which is `listed-…` here): that is what `isAcknowledged` is for. Fails when the
 * bucket cannot be listed, when what the application was asked fails, or with `InvalidParam`; what it did not take is kept.
 */
export const reconcileListing = <A, E = never, R = never>({
  callback,
  concurrency = 4,
  isAcknowledged,
  prefix,
  settled = "1 minute",
  since,
  ...options
}: ListingOptions<A, E, R>): Effect.Effect<Reconciled, RequestError | E, OssClient | Transport | Crypto | R> =>
  Effect.gen(function* () {
    if (!Number.isFinite(since)) {
      return yield* new InvalidParam({ field: "since", reason: `must be milliseconds since 1970, got ${since}` })
    }
    const until = (yield* Effect.flatMap(OssClient, ({ now }) => now)) - Duration.toMillis(settled)
    const reconcile = (object: ListedObject) =>
      Effect.gen(function* () {
        if (yield* isAcknowledged(object)) return Option.none<Undelivered | CallbackFailed>()
        const seen = yield* look(object)
        if (Option.isNone(seen)) return Option.none()
        const { found, stored } = seen.value
        const due = yield* callback(found)
        if (due === undefined) return Option.none()
        const entry = yield* prepare(due, { stored }, { mimeType: found.contentType })
        return Option.some(yield* settle(entry, options, Effect.void))
      })
    const outcomes = yield* listed(prefix).pipe(
      Stream.filter(({ lastModified }) => lastModified >= since && lastModified <= until),
      Stream.mapEffect(reconcile, { concurrency, unordered: true }),
      Stream.filterMap((outcome) => outcome),
      Stream.runCollect
    )
    return reconciled(outcomes)
  }).pipe(Effect.withSpan("oss.Redelivery.reconcileListing", { captureStackTrace: false }))
