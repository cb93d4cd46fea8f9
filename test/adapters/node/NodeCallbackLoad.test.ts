/** Two thousand clients that never finish what they began do not stop a receiver from answering. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { once } from "node:events"
import * as Http from "node:http"
import * as Net from "node:net"
import * as NodeCallback from "../../../adapters/node/NodeCallback.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as SignedCallback from "../../support/SignedCallback.ts"

const contract = Callback.make({ url: "http://a", bucket: "media", body: {}, response: Schema.Struct({}) })
const receiver = CallbackReceiver.make(contract, () => Effect.succeed({}), { trustedKeys: [SignedCallback.trusted] })

const loris = (port: number, i: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = Net.connect(port, "127.0.0.1")
      socket.on("error", () => {})
      await once(socket, "connect")
      // Half of them stop in the head, half in the body.
      socket.write("POST /oss/video HTTP/1.1\r\nhost: a\r\n")
      if (i % 2 === 1) socket.write("content-length: 100\r\n\r\nbucket=")
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const call = (port: number) =>
  Effect.promise(async () => {
    const { body, headers } = SignedCallback.make("bucket=media")
    const request = Http.request({ port, host: "127.0.0.1", method: "POST", path: "/oss/video", headers, agent: false })
    request.end(body)
    const [response] = (await once(request, "response")) as [Http.IncomingMessage] // what this event carries
    response.resume()
    return response.statusCode
  })

describe("2,000 slow-loris connections", () => {
  it.scopedLive(
    "do not stop a receiver from answering, and are closed when their time is over",
    () =>
      Effect.gen(function* () {
        const { port } = yield* NodeCallback.serve(receiver, { host: "127.0.0.1", requestTimeout: "5 seconds" })
        const indices = Array.from({ length: 2000 }, (_, i) => i)
        const sockets = yield* Effect.forEach(indices, (i) => loris(port, i), { concurrency: 200 })
        const statuses = yield* Effect.replicateEffect(call(port), 20)
        assert.deepEqual(new Set(statuses), new Set([200]))
        const isOpen = (socket: Net.Socket) => !socket.destroyed && !socket.readableEnded
        for (const socket of sockets) socket.resume()
        while (sockets.some(isOpen)) yield* Effect.sleep("100 millis")
        assert.strictEqual(yield* call(port), 200)
      }),
    30_000
  )
})
