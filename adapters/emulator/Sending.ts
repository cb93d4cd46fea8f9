/**
 * Writing an answer to a socket: headers as UTF-8, bodies from memory or from slices of files, with backpressure.
 */
import * as Effect from "effect/Effect"
import type * as NodeHttp from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Http from "./Http.ts"
import * as Slices from "./Slices.ts"

// node:http writes header values as Latin-1, so UTF-8 bytes are handed over one character each.
const latin1 = (value: string): string =>
  // eslint-disable-next-line no-control-regex -- control characters must not forge a header
  Buffer.from(value.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, " "), "utf8").toString("latin1")

/** What the body's bytes are. */
export const chunks = (body: Http.Body): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  body._tag === "Slices" ? Slices.read(body.slices) : body._tag === "Bytes" ? [body.bytes] : []

// A client that waited for "100 Continue" in vain has not sent its body, or is about to: the connection is of no more use.
const mustClose = (incoming: NodeHttp.IncomingMessage): boolean =>
  incoming.headers.expect !== undefined && !incoming.complete

/** Writes the answer. When the client is gone, so is the answer: that is no failure. */
export const send = (
  incoming: NodeHttp.IncomingMessage,
  outgoing: NodeHttp.ServerResponse,
  request: Http.Request,
  response: Http.Response
): Effect.Effect<void> =>
  Effect.promise(async (signal) => {
    if (response.hangUp === "before") return void incoming.socket.destroy()
    const length = response.contentLength ?? Http.size(response.body)
    for (const [name, value] of Object.entries(response.headers)) outgoing.setHeader(name, latin1(value))
    if (response.status !== 204 && response.status !== 304) outgoing.setHeader("Content-Length", length)
    if (mustClose(incoming)) outgoing.setHeader("Connection", "close")
    outgoing.writeHead(response.status)
    if (request.method === "HEAD" || response.body._tag === "Empty") {
      if (response.hangUp === "after") return void incoming.socket.destroy()
      return void outgoing.end()
    }
    if (response.body._tag === "Bytes" && response.hangUp === undefined) return void outgoing.end(response.body.bytes)
    try {
      await pipeline(Readable.from(chunks(response.body), { objectMode: false }), outgoing, {
        signal,
        end: response.hangUp === undefined
      })
    } catch {
      // Headers are out, so nothing but the end of the connection can tell the client.
      incoming.socket.destroy()
    }
    if (response.hangUp === "after") incoming.socket.destroySoon()
  })
