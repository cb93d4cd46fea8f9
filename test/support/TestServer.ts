/**
 * A bare HTTP server on a free port of 127.0.0.1 that remembers what arrived: for tests of what is really on the wire.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import type { AddressInfo, Socket } from "node:net"
import * as Certificate from "./Certificate.ts"

/** A request as it came in. */
export interface Received {
  readonly method: string
  /** The request target, raw. */
  readonly target: string
  /** Name, value, name, value: in the order and case of the wire. */
  readonly rawHeaders: ReadonlyArray<string>
  readonly headers: Http.IncomingHttpHeaders
  /** Which connection it came on, counted from 1. */
  readonly connection: number
  /** The body, once it was read to its end. */
  body?: Buffer
}

export interface TestServer {
  /** `http://127.0.0.1:port`, or `https://…` */
  readonly origin: string
  readonly port: number
  readonly received: ReadonlyArray<Received>
  /** Connections so far. */
  readonly connections: () => number
  /** Connections open now. */
  readonly open: () => number
  /** Whether the connection of this number is open now. */
  readonly isOpen: (connection: number) => boolean
}

/** Called when the head of a request has arrived. The body is not read unless the handler does. */
export type Handler = (request: Http.IncomingMessage, response: Http.ServerResponse, received: Received) => void

/** Reads the whole body, then answers. */
export const answer =
  (status: number, headers: Http.OutgoingHttpHeaders = {}, body: string | Uint8Array = ""): Handler =>
  (request, response, received) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      received.body = Buffer.concat(chunks)
      const length = status === 204 || status === 304 ? {} : { "Content-Length": Buffer.byteLength(body) }
      response.writeHead(status, { ...length, ...headers })
      response.end(body)
    })
  }

/** A server for the length of the scope. */
export const start = (
  handler: Handler = answer(200),
  options: { readonly tls?: boolean } = {}
): Effect.Effect<TestServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<TestServer & { readonly stop: Effect.Effect<void> }>((resume) => {
      const received: Array<Received> = []
      const numbers = new Map<Socket, number>()
      const sockets = new Set<Socket>()
      const listener: Http.RequestListener = (request, response) => {
        const seen: Received = {
          method: request.method ?? "",
          target: request.url ?? "",
          rawHeaders: request.rawHeaders,
          headers: request.headers,
          connection: numbers.get(request.socket) ?? 0
        }
        received.push(seen)
        // A client that goes away is what several tests are about.
        request.on("error", () => {})
        handler(request, response, seen)
      }
      const server =
        options.tls === true
          ? Https.createServer({ key: Certificate.key, cert: Certificate.certificate }, listener)
          : Http.createServer(listener)
      server.on(options.tls === true ? "secureConnection" : "connection", (socket: Socket) => {
        numbers.set(socket, numbers.size + 1)
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => {})
      })
      server.listen(0, "127.0.0.1", () => {
        // A server that listens on a port has such an address.
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            origin: `${options.tls === true ? "https" : "http"}://127.0.0.1:${port}`,
            port,
            received,
            connections: () => numbers.size,
            open: () => sockets.size,
            isOpen: (connection) => [...sockets].some((socket) => numbers.get(socket) === connection),
            stop: Effect.async<void>((done) => {
              server.close(() => done(Effect.void))
              server.closeAllConnections()
            })
          })
        )
      })
    }),
    ({ stop }) => stop
  )
