import { CallbackReceiver } from "effect-oss"
import { NodeCallback } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "./contract.ts"

export const onVideoUploaded = CallbackReceiver.make(VideoUploaded, ({ object, size, userId }) =>
  Effect.gen(function* () {
    yield* Effect.log(`${userId} uploaded ${object}, ${size} bytes`)
    return { videoId: `video-of-${userId}` }
  })
)

export const CallbackServer = NodeCallback.layerServer(onVideoUploaded, { port: 3000 })

// Layer.launch(CallbackServer).pipe(Effect.runPromise)
