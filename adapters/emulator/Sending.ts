/**
 * Writing an answer to a socket: headers as UTF-8, bodies from memory or from slices of files, with backpressure.
 */
import * as Effect from "effect/Effect"
import { once } from "node:events"
import type * as NodeHttp from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Http from "./Http.ts"
import * as Lingering from "./Lingering.ts"
import * as Slices from "./Slices.ts"

// node:http writes header values as Latin-1, so UTF-8 bytes are handed over one character each.
const latin1 = (value: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters must not forge a header
  Buffer.from(value.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, " "), "utf8").toString("latin1")

/** What the body's bytes are. */
export const chunks = (body: Http.Body): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  body._tag === "Slices" ? Slices.read(body.slices) : body._tag === "Bytes" ? [body.bytes] : []

/** One exchange on a socket. */
export interface Exchange {
  readonly incoming: NodeHttp.IncomingMessage
  readonly outgoing: NodeHttp.ServerResponse
  readonly request: Http.Request
  /** What the handler has left of the body. */
  readonly rest: AsyncIterator<Uint8Array>
  readonly lingering: Lingering.Limits
}

const writeBody = async (
  { outgoing, request }: Exchange,
  { body, hangUp }: Http.Response,
  end: boolean,
  signal: AbortSignal
): Promise<void> => {
  if (request.method === "HEAD" || body._tag === "Empty") {
    if (end) outgoing.end()
    else outgoing.flushHeaders()
  } else if (body._tag === "Bytes" && hangUp === undefined) {
    if (end) outgoing.end(body.bytes)
    else outgoing.write(body.bytes)
  } else {
    await pipeline(Readable.from(chunks(body), { objectMode: false }), outgoing, { signal, end })
  }
}

/** Writes the answer, and reads on when it came early. When the client is gone, so is the answer: that is no failure. */
export const send = (exchange: Exchange, response: Http.Response): Effect.Effect<void> =>
  Effect.promise(async (signal) => {
    const { incoming, outgoing, request, rest, lingering } = exchange
    const { socket } = incoming
    if (response.hangUp === "before") return void socket.destroy()
    const outlook = await Lingering.outlook(incoming, outgoing, request, lingering)
    const length = response.contentLength ?? Http.size(response.body)
    for (const [name, value] of Object.entries(response.headers)) outgoing.setHeader(name, latin1(value))
    if (response.status !== 204 && response.status !== 304) outgoing.setHeader("Content-Length", length)
    if (outlook === "close") outgoing.setHeader("Connection", "close")
    outgoing.writeHead(response.status)
    try {
      await writeBody(exchange, response, outlook !== "close" && response.hangUp === undefined, signal)
      if (response.hangUp === "after") return void socket.destroySoon()
      if (outlook === "close") {
        // Not before the answers to earlier requests on this connection.
        if (outgoing.socket === null) await once(outgoing, "socket", { signal })
        socket.end()
      }
    } catch {
      // Headers are out, so nothing but the end of the connection can tell the client.
      return void socket.destroy()
    }
    if (outlook === "complete") return
    const ended = await Lingering.drain(rest, lingering)
    if (outlook === "close" || !ended) socket.destroy()
  })
