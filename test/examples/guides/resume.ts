import { type Progress, Upload } from "effect-oss"
import { FsCheckpointStore } from "effect-oss/fs"
import { FileSource } from "effect-oss/node"
import * as Effect from "effect/Effect"

export const Checkpoints = FsCheckpointStore.layer({ directory: "/var/lib/backup/checkpoints" })

/** Run it again after a crash: it sends only what OSS does not have. */
export const backUp = (path: string, onProgress: (progress: Progress.Progress) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const file = yield* FileSource.make(path)
    return yield* Upload.resumable("backups/today.tar", file, {
      ifChanged: "restart", // another file by now: begin anew. The default is to fail, and keep what was sent
      onProgress
    })
  }).pipe(
    Effect.catchTag("CheckpointError", (error) =>
      error.reason === "Locked" ? Effect.logInfo("another process is uploading it") : Effect.fail(error)
    )
  )
