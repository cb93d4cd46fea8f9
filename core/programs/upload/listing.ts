/**
 * All parts that OSS holds of an upload: every page of ListParts.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import type { RequestError } from "../OssClient.ts"
import type { OpenUpload } from "./parts.ts"

/** At most 10,000 parts on 10 pages. Fails with NoSuchUpload, a `ServiceError`, when the upload is gone. */
export const listParts = ({
  client,
  key,
  uploadId
}: OpenUpload): Effect.Effect<ReadonlyArray<MultipartOperation.ListedPart>, RequestError> =>
  Effect.gen(function* () {
    const parts: Array<MultipartOperation.ListedPart> = []
    let marker: string | undefined = "0"
    while (marker !== undefined) {
      const page: MultipartOperation.PartsPage = yield* client.execute(
        MultipartOperation.listParts(key, uploadId, marker)
      )
      parts.push(...page.parts)
      marker = Option.getOrUndefined(page.next)
    }
    return parts
  })
