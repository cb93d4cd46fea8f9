/** Five jobs with effect-oss. */
import { Bytes, PostPolicy, Presign, Source, Upload } from "effect-oss"
import { FileSource } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "../readme/contract.ts"

export const put = Upload.simple("put.txt", Source.text("hello"), { contentType: "text/plain" })

export const multipart = (path: string) =>
  Effect.gen(function* () {
    const { callback } = yield* Upload.multipart("multipart.mp4", yield* FileSource.make(path), {
      partSize: Bytes.MiB(1),
      concurrency: 4,
      callback: VideoUploaded({ userId: "u_42" })
    })
    return callback.videoId // decoded by the contract
  })

/** The `CheckpointStore` keeps the checkpoint, and finds it again. */
export const resume = (path: string) =>
  Effect.gen(function* () {
    const file = yield* FileSource.make(path)
    return yield* Upload.resumable("resumed.mp4", file, { partSize: Bytes.MiB(1), concurrency: 1 })
  })

export const presign = Presign.putObject("presigned.txt", { expiresIn: "10 minutes", contentType: "text/plain" })

export const form = Presign.postObject({
  expiresIn: "10 minutes",
  conditions: [PostPolicy.eq("key", "form.txt"), PostPolicy.contentLengthRange(0, 1024)]
})
