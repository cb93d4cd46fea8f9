/**
 * The parts that OSS holds of an upload, or of a range of it: every page of ListParts.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { maxParts } from "../../model/PartPlan.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import type { RequestError } from "../OssClient.ts"
import type { OpenUpload } from "./parts.ts"

/**
 * The parts `from` to `to`, both included; all of them by default, at most 10,000 on 10 pages. Fails with NoSuchUpload, a
 * `ServiceError`, when the upload is gone.
 */
export const listParts = (
  { client, key, uploadId }: OpenUpload,
  { from = 1, to = maxParts }: { readonly from?: number; readonly to?: number } = {}
): Effect.Effect<ReadonlyArray<MultipartOperation.ListedPart>, RequestError> =>
  Effect.gen(function* () {
    const parts: Array<MultipartOperation.ListedPart> = []
    let marker = from - 1
    while (marker < to) {
      const { next, parts: found }: MultipartOperation.PartsPage = yield* client.execute(
        MultipartOperation.listParts(key, uploadId, String(marker), to - marker)
      )
      parts.push(...found.filter(({ number }) => number <= to))
      const end = Option.isSome(next) ? Number(next.value) : to
      if (!(end > marker)) break // a page that leads nowhere would be asked for ever
      marker = end
    }
    return parts
  })
