/** In Express: a handler like any other. It must come before what reads bodies. */
import { NodeCallback } from "effect-oss/node"
import * as Effect from "effect/Effect"
import express from "express"
import { onAvatarUploaded } from "./receiver.ts"

/** `runFork`: of a ManagedRuntime, where the handler needs services. */
export const makeApp = (runFork: Parameters<typeof NodeCallback.listener<never>>[1] = Effect.runFork) => {
  const app = express()
  app.post("/oss/avatar-uploaded", NodeCallback.listener(onAvatarUploaded, runFork))
  app.use(express.json())
  return app
}
