import type { UploadGrant } from "effect-oss"
import { BrowserUpload } from "effect-oss/browser"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "../readme/contract.ts"

export class ApiError extends Data.TaggedError("ApiError")<{ readonly status: number }> {}

export interface Api {
  readonly grant: (file: File) => Effect.Effect<UploadGrant.UploadGrant, ApiError>
  readonly renew: BrowserUpload.Options<unknown, ApiError, never>["renew"]
  readonly complete: BrowserUpload.Options<unknown, ApiError, never>["complete"]
}

export const send = (file: File, api: Api) =>
  BrowserUpload.upload(api.grant(file), file, {
    renew: api.renew,
    complete: api.complete,
    callback: VideoUploaded // the contract
  }).pipe(
    Effect.map(({ callback }) => callback.videoId),
    Effect.catchTag("CallbackFailed", ({ stored }) => Effect.succeed(`${stored.key}, which nobody knows of yet`))
  )
