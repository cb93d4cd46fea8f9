/**
 * One request and its answer on node:http, as one Effect. Sizes are in bytes.
 *
 * Whatever happens, four things hold at the end: the timers are stopped, the body's iterator is told to stop, the
 * connection is either clean or destroyed, and no byte of the caller's memory is read any more.
 * Source: https://nodejs.org/docs/latest-v20.x/api/http.html#httprequestoptions-callback (the order of events)
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { type SourceError, TransportError } from "../../core/model/OssError.ts"
import * as Utf8 from "../../core/model/Utf8.ts"
import { bodySize, type Request, type Response } from "../../core/ports/Transport.ts"
import { type GiveUp, nothingToGiveUp, Waiting } from "../../core/programs/waiting.ts"
import * as Deadlines from "./Deadlines.ts"
import * as EarlyAnswer from "./EarlyAnswer.ts"
import * as RequestBody from "./RequestBody.ts"

/** Who a URL asks, in the pieces that node:http takes. */
export interface Server {
  readonly secure: boolean
  /** Host and port as the URL has them: the Host header. */
  readonly authority: string
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string
  readonly port: number
}

export interface Target {
  readonly server: Server
  /** Path and query, as they stand. */
  readonly path: string
}

type Outcome = Effect.Effect<Response, TransportError | SourceError>

/** Sends the request through the agent. Fails as the port `Transport` says. */
export const run = (target: Target, agent: Http.Agent, connectTimeout: Duration.Duration, request: Request): Outcome =>
  new Waiting((done) => exchange(target, agent, connectTimeout, request, done))

/** Begins the exchange; `done` is told its outcome, once. Answers how to give it up. */
const exchange = (
  target: Target,
  agent: Http.Agent,
  connectTimeout: Duration.Duration,
  request: Request,
  done: (outcome: Exit.Exit<Response, TransportError | SourceError>) => void
): GiveUp => {
  const { hostname, port, secure } = target.server
  const host = `${hostname}:${port}`
  /** Whether bytes of the request can have left: before, they wait for TCP and TLS. */
  let connected = false
  const failure = (reason: TransportError["reason"], detail: string, cause?: unknown) =>
    new TransportError({ reason, sent: connected ? "unknown" : "nothing", host, detail, ...(cause ? { cause } : {}) })

  let outgoing: Http.ClientRequest
  try {
    outgoing = open(target, agent, request)
  } catch (cause) {
    // Node names the method or header that HTTP cannot carry, and does not quote its value.
    done(Exit.fail(failure("Connect", describe(cause))))
    return nothingToGiveUp
  }

  const limits: Array<() => void> = []
  const after = (limit: Duration.Duration, act: () => void): void => {
    if (Duration.isFinite(limit)) limits.push(Deadlines.after(Duration.toMillis(limit), act))
  }
  let stopWriting: (() => void) | undefined
  let over = false
  const close = (keepConnection: boolean): void => {
    over = true
    for (const lift of limits) lift()
    stopWriting?.()
    if (!keepConnection) outgoing.destroy()
  }
  const fail = (error: TransportError | SourceError): void => {
    if (over) return
    close(false)
    done(Exit.fail(error))
  }
  /** The whole answer is here: what happens to the connection after that changes nothing. */
  let finish: (() => void) | undefined
  const lost = (where: string, cause: unknown): void => {
    if (finish !== undefined) return finish()
    // Node's parse errors carry what the server sent: they are described, not kept.
    if (isParseError(cause)) fail(failure("BadResponse", describe(cause)))
    else if (connected) fail(failure("Reset", `connection lost ${where}: ${describe(cause)}`, cause))
    else fail(failure("Connect", `cannot connect: ${describe(cause)}`, cause))
  }

  after(request.timeout, () => fail(failure("Timeout", `not done within ${Duration.format(request.timeout)}`)))

  outgoing.on("socket", (socket) => {
    EarlyAnswer.keep(socket)
    if (isReady(socket)) return void (connected = true)
    after(connectTimeout, () => {
      if (!connected) fail(failure("Connect", `no connection within ${Duration.format(connectTimeout)}`))
    })
    socket.once(secure ? "secureConnect" : "connect", () => (connected = true))
  })
  // Once the answer has begun, it alone tells how the exchange ends: of an early answer that has arrived whole, Node
  // reports the broken writing first. Only bytes that are not HTTP it reports here.
  let answering = false
  outgoing.on("error", (cause) => {
    if (!answering || isParseError(cause)) lost("before the answer", cause)
  })
  outgoing.on("close", () => {
    if (!answering) lost("before the answer", new Error("closed"))
  })
  outgoing.on("response", (incoming) => {
    answering = true
    stopWriting?.()
    const chunks: Array<Buffer> = []
    let length = 0
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length > request.maxResponseBytes)
        fail(failure("ResponseTooLong", `the answer is longer than ${request.maxResponseBytes} bytes`))
    })
    incoming.on("error", (cause) => lost("within the answer", cause))
    incoming.on("end", () => {
      const response = { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: join(chunks) }
      finish = () => {
        if (over) return
        // An answer that came before all of the request was sent leaves the connection of no use to others.
        close(outgoing.writableFinished)
        done(Exit.succeed(response))
      }
      // A tick later the agent has the connection back, and what follows can use it.
      if (outgoing.writableFinished) process.nextTick(finish)
      else setImmediate(finish)
    })
  })

  const onSent = (bytes: number): void => {
    if (!over) request.onSent?.(bytes)
  }
  stopWriting = RequestBody.write(outgoing, request.body, onSent, fail)

  return () => void close(false)
}

