/** In Fastify: in a scope of its own, where nobody else reads the bodies. */
import { NodeCallback } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { fastify } from "fastify"
import { onAvatarUploaded } from "./receiver.ts"

/** `runFork`: of a ManagedRuntime, where the handler needs services. */
export const makeApp = (runFork: Parameters<typeof NodeCallback.listener<never>>[1] = Effect.runFork) => {
  const answer = NodeCallback.listener(onAvatarUploaded, runFork)
  const app = fastify()
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser("*", (_request, _body, done) => done(null))
    scope.post("/oss/avatar-uploaded", (request, reply) => answer(request.raw, reply.hijack().raw))
  })
  return app
}
