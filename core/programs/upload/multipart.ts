/**
 * Multipart upload: parts sent side by side, each proved by its CRC-64, then made one object.
 *
 * A source of one part is a PutObject (decisions/0001). The callback rides on CompleteMultipartUpload only. When anything
 * fails, or the fiber is interrupted, the upload is aborted (decisions/0004).
 */
import * as Effect from "effect/Effect"
import * as ObjectKey from "../../model/ObjectKey.ts"
import type { CallbackFailed } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Source } from "../../ports/Source.ts"
import { OssClient } from "../OssClient.ts"
import * as Completion from "./completion.ts"
import { opened } from "./opening.ts"
import { checkConcurrency, encodeMultipart, holdingOf, type MultipartOptions, type UploadError } from "./options.ts"
import * as Parts from "./parts.ts"
import * as Progress from "./progress.ts"
import { simple } from "./simple.ts"

/** `Upload.multipart` of a source, with whatever options; the types there say more. */
export const multipart = <A>(
  key: string,
  source: Source,
  options: MultipartOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient> =>
  Effect.gen(function* () {
    const plan = yield* PartPlan.make(source.size, options)
    const concurrency = yield* checkConcurrency(options.concurrency)
    if (plan.count === 1) return { ...(yield* simple(key, source, options)), method: "multipart" as const }
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const headers = yield* encodeMultipart(objectKey, options)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const reader = yield* source.open
        const progress = yield* Progress.make({ total: source.size, totalParts: plan.count }, options.onProgress)
        const { parts, stored } = yield* opened({ client, key: objectKey, headers }, (upload) =>
          Effect.gen(function* () {
            const parts = yield* Parts.sendParts(upload, PartPlan.parts(plan), reader, {
              partSize: plan.partSize,
              holding: holdingOf(options, source, plan.partSize),
              concurrency,
              progress
            })
            yield* reader.unchanged
            return { parts, stored: yield* Completion.complete(upload, parts, headers.complete) }
          })
        )
        yield* progress.finish(source.size)
        return yield* Completion.receiptOf("multipart", { client, key: objectKey }, parts, stored, options.callback)
      })
    )
  }).pipe(Effect.withSpan("oss.Upload.multipart", { captureStackTrace: false }))
