/**
 * The bucket's uploads that were neither completed nor aborted: to look at, and to sweep.
 *
 * Nobody sees their parts and everybody pays for them. `multipart` leaves none behind unless its process dies;
 * `resumable` leaves them on purpose (decisions/0004). Ages are told by OSS's clock, as far as the client knows it.
 * Source: "ListMultipartUploads", https://www.alibabacloud.com/help/en/oss/developer-reference/listmultipartuploads
 */
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { InvalidParam } from "../model/OssError.ts"
import * as ObjectKey from "../model/ObjectKey.ts"
import * as MultipartOperation from "../wire/MultipartOperation.ts"
import { OssClient, type RequestError } from "./OssClient.ts"

export type { PendingUpload } from "../wire/MultipartOperation.ts"

export interface ListOptions {
  /** Only uploads whose keys begin so. Default: all of the bucket. */
  readonly prefix?: string | undefined
}

/** The pending uploads, ordered by key, then by ID. Asks for a page of 1,000 when the stream comes to it. */
export const list = ({ prefix = "" }: ListOptions = {}): Stream.Stream<
  MultipartOperation.PendingUpload,
  RequestError,
  OssClient
> =>
  Stream.unwrap(
    Effect.map(OssClient, ({ execute }) =>
      Stream.paginateChunkEffect(undefined, (marker: MultipartOperation.UploadsMarker | undefined) =>
        Effect.map(execute(MultipartOperation.listMultipartUploads(prefix, marker)), ({ next, uploads }) => [
          Chunk.unsafeFromArray(uploads),
          next
        ])
      )
    )
  )

export interface AbortOptions extends ListOptions {
  /** How many are aborted at a time. Default 4. */
  readonly concurrency?: number | undefined
}

/**
 * Aborts the uploads that were initiated at least `age` ago, and answers which they were, in the order of `list`. An upload
 * that OSS says is gone, completed or aborted by another meanwhile, is none of them.
 *
 * Let `age` be longer than any upload takes, and than any `resumable` may be waited for: an upload that still runs fails
 * when it is aborted. Fails at the first refusal; run it again for the rest.
 */
export const abortOlderThan = (
  age: Duration.DurationInput,
  { concurrency = 4, prefix }: AbortOptions = {}
): Effect.Effect<ReadonlyArray<MultipartOperation.PendingUpload>, RequestError, OssClient> =>
  Effect.gen(function* () {
    const { execute, now } = yield* OssClient
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      return yield* new InvalidParam({
        field: "concurrency",
        reason: `must be a whole number from 1, got ${concurrency}`
      })
    }
    const until = (yield* now) - Duration.toMillis(age)
    const abort = (upload: MultipartOperation.PendingUpload) =>
      Effect.flatMap(ObjectKey.make(upload.key), (key) =>
        execute(MultipartOperation.abortMultipartUpload(key, upload.uploadId))
      ).pipe(
        Effect.as(Option.some(upload)),
        Effect.catchIf(
          (error) => error._tag === "ServiceError" && error.code === "NoSuchUpload",
          () => Effect.succeedNone
        )
      )
    // All pages first, so that no abort changes what is still to be listed.
    const old = yield* Stream.runCollect(Stream.filter(list({ prefix }), ({ initiated }) => initiated <= until))
    const aborted = yield* Effect.forEach(old, abort, { concurrency })
    return aborted.flatMap(Option.toArray)
  })
