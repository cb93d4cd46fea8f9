/**
 * Callback receivers on node:http: a server of ours in a scope, and a listener for a server of the user's own.
 *
 * The request's target and body are passed on as they stand, because OSS signed them so. Headers that decide what is
 * verified are refused when they come twice, and a body is read up to the receiver's limit and no further.
 * Source: https://nodejs.org/docs/latest-v20.x/api/http.html
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { Crypto } from "../../core/ports/Crypto.ts"
import type { Answer, Receiver, Request } from "../../core/programs/CallbackReceiver.ts"
import * as SingleHeaders from "../../core/wire/callback/SingleHeaders.ts"
import { timerMillis } from "./Deadlines.ts"
import * as NodeCrypto from "./NodeCrypto.ts"

/** Receivers by the path that OSS calls: `{ "/oss/video-uploaded": onVideoUploaded }`. */
export type Receivers<R> = Readonly<Record<string, Receiver<R>>>

/** One receiver for every path, or several by path. */
export type Given<R> = Receiver<R> | Receivers<R>

export interface Options {
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** The address to listen at. Default: all of this machine's, because OSS calls from outside. */
  readonly host?: string | undefined
  /** How long a client may take to send a request, head and body. Default: 10 seconds; OSS itself gives up after 5. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /** The most connections at once; further ones are closed as they come. Default: 10,000. */
  readonly maxConnections?: number | undefined
  /** How long requests under way may take to end when the scope closes, before they are cut. Default: 5 seconds. */
  readonly grace?: Duration.DurationInput | undefined
}

/** A server that listens. */
export class Server extends Context.Tag("effect-oss/NodeCallback/Server")<
  Server,
  {
    readonly port: number
    /** `http://127.0.0.1:3000`: how this machine reaches it. */
    readonly url: string
  }
>() {}

type Services<R> = Exclude<R, Crypto>

export type Listener = (request: Http.IncomingMessage, response: Http.ServerResponse) => void

/**
 * A listener for `http.createServer` or Express. It answers every request it is given, and never throws.
 *
 * `runFork` runs the receivers with the services they need: `Effect.runFork` where they need none, a `ManagedRuntime`'s
 * otherwise. Mount it before any body parser, because verification needs the raw bytes; `express.raw()` alone does no harm.
 */
export const listener = <R>(
  given: Given<R>,
  runFork: (effect: Effect.Effect<void, never, Services<R>>) => Fiber.RuntimeFiber<unknown, unknown>
): Listener => {
  const run = (response: Http.ServerResponse, program: Effect.Effect<void, never, R | Crypto>): void => {
    const fiber = runFork(Effect.provideService(program, Crypto, NodeCrypto.crypto))
    response.on("close", () => {
      // Who called does not wait for the answer any more.
      if (!response.writableFinished) fiber.unsafeInterruptAsFork(fiber.id())
    })
  }
  return (request, response) => {
    const { path, query } = targetOf(request)
    const receiver = isOne(given) ? given : Object.hasOwn(given, path) ? given[path] : undefined
    if (receiver === undefined) return send(response, problem(404))
    if (SingleHeaders.comeTwice(request.rawHeaders)) return send(response, problem(400))
    const method = request.method ?? ""
    // No fiber before the body is there: a slow client costs a connection, and nothing else.
    readBody(request, receiver.maxBodyBytes, (body) =>
      run(response, respond(receiver, { method, path, query, headers: headersOf(request), body }, response))
    )
  }
}

/** A server for the length of a scope. Dies when it cannot listen, because of a port that is taken for example. */
export const serve = <R>(
  given: Given<R>,
  options: Options = {}
): Effect.Effect<Context.Tag.Service<Server>, never, Services<R> | Scope.Scope> =>
  Effect.gen(function* () {
    const timeout = timerMillis(Duration.decode(options.requestTimeout ?? "10 seconds"))
    // Closed after the server: what it cut off is interrupted, and has ended before its services do.
    const runFork = yield* FiberSet.makeRuntime<Services<R>>()
    const answer = listener(given, runFork)
    const open = new Set<Http.ServerResponse>()
    const server = Http.createServer(
      { requestTimeout: timeout, headersTimeout: timeout, connectionsCheckingInterval: Math.min(timeout, 1000) },
      (request, response) => {
        open.add(response)
        response.on("close", () => open.delete(response))
        // From a connection that was open, but silent, when the server was closed.
        if (!server.listening) response.setHeader("connection", "close")
        answer(request, response)
      }
    )
    server.maxConnections = options.maxConnections ?? 10_000
    yield* Effect.acquireRelease(listen(server, options), () =>
      close(server, open, Duration.decode(options.grace ?? "5 seconds"))
    )
    const { address, family, port } = server.address() as AddressInfo // what listens on a port has one
    const everywhere = address === "::" || address === "0.0.0.0"
    return { port, url: `http://${everywhere ? "127.0.0.1" : family === "IPv6" ? `[${address}]` : address}:${port}` }
  })

