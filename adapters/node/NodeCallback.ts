/**
 * Callback receivers on node:http: a listener for a server of your own, and a server of ours in a scope.
 *
 * The request line's target is passed on as it stands, because OSS signed it so. Headers that must not stand twice are
 * refused when they do. A body is read up to the receiver's limit and no further.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { Crypto } from "../../core/ports/Crypto.ts"
import type * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as NodeCrypto from "./NodeCrypto.ts"

export interface Options {
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** Default: all addresses, because OSS calls from outside. */
  readonly host?: string | undefined
  /** How long a client may take for its headers, and for the whole request. Default: 10 seconds. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** The most connections at once; further ones are closed at once. Default 10,000. */
  readonly maxConnections?: number | undefined
  /** How long running requests may take once the scope closes. Default: 5 seconds. */
  readonly grace?: Duration.DurationInput | undefined
}

/** A server that listens. */
export interface Service {
  /** `http://127.0.0.1:3000`, with the address that it is bound to. */
  readonly url: string
  readonly port: number
}

export class CallbackServer extends Context.Tag("effect-oss/CallbackServer")<CallbackServer, Service>() {}

/** Receivers by the path at which OSS calls them: `{ "/oss/video-uploaded": onVideoUploaded }`. */
export type Receivers<R> = Readonly<Record<string, CallbackReceiver.Receiver<R>>>

/** One receiver for every path, or several by path. */
export type Given<R> = CallbackReceiver.Receiver<R> | Receivers<R>

const isOne = <R>(given: Given<R>): given is CallbackReceiver.Receiver<R> => typeof given["handle"] === "function"

/** Headers that decide what is verified or how much is read: with two of them, two readers may choose differently. */
const single = new Set(["authorization", "x-oss-pub-key-url", "x-oss-signature-version", "content-length"])

const hasDouble = (raw: ReadonlyArray<string>): boolean => {
  const seen = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase() // names stand at the even places
    if (single.has(name) && seen.has(name)) return true
    seen.add(name)
  }
  return false
}

const lowerHeaders = (request: Http.IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
  return headers
}

/** The body, or as much of it as shows that it is too long; `undefined` when the client went away. */
const readBody = (request: Http.IncomingMessage, maxBytes: number): Effect.Effect<Uint8Array | undefined> =>
  Effect.async((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const done = (body: Uint8Array | undefined) => {
      request.removeAllListeners("data").removeAllListeners("end").removeAllListeners("close")
      request.pause()
      resume(Effect.succeed(body))
    }
    request.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxBytes) done(Buffer.concat(chunks))
    })
    request.on("end", () => done(Buffer.concat(chunks)))
    request.on("close", () => done(undefined))
    request.on("error", () => {})
  })

const send = (response: Http.ServerResponse, answer: CallbackReceiver.Answer, close: boolean): void => {
  response.writeHead(answer.status, { ...answer.headers, ...(close ? { connection: "close" } : {}) })
  response.end(answer.body)
}

const plain = (status: number): CallbackReceiver.Answer => {
  const body = Buffer.from(JSON.stringify({ error: Http.STATUS_CODES[status] }))
  return { status, headers: { "content-type": "application/json", "content-length": String(body.length) }, body }
}

const respond = <R>(given: Given<R>, request: Http.IncomingMessage, response: Http.ServerResponse) =>
  Effect.gen(function* () {
    const target = request.url ?? "/"
    const mark = target.indexOf("?")
    const path = mark === -1 ? target : target.slice(0, mark)
    const receiver = isOne(given) ? given : Object.hasOwn(given, path) ? given[path] : undefined
    if (receiver === undefined) return send(response, plain(404), true)
    if (hasDouble(request.rawHeaders)) return send(response, plain(400), true)
    const body = yield* readBody(request, receiver.maxBodyBytes)
    if (body === undefined) return
    const answer = yield* receiver.handle({
      method: request.method ?? "",
      path,
      query: mark === -1 ? undefined : target.slice(mark + 1),
      headers: lowerHeaders(request),
      body
    })
    send(response, answer, !request.complete)
  })

/**
 * A listener for `http.createServer`, Express or Fastify, to be mounted before any body parser: verification needs the raw
 * bytes. Runs with the services it is made with.
 */
export const listener = <R>(
  given: Given<R>
): Effect.Effect<(request: Http.IncomingMessage, response: Http.ServerResponse) => void, never, Exclude<R, Crypto>> =>
  Effect.map(Effect.runtime<Exclude<R, Crypto>>(), (runtime) => {
    const run = Runtime.runFork(runtime)
    return (request, response) => {
      const program = respond(given, request, response) as Effect.Effect<void, never, R | Crypto>
      const fiber = run(Effect.provide(program, NodeCrypto.layer) as Effect.Effect<void, never, Exclude<R, Crypto>>)
      response.on("close", () => void (response.writableFinished || run(Fiber.interrupt(fiber))))
    }
  })

/** A server for the length of a scope. Dies when the port cannot be had. */
export const serve = <R>(
  given: Given<R>,
  options: Options = {}
): Effect.Effect<Service, never, Exclude<R, Crypto> | Scope.Scope> =>
  Effect.gen(function* () {
    const timeout = Duration.toMillis(options.requestTimeout ?? "10 seconds")
    const server = Http.createServer(
      { requestTimeout: timeout, headersTimeout: timeout, connectionsCheckingInterval: Math.min(timeout, 1000) },
      yield* listener(given)
    )
    server.maxConnections = options.maxConnections ?? 10_000
    yield* Effect.acquireRelease(listen(server, options), () =>
      close(server, Duration.decode(options.grace ?? "5 seconds"))
    )
    const { address, port, family } = server.address() as AddressInfo // it listens on a port
    const reachable = address === "::" || address === "0.0.0.0" ? "127.0.0.1" : address
    return { url: `http://${family === "IPv6" && reachable === address ? `[${address}]` : reachable}:${port}`, port }
  })

/** `serve` as a layer. */
export const layerServer = <R>(
  given: Given<R>,
  options?: Options
): Layer.Layer<CallbackServer, never, Exclude<R, Crypto>> => Layer.scoped(CallbackServer, serve(given, options))

const listen = (server: Http.Server, options: Options): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.once("error", (error) => resume(Effect.die(error)))
    server.listen(options.port ?? 0, options.host, () => resume(Effect.void))
  })

const close = (server: Http.Server, grace: Duration.Duration): Effect.Effect<void> =>
  Effect.async((resume) => {
    const timer = setTimeout(() => server.closeAllConnections(), Duration.toMillis(grace))
    server.close(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })
