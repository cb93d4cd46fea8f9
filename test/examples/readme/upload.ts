import { Bytes, Upload } from "effect-oss"
import { FileSource, NodeOss } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "./contract.ts"

export const publish = (path: string, userId: string) =>
  Effect.gen(function* () {
    const video = yield* FileSource.make(path)
    const { callback } = yield* Upload.multipart(`videos/${userId}/holiday.mp4`, video, {
      partSize: Bytes.MiB(8),
      callback: VideoUploaded({ userId }),
      onProgress: ({ sent, total }) => Effect.log(`${sent} of ${total} bytes`)
    })
    return callback.videoId // typed by the contract
  }).pipe(
    Effect.catchTag("CallbackFailed", ({ stored, reason }) =>
      Effect.logWarning(`${stored.key} is stored; tell the server later: ${reason}`)
    )
  )

// Keys come from OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.
export const MediaBucket = NodeOss.layer({ region: "cn-hangzhou", bucket: "media" })

// publish("holiday.mp4", "u_42").pipe(Effect.provide(MediaBucket), Effect.runPromise)
