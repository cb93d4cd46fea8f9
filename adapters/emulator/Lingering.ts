/**
 * What becomes of a request's body when the answer goes out before all of it was read.
 *
 * A socket that is closed with unread bytes makes the kernel reset the connection, and a reset may destroy the answer on its
 * way. A body that is never read blocks a client that sends all of it before it looks for an answer. So the rest is read
 * and thrown away, up to limits in bytes and in milliseconds, as web servers in front of OSS do.
 * Source: RFC 9112 §9.6; https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close (its 30 s and 5 s)
 */
import type * as NodeHttp from "node:http"
import * as Http from "./Http.ts"

export interface Limits {
  /** The longest rest that is read at all. In bytes. */
  readonly bytes: number
  /** The longest body that does not cost the connection. In bytes. */
  readonly keptBytes: number
  /** How long the client may send nothing. In milliseconds. */
  readonly silenceMillis: number
  /** How long it may take altogether. In milliseconds. */
  readonly totalMillis: number
}

export const defaults: Limits = {
  bytes: 256 * 1024 * 1024,
  keptBytes: 16 * 1024 * 1024,
  silenceMillis: 5_000,
  totalMillis: 30_000
}

/** Reads to the end. Answers whether it came within the limits; a client that is gone never sends it. */
export const drain = async (rest: AsyncIterator<Uint8Array>, limits: Limits): Promise<boolean> => {
  const deadline = performance.now() + limits.totalMillis
  let bytes = 0
  while (bytes <= limits.bytes && performance.now() < deadline) {
    let timer: NodeJS.Timeout | number | undefined
    const silence = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, Math.min(limits.silenceMillis, deadline - performance.now()))
    })
    try {
      const next = await Promise.race([rest.next(), silence])
      if (next === undefined) return false
      if (next.done === true) return true
      bytes += next.value.length
    } catch {
      return false
    } finally {
      clearTimeout(timer)
    }
  }
  return false
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Whether bytes of the body may still be on their way, and if so, whether the connection can outlive them. It cannot after
 * `Expect: 100-continue` (nobody knows whether the body comes), nor with a body that is long or of unknown length.
 */
export const outlook = async (
  incoming: NodeHttp.IncomingMessage,
  outgoing: NodeHttp.ServerResponse,
  { headers }: Http.Request,
  limits: Limits
): Promise<"complete" | "keep" | "close"> => {
  if (!Http.announcesBody(headers)) return "complete"
  // The end of a short body is parsed in the same turn as the head, but after it.
  if (!incoming.complete) await turn()
  if (incoming.complete) return "complete"
  const long = (Http.contentLength(headers) ?? Infinity) > limits.keptBytes
  return long || headers["expect"] !== undefined || !outgoing.shouldKeepAlive ? "close" : "keep"
}
