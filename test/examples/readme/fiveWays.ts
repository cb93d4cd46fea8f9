import { PostPolicy, Presign, Upload } from "effect-oss"
import { FsCheckpointStore } from "effect-oss/fs"
import { FileSource } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "./contract.ts"

const callback = VideoUploaded({ userId: "u_42" })

export const fiveWays = (path: string, checkpoints: string) =>
  Effect.gen(function* () {
    const file = yield* FileSource.make(path)

    const simple = yield* Upload.simple("videos/simple.mp4", file, { callback })
    const multipart = yield* Upload.multipart("videos/multipart.mp4", file, { callback })
    const resumable = yield* Upload.resumable("videos/resumable.mp4", file, { callback })

    // Signed where the keys are, used where they are not. The callback is pinned by the signature.
    const conditions = [PostPolicy.startsWith("key", "videos/")]
    const signedForm = yield* Presign.postObject({ expiresIn: "10 minutes", conditions, callback })
    const form = yield* Upload.form(signedForm, "videos/form.mp4", file, { callback: VideoUploaded })

    const signedUrl = yield* Presign.putObject("videos/presigned.mp4", { expiresIn: "10 minutes", callback })
    const presigned = yield* Upload.presigned(signedUrl, file, { callback: VideoUploaded })

    return [simple, multipart, resumable, form, presigned].map((uploaded) => uploaded.callback.videoId)
  }).pipe(Effect.provide(FsCheckpointStore.layer({ directory: checkpoints })))
