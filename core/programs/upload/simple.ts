/**
 * Simple upload: one PutObject carries the whole source, up to 5 GiB.
 *
 * A lost answer is settled by sending again, which stores the same bytes: the application may then be called twice. Where
 * overwriting is forbidden that would meet our own object, so HeadObject is asked first.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../model/Bytes.ts"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Source } from "../../ports/Source.ts"
import * as Callback from "../../wire/Callback.ts"
import * as ObjectHeaders from "../../wire/ObjectHeaders.ts"
import * as Operation from "../../wire/Operation.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"
import * as OssClient from "../OssClient.ts"
import { scopedSpanned } from "../spanned.ts"
import * as Body from "./body.ts"
import type { UploadError, UploadOptions } from "./options.ts"
import * as Progress from "./progress.ts"
import { receipt } from "./receipt.ts"

/** The largest object of one request, in bytes. */
export const maxSize = Bytes.GiB(5)

/** `Upload.simple`, with whatever options; the types there say more. */
export const simple = <A>(
  key: string,
  source: Source,
  options: UploadOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient.OssClient> =>
  scopedSpanned(
    "oss.Upload.simple",
    Effect.gen(function* () {
      const client = yield* OssClient.OssClient
      const objectKey = yield* ObjectKey.make(key)
      const headers = yield* ObjectHeaders.encode(objectKey, options)
      Object.assign(headers, yield* ObjectHeaders.encodeTrafficLimit(options.trafficLimit))
      if (options.callback !== undefined) Object.assign(headers, yield* Callback.headers(options.callback))
      if (source.size > maxSize) {
        const reason = `must be at most ${maxSize} bytes for a simple upload, got ${source.size}; use multipart`
        return yield* new InvalidParam({ field: "source", reason })
      }
      const progress = yield* Progress.make({ total: source.size, totalParts: 1 }, options.onProgress)
      const { body, crc64 } = yield* Body.measured(source, yield* source.open)
      const lookUp = Effect.suspend(() => client.execute(Operation.headObject(objectKey)))
      const put = Operation.putObject(objectKey, headers, body, progress.report, !options.forbidOverwrite)

      // Whether an object that is there after a lost answer is ours; if so, all but the application's answer is known.
      const foundStored = lookUp.pipe(
        Effect.filterOrFail((info) => info.size === source.size && info.crc64 === crc64()),
        Effect.map(({ etag, crc64, versionId, requestId }): Stored => ({
          etag,
          crc64,
          versionId,
          requestId,
          callback: undefined
        }))
      )
      const stored = yield* Effect.catchAll(client.execute(put), (error) =>
        OssClient.mayHaveActed(error) && options.forbidOverwrite
          ? Effect.orElseFail(foundStored, () => error)
          : Effect.fail(error)
      )
      yield* progress.finish(source.size)
      const sent = {
        method: "simple",
        operation: "PutObject",
        bucket: client.bucket.name,
        key: objectKey,
        size: source.size,
        crc64: crc64()
      } as const
      return yield* receipt(sent, stored, options.callback, lookUp)
    })
  )
