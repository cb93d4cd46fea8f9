import { Callbacks, SourceRef, UploadBatch, type UploadRequest, UploadWorkflow } from "effect-oss/cluster"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { VideoUploaded } from "../../readme/contract.ts"

// Contracts are code; durable state has their names and variables.
export const callbacks = Callbacks.make({ uploaded: VideoUploaded })

export const request = (path: string): Effect.Effect<UploadRequest.UploadRequest, unknown> =>
  Effect.map(callbacks.ref("uploaded", { userId: "u_42" }), (callback) => ({
    key: `videos${path}`,
    source: SourceRef.path(path), // or SourceRef.url, SourceRef.object: what every machine can open
    callback
  }))

// One object. The same job, key and attempt are one upload, however often it is asked for.
export const one = (path: string) =>
  Effect.flatMap(request(path), (request) => UploadWorkflow.workflow.execute({ job: "one", request }))

// A list that the engine keeps, up to some 10,000 objects.
export const list = (requests: ReadonlyArray<UploadRequest.UploadRequest>) =>
  UploadBatch.workflow.execute({ job: "list", requests })

// A stream of any length, page by page. The feeder may be killed, and feed the same stream again.
export const feed = (requests: Stream.Stream<UploadRequest.UploadRequest>) => UploadBatch.feed("feed", requests)