/** `serve` as a layer. */
export const layerServer = <R>(given: Given<R>, options?: Options): Layer.Layer<Server, never, Services<R>> =>
  Layer.scoped(Server, serve(given, options))

const listen = (server: Http.Server, { host, port = 0 }: Options): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.once("error", (error) => resume(Effect.die(error)))
    server.listen(port, host, () => resume(Effect.void))
  })

const close = (
  server: Http.Server,
  open: Iterable<Http.ServerResponse>,
  grace: Duration.Duration
): Effect.Effect<void> =>
  Effect.async((resume) => {
    const timer = setTimeout(() => server.closeAllConnections(), timerMillis(grace))
    // Idle connections are closed at once. Those at work would be kept after their answers, and be waited for.
    server.close(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    for (const response of open) if (!response.headersSent) response.setHeader("connection", "close")
  })

const respond = <R>(
  receiver: Receiver<R>,
  request: Omit<Request, "body"> & { readonly body: Uint8Array | string },
  response: Http.ServerResponse
): Effect.Effect<void, never, R | Crypto> =>
  Effect.suspend(() => {
    const { body } = request
    if (typeof body === "string") return Effect.dieMessage(body)
    return Effect.map(receiver.handle({ ...request, body }), (answer) => send(response, answer))
  }).pipe(
    Effect.catchAllDefect((defect) =>
      Effect.andThen(Effect.logError("a callback could not be answered", Cause.die(defect)), () =>
        send(response, problem(500))
      )
    )
  )

// "handle" alone is no path: paths begin with a slash.
const isOne = <R>(given: Given<R>): given is Receiver<R> => typeof given["handle"] === "function"

/** Where the request was sent to. Express cuts what a listener is mounted at off `url`, and keeps it in `originalUrl`. */
const targetOf = (request: Http.IncomingMessage): { readonly path: string; readonly query: string | undefined } => {
  const original = "originalUrl" in request ? request.originalUrl : undefined
  const target = typeof original === "string" ? original : (request.url ?? "/")
  const mark = target.indexOf("?")
  return mark === -1
    ? { path: target, query: undefined }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

const headersOf = (request: Http.IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const name in request.headers) {
    const value = request.headers[name]
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ")
  }
  return headers
}

/**
 * Gives the body, or as much of it as shows that it is too long; once, and never cut short. Gives a sentence where another
 * has read it before. A client that goes away ends the response; then nothing is given.
 */
const readBody = (request: Http.IncomingMessage, maxBytes: number, give: (body: Uint8Array | string) => void): void => {
  if (request.readableDidRead) {
    const parsed = "body" in request ? request.body : undefined
    if (parsed instanceof Uint8Array) return give(parsed)
    return give("the body was read before: mount the listener before body parsers, or use a raw one")
  }
  const chunks: Array<Buffer> = []
  let length = 0
  const finish = (): void => {
    request.off("data", read).off("end", finish).pause()
    const [only] = chunks
    give(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks))
  }
  const read = (chunk: Buffer): void => {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) finish()
  }
  request
    .on("data", read)
    .on("end", finish)
    .on("error", () => {})
}

const problem = (status: number): Answer => {
  const body = Buffer.from(JSON.stringify({ error: Http.STATUS_CODES[status] }))
  return { status, headers: { "content-type": "application/json", "content-length": String(body.length) }, body }
}

const send = (response: Http.ServerResponse, answer: Answer): void => {
  // What is left of a body that is not read to its end must not be taken for the next request.
  if (!response.req.complete) response.setHeader("connection", "close")
  // As a text, which Node sends in one piece with the head; bytes would be a second one.
  response.writeHead(answer.status, answer.headers).end(Buffer.from(answer.body).toString())
}
