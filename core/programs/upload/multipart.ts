/**
 * Multipart upload: parts sent side by side, each proved by its CRC-64, then made one object.
 *
 * A source of one part is a PutObject (decisions/0001). The callback rides on CompleteMultipartUpload only. When anything
 * fails, or the fiber is interrupted, the upload is aborted, unless the object turns out to be stored (decisions/0004).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as ObjectKey from "../../model/ObjectKey.ts"
import type { CallbackFailed } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Source } from "../../ports/Source.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import * as Operation from "../../wire/Operation.ts"
import { OssClient } from "../OssClient.ts"
import * as Completion from "./completion.ts"
import { checkConcurrency, encodeMultipart, type MultipartOptions, type UploadError } from "./options.ts"
import * as Parts from "./parts.ts"
import * as Progress from "./progress.ts"
import { receipt } from "./receipt.ts"
import { simple } from "./simple.ts"

/** `Upload.multipart`, with whatever options; the types there say more. */
export const multipart = <A>(
  key: string,
  source: Source,
  options: MultipartOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient> =>
  Effect.gen(function* () {
    const plan = yield* PartPlan.make(source.size, options)
    const concurrency = yield* checkConcurrency(options.concurrency)
    if (plan.count === 1 && source.size <= plan.partSize) {
      return { ...(yield* simple(key, source, options)), method: "multipart" as const }
    }
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const headers = yield* encodeMultipart(objectKey, options)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const reader = yield* source.open
        const progress = yield* Progress.make(source.size, options.onProgress)
        const { parts, stored } = yield* opened(
          client,
          objectKey,
          headers.initiate,
          headers.part,
          (upload, completing) =>
            Effect.gen(function* () {
              const parts = yield* Parts.sendParts(upload, PartPlan.parts(plan), reader, {
                partSize: plan.partSize,
                concurrency,
                newCounter: Parts.tally(0, progress.report),
                onDone: () => Effect.void
              })
              yield* reader.unchanged
              completing(Completion.expected(parts))
              return { parts, stored: yield* Completion.complete(upload, parts, headers.complete) }
            })
        )
        yield* progress.finish(source.size)
        const sent = {
          method: "multipart",
          operation: "CompleteMultipartUpload",
          bucket: client.bucket.name,
          key: objectKey,
          ...Completion.expected(parts)
        } as const
        return yield* receipt(sent, stored, options.callback, client.execute(Operation.headObject(objectKey)))
      })
    )
  }).pipe(Effect.withSpan("oss.Upload.multipart", { captureStackTrace: false }))

/**
 * Runs `use` with an upload that is initiated before and, unless `use` succeeds, aborted after. `use` says when it begins
 * to complete: from then on the object may be there, and nothing is aborted before HeadObject has said that it is not.
 */
export const opened = <A, E>(
  client: typeof OssClient.Service,
  key: ObjectKey.ObjectKey,
  initiateHeaders: Operation.Headers,
  partHeaders: Operation.Headers,
  use: (upload: Parts.OpenUpload, completing: (object: Completion.Expected) => void) => Effect.Effect<A, E>
): Effect.Effect<A, E | UploadError> => {
  let completing: Completion.Expected | undefined
  return Effect.acquireUseRelease(
    Effect.map(
      client.execute(MultipartOperation.initiateMultipartUpload(key, initiateHeaders)),
      (uploadId): Parts.OpenUpload => ({ client, key, uploadId, partHeaders })
    ),
    (upload) => use(upload, (object) => void (completing = object)),
    (upload, exit) =>
      Effect.gen(function* () {
        if (Exit.isSuccess(exit)) return
        if (completing !== undefined) {
          const stored = yield* Effect.orElseSucceed(Completion.findStored(upload, completing), Option.none)
          if (Option.isSome(stored)) return
        }
        yield* Completion.abort(upload)
      })
  )
}
