/**
 * One callback over a socket: a POST, and what its answer is worth. Times are in milliseconds of real time.
 *
 * Connects to nothing but the addresses found before, follows no redirect, and reads a body only when its announced length
 * is allowed. So the emulator is of no use as a proxy: of another server's answer, only short valid JSON or XML of status
 * 200 ever comes back. Interruption closes the socket.
 */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Https from "node:https"
import { isIP, isIPv4, type LookupFunction, type Socket } from "node:net"
import type { CallbackRequest } from "./CallbackRequest.ts"
import * as Outcome from "./Outcome.ts"

export interface Options {
  /** How long connecting, sending and answering may take together. */
  readonly timeout: number
  /** Authorities to trust instead of Node's, in PEM. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** Whether a certificate must be valid; true when absent. */
  readonly rejectUnauthorized?: boolean | undefined
}

/** Sends the request. Never fails: whatever goes wrong is an `Outcome.Failed`. */
export const send = (request: CallbackRequest, options: Options): Effect.Effect<Outcome.Outcome> =>
  Effect.async((resume) => {
    let connected = false
    let over = false
    const done = (outcome: Outcome.Outcome): void => {
      if (over) return
      close()
      resume(Effect.succeed(outcome))
    }
    const close = (): void => {
      over = true
      clearTimeout(timer)
      outgoing?.destroy()
    }
    const lost = (cause?: Error): void => {
      // Node's parser refuses what is no number before we see it.
      if (cause !== undefined && "code" in cause && cause.code === "HPE_INVALID_CONTENT_LENGTH") {
        return done(Outcome.invalidLength)
      }
      done(connected ? Outcome.brokeOff : Outcome.cannotConnect)
    }
    const timer = setTimeout(
      () => done(connected ? Outcome.timedOut(peerOf(outgoing?.socket), options.timeout) : Outcome.cannotConnect),
      options.timeout
    )
    let outgoing: Http.ClientRequest | undefined
    try {
      outgoing = open(request, options)
    } catch {
      // A character that HTTP cannot carry, in a header that others have made.
      return done(Outcome.cannotConnect)
    }
    outgoing.on("socket", (socket) => socket.once("connect", () => (connected = true)))
    outgoing.on("error", lost)
    outgoing.on("close", () => lost())
    outgoing.on("response", (incoming) => {
      const head: Outcome.Head = {
        status: incoming.statusCode ?? 0,
        contentLength: incoming.headers["content-length"],
        contentType: incoming.headers["content-type"]
      }
      const failed = Outcome.ofHead(head)
      if (failed !== undefined) return done(failed)
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("error", lost)
      // The parser has counted the bytes: an answer that ends early is an error, not an end.
      incoming.on("end", () => done(Outcome.ofBody(head, new Uint8Array(Buffer.concat(chunks)))))
    })
    outgoing.end(request.body)
    return Effect.sync(close)
  })

const open = ({ url, target, headers, sni }: CallbackRequest, options: Options): Http.ClientRequest => {
  const plain: Http.RequestOptions = {
    // One connection for one request.
    agent: false,
    host: url.hostname,
    port: url.port,
    method: "POST",
    path: target,
    headers,
    setHost: false,
    lookup: pinned(url.addresses)
  }
  if (!url.secure) return Http.request(plain)
  return Https.request({
    ...plain,
    // The certificate is checked against the host of the URL all the same.
    servername: sni && isIP(url.hostname) === 0 ? url.hostname : "",
    ...(options.ca === undefined ? {} : { ca: typeof options.ca === "string" ? options.ca : [...options.ca] }),
    rejectUnauthorized: options.rejectUnauthorized ?? true
  })
}

/** Gives the addresses found before, whatever the name stands for now. */
const pinned =
  (addresses: ReadonlyArray<string>): LookupFunction =>
  (_hostname, options, callback) => {
    const found = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }))
    const [first] = found
    if (first === undefined) callback(new Error("no address"), "", 0)
    else if (options.all === true) callback(null, found)
    else callback(null, first.address, first.family)
  }

const peerOf = (socket: Socket | null | undefined): string => `${socket?.remoteAddress}:${socket?.remotePort}`
