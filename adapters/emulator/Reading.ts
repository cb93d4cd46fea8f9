/**
 * A request's body as node:http gives it: by its events while somebody takes each chunk, by its iterator otherwise.
 *
 * An iterator stops the socket after each chunk (the limit of a request's buffer, 16 KiB, is less than a chunk's 64 KiB) and
 * begins again a turn of the event loop later; events let the kernel's buffer be emptied in one go. And whoever takes a chunk
 * copies it, so its memory can be freed at once: left to V8, which collects the whole heap for every 32 MiB of chunks or so,
 * it cost as much as all else that is done with them.
 * Source: https://nodejs.org/docs/latest-v20.x/api/stream.html#two-reading-modes
 */
import type * as NodeHttp from "node:http"
import { MessageChannel } from "node:worker_threads"
import type * as Http from "./Http.ts"

/** The body, and an iterator over what nobody has taken of it. Leaving either early ends nothing. */
export const of = (incoming: NodeHttp.IncomingMessage): [body: Http.Incoming, rest: AsyncIterator<Uint8Array>] => {
  const rest: AsyncIterator<Uint8Array> = incoming.iterator({ destroyOnReturn: false })
  // Without `return`: the refusal still has to go out, and what is left be read.
  const iterator = { next: () => rest.next() }
  return [{ [Symbol.asyncIterator]: () => iterator, each: (take) => each(incoming, take) }, rest]
}

// Node.js 20 has no `ArrayBuffer.prototype.transfer`; what is sent to a port that nobody listens to is freed as well.
const { port1: nowhere, port2: listener } = new MessageChannel()
listener.close()
nowhere.unref()

/** Frees the memory of a chunk that is all there is in its buffer; others may use the rest of it otherwise. */
const free = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) nowhere.postMessage(undefined, [buffer])
}

const each = (incoming: NodeHttp.IncomingMessage, take: Http.Take): Promise<void> =>
  new Promise((resolve, reject) => {
    let taking: Promise<void> | undefined
    let left = false
    const leave = (): void => {
      left = true
      incoming.off("data", data).off("end", end).off("error", fail).off("close", close)
      incoming.pause()
    }
    // Whoever takes a chunk at this moment still reads it: the end, too, may come before that is done.
    const settle = (outcome: () => void): void => {
      leave()
      if (taking === undefined) outcome()
      else taking.then(outcome, reject)
    }
    const fail = (cause: unknown): void => settle(() => reject(cause))
    const data = (chunk: Uint8Array): void => {
      try {
        taking = take(chunk)
      } catch (cause) {
        return fail(cause)
      }
      if (taking === undefined) return free(chunk)
      incoming.pause()
      taking.then(() => {
        taking = undefined
        free(chunk)
        if (!left) incoming.resume()
      }, fail)
    }
    const end = (): void => settle(resolve)
    const close = (): void => fail(new Error("the connection was closed in the midst of the body"))
    if (incoming.readableEnded) return resolve()
    if (incoming.destroyed) return close()
    incoming.on("data", data).on("end", end).on("error", fail).on("close", close)
  })
