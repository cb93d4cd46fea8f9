/**
 * The emulator's socket: node:http in a scope, one fiber per request, the request line and headers as they came.
 *
 * What node:http would hide is taken raw: the target (`req.url` is not normalised, and in absolute form for proxies'
 * clients), header bytes as UTF-8, and `Expect: 100-continue`, which is answered only when the request is welcome.
 * When the scope closes, no new connection is taken, requests under way may end within the grace time, then sockets are cut.
 * Source: https://nodejs.org/docs/latest-v20.x/api/http.html; pattern measured at 57 µs for a bare GET.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as NodeHttp from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type * as Http from "./Http.ts"
import * as Lingering from "./Lingering.ts"
import * as Reading from "./Reading.ts"
import * as Sending from "./Sending.ts"

export interface Options {
  /** 0 takes any free port. */
  readonly port: number
  /** Default `127.0.0.1`: nobody else can reach it. */
  readonly host?: string | undefined
  /** How long requests under way may take to end when the scope closes, in milliseconds. Default 1,000. */
  readonly graceMillis?: number | undefined
  /** How far bodies are read on that are refused early. Default: `Lingering.defaults`. */
  readonly lingering?: Lingering.Limits | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Header bytes are UTF-8 where they are not ASCII; node:http hands them over as Latin-1. */
export const utf8 = (text: string): string => {
  // eslint-disable-next-line no-control-regex -- the question is just that
  if (/^[\u0000-\u007f]*$/.test(text)) return text
  const bytes = Buffer.from(text, "latin1")
  const decoded = bytes.toString("utf8")
  return decoded.includes("\ufffd") ? text : decoded
}

// Sent twice they would contradict each other; the first is taken, as node:http does for its own headers.
const single = new Set(["host", "authorization", "content-length", "content-type", "content-md5", "date", "range"])

/** Headers by lower-case name; those that came twice joined with ",", but for those that may stand once only. */
export const readHeaders = (raw: ReadonlyArray<string>): Http.Headers => {
  const headers: Record<string, string> = Object.create(null)
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase() // i + 1 is in range
    const value = utf8(raw[i + 1]!).replace(/^[ \t]+|[ \t]+$/g, "")
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (!single.has(name)) headers[name] = `${before},${value}`
  }
  return { ...headers }
}

const toRequest = (
  incoming: NodeHttp.IncomingMessage,
  outgoing: NodeHttp.ServerResponse,
  body: Http.Incoming,
  expectsContinue: boolean
): Http.Request => ({
  method: incoming.method ?? "GET",
  target: incoming.url ?? "/",
  headers: readHeaders(incoming.rawHeaders),
  httpVersion: incoming.httpVersion === "1.0" ? "1.0" : "1.1",
  body,
  remoteAddress: (incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
  sendContinue: () => {
    if (expectsContinue) outgoing.writeContinue()
  }
})

export type Handler<R> = (request: Http.Request) => Effect.Effect<Http.Response, never, R | Scope.Scope>

const refuseConnect = (socket: Socket): void => {
  socket.end("HTTP/1.1 405 Method Not Allowed\r\nServer: AliyunOSS\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/** What node:http cannot even parse is answered without a handler. */
const refuseGarbage = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy()
  const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request"
  socket.end(`HTTP/1.1 ${status}\r\nServer: AliyunOSS\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
}

const listen = (server: NodeHttp.Server, { port, host = "127.0.0.1" }: Options): Effect.Effect<Address, Error> =>
  Effect.async((resume) => {
    server.once("error", (cause) => resume(Effect.fail(cause)))
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo // a TCP server that listens has one
      resume(
        Effect.succeed({
          host: address.family === "IPv6" ? `[${address.address}]` : address.address,
          port: address.port
        })
      )
    })
  })

const close = (server: NodeHttp.Server, graceMillis: number): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMillis)
    server.close(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })

/** Listens until the scope closes. Fails when the port is taken. */
export const serve = <R>(handler: Handler<R>, options: Options): Effect.Effect<Address, Error, R | Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<R>()
    const server = NodeHttp.createServer({
      // A slow or idle client is the client's affair; tests stop and go as they like.
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 60_000,
      maxHeaderSize: 64 * 1024,
      requireHostHeader: false
    })
    // Requests that a client sends ahead on one connection are done one after the other, as they were sent.
    const turns = new WeakMap<Socket, Effect.Semaphore>()
    const inTurn = (socket: Socket) => {
      const turn = turns.get(socket) ?? Effect.unsafeMakeSemaphore(1)
      turns.set(socket, turn)
      return turn.withPermits(1)
    }
    const answer =
      (expectsContinue: boolean) => (incoming: NodeHttp.IncomingMessage, outgoing: NodeHttp.ServerResponse) => {
        const [body, rest] = Reading.of(incoming)
        const request = toRequest(incoming, outgoing, body, expectsContinue)
        const exchange = { incoming, outgoing, request, rest, lingering: options.lingering ?? Lingering.defaults }
        const fiber = run(
          Effect.flatMap(handler(request), (response) => Sending.send(exchange, response)).pipe(
            Effect.scoped,
            inTurn(incoming.socket)
          )
        )
        fiber.addObserver((exit) => {
          if (Exit.isFailure(exit)) incoming.socket.destroy()
        })
        outgoing.on("close", () => {
          if (!outgoing.writableFinished) fiber.unsafeInterruptAsFork(fiber.id())
        })
      }
    server.on("request", answer(false))
    server.on("checkContinue", answer(true))
    server.on("connect", (_, socket) => refuseConnect(socket as Socket)) // node:net's own sockets
    server.on("clientError", refuseGarbage)
    const address = yield* Effect.acquireRelease(listen(server, options), () =>
      close(server, options.graceMillis ?? 1000)
    )
    return address
  })
