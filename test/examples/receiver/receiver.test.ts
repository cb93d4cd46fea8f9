/** The receivers of these examples, called by the emulator over sockets as OSS would call them. */
import { assert, describe, it } from "@effect/vitest"
import { CallbackReceiver, CallbackSignature, Source, Upload } from "effect-oss"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Emulated from "../../support/Emulated.ts"
import * as ExpressExample from "./express.ts"
import * as FastifyExample from "./fastify.ts"
import { avatarUploaded } from "./receiver.ts"

type RunFork = (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<unknown, unknown>

const withExpress = (runFork: RunFork): Promise<Http.RequestListener> =>
  Promise.resolve(ExpressExample.makeApp(runFork))

const withFastify = async (runFork: RunFork): Promise<Http.RequestListener> => {
  const app = FastifyExample.makeApp(runFork)
  await app.ready()
  return app.routing
}

const listening = (listener: Http.RequestListener) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

describe("a receiver in three lines", () => {
  for (const [name, make] of [
    ["Express", withExpress],
    ["Fastify", withFastify]
  ] as const) {
    it.scopedLive(`of ${name} takes what OSS signed, and nothing else`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
        const app = yield* Effect.promise(() =>
          make((effect) => Effect.runFork(Effect.provideService(effect, CallbackReceiver.TrustedKeys, [key])))
        )
        const { port } = (yield* listening(app)).address() as AddressInfo // it listens on a port
        const contract = avatarUploaded(`http://127.0.0.1:${port}`)
        const uploaded = yield* Upload.simple("a.png", Source.text("not a picture"), { callback: contract() }).pipe(
          Effect.provide(Emulated.client(emulator))
        )
        assert.deepEqual(uploaded.callback, { avatar: "https://cdn.example.com/a.png" })
        const forged = yield* Effect.promise(() =>
          fetch(contract.urls[0]!, { method: "POST", body: "object=a&size=1&bucket=media" })
        )
        assert.strictEqual(forged.status, 403)
      })
    )
  }
})