const open = ({ path, server }: Target, agent: Http.Agent, request: Request): Http.ClientRequest =>
  (server.secure ? Https : Http).request({
    agent,
    host: server.hostname,
    port: server.port,
    method: request.method,
    path,
    headers: requestHeaders(request, server.authority)
  })

const withoutBody = new Set(["GET", "HEAD", "DELETE", "OPTIONS"])

/**
 * The headers in the order and case given, after Host and before Content-Length. A Host given takes the place of ours;
 * a Content-Length given is dropped.
 */
const requestHeaders = (request: Request, authority: string): Record<string, string> => {
  // Node takes names of another case for the same header, and the last one's value.
  const headers: Record<string, string> = { Host: authority }
  for (const name of Object.keys(request.headers)) {
    if (!isContentLength(name)) headers[name] = toWire(request.headers[name]!) // one of its own names
  }
  // Without it, Node would send an empty PUT in chunks.
  const length = bodySize(request.body)
  if (length > 0 || !withoutBody.has(request.method)) headers["Content-Length"] = String(length)
  return headers
}

const isContentLength = (name: string): boolean =>
  name.length === "content-length".length && name.toLowerCase() === "content-length"

const beyondAscii = /[^\0-\x7f]/

// Node's headers hold one byte a character; OSS's hold UTF-8, and sign it so.
const toWire = (value: string): string =>
  beyondAscii.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value

const fromWire = (value: string): string =>
  beyondAscii.test(value)
    ? Option.getOrElse(Utf8.decode(Buffer.from(value, "latin1")), () => value) // not UTF-8: as it came
    : value

const headersOf = (incoming: Http.IncomingMessage): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(incoming.headers)) {
    const value = incoming.headers[name]
    if (value !== undefined) headers[name] = fromWire(typeof value === "string" ? value : value.join(", "))
  }
  return headers
}

const join = (chunks: ReadonlyArray<Buffer>): Uint8Array => {
  if (chunks.length === 0) return new Uint8Array(0)
  const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length)
}

/** A kept connection, or one that an agent of the user's hands over. TLS is ready once it knows the protocol (`false`: none). */
const isReady = (socket: Socket): boolean =>
  !socket.destroyed && !socket.connecting && !(socket instanceof TLSSocket && socket.alpnProtocol === null)

const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

const isParseError = (cause: unknown): boolean => codeOf(cause)?.startsWith("HPE_") === true

/** What Node says went wrong: system calls, addresses, certificates and names of headers; never a path or a value. */
const describe = (cause: unknown): string =>
  // The AggregateError of several addresses tried has a code, but no message.
  (cause instanceof Error && cause.message) || codeOf(cause) || "unknown error"
