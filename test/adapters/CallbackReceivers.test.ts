/** The contract of callback receivers over every adapter, and over the frameworks that the examples show. */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import express from "express"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import * as FetchCallback from "../../adapters/fetch/FetchCallback.ts"
import * as NodeCallback from "../../adapters/node/NodeCallback.ts"
import * as CallbackRoute from "../../adapters/platform/CallbackRoute.ts"
import { callbackReceiverContract } from "../contracts/CallbackReceiver.contract.ts"

const listening = (listener: Http.RequestListener) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(listener).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as AddressInfo).port)) // it listens on a port

/** A server of Requests and Responses, as runtimes have them: headers that come twice are joined. */
const fetching = (handler: FetchCallback.WebHandler) =>
  listening((incoming, outgoing) => {
    const headers = new Headers()
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!) // names and values, by turns
    }
    const body = Readable.toWeb(incoming) as unknown as BodyInit // Node's type of the same stream
    const init = { method: incoming.method ?? "", headers, body, duplex: "half" } as RequestInit // not in DOM's types
    void handler(new Request(`http://localhost${incoming.url}`, init)).then(async (answer) => {
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()))
    })
  })

const silent = Logger.remove(Logger.defaultLogger)
const ofUrls = { ofUrls: true }

callbackReceiverContract("NodeCallback", (receiver) =>
  Effect.map(NodeCallback.serve(receiver, { host: "127.0.0.1" }), ({ port }) => port)
)

callbackReceiverContract("NodeCallback in Express", (receiver) => {
  const app = express()
  app.use(NodeCallback.listener(receiver, (program) => Effect.runFork(Effect.provide(program, silent))))
  return listening(app)
})

callbackReceiverContract("FetchCallback", (receiver) => fetching(FetchCallback.toWebHandler(receiver, silent)), ofUrls)

callbackReceiverContract("CallbackRoute on Node", (receiver) =>
  Effect.gen(function* () {
    const options = { port: 0, host: "127.0.0.1" }
    const server = yield* Effect.orDie(NodeHttpServer.make(() => Http.createServer(), options))
    const router = HttpRouter.post(HttpRouter.empty, "*", CallbackRoute.make(receiver))
    yield* Effect.provideService(HttpServer.serveEffect(router), HttpServer.HttpServer, server)
    return server.address._tag === "TcpAddress" ? server.address.port : 0
  })
)

callbackReceiverContract(
  "CallbackRoute of Requests",
  (receiver) => fetching(HttpApp.toWebHandler(Effect.provide(CallbackRoute.make(receiver), silent))),
  ofUrls
)
