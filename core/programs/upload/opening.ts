/**
 * The beginning of a multipart upload: it is initiated, and from then on somebody answers for it.
 *
 * OSS keeps an initiated upload until it is completed or aborted, and only the answer to Initiate tells its ID. So an
 * interruption waits a moment for that answer; an upload whose ID never came is empty, costs nothing, and is found by
 * `MultipartUploads.abortOlderThan` (decisions/0004).
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import type { Headers } from "../../wire/Operation.ts"
import type * as OssClient from "../OssClient.ts"
import type { RequestError } from "../OssClient.ts"
import * as Completion from "./completion.ts"
import type { OpenUpload } from "./parts.ts"

/** How long an interruption waits for the answer to Initiate. */
const grace = "1 second"

/** What it takes to initiate an upload. */
export interface Opening {
  readonly client: OssClient.Service
  readonly key: ObjectKey
  readonly headers: { readonly initiate: Headers; readonly part: Headers }
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Initiates an upload, in a region that cannot be interrupted except where `restore` lets it be: while it waits for the
 * answer. An upload whose ID comes after the interruption is aborted.
 */
export const initiate = (
  { client, headers, key }: Opening,
  restore: Restore
): Effect.Effect<OpenUpload, RequestError> =>
  Effect.gen(function* () {
    const open = (uploadId: string): OpenUpload => ({ client, key, uploadId, partHeaders: headers.part })
    // No child of this fiber: an interruption would reach it at once.
    const answer = yield* Effect.forkDaemon(
      Effect.interruptible(client.execute(MultipartOperation.initiateMultipartUpload(key, headers.initiate)))
    )
    const late = Fiber.join(answer).pipe(
      Effect.interruptible,
      Effect.timeout(grace),
      Effect.flatMap((uploadId) => Completion.abort(open(uploadId))),
      Effect.ignore,
      Effect.zipRight(Fiber.interrupt(answer))
    )
    return open(yield* restore(Fiber.join(answer)).pipe(Effect.onInterrupt(() => late)))
  })

/**
 * Runs `use` with an upload that is initiated before and, unless `use` succeeds, aborted after: also when Complete was under
 * way. If that has won or wins yet, the upload is gone, and to abort it changes nothing.
 */
export const opened = <A, E, R>(
  opening: Opening,
  use: (upload: OpenUpload) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | RequestError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(initiate(opening, restore), (upload) =>
      Effect.onError(restore(use(upload)), () => Completion.abort(upload))
    )
  )
