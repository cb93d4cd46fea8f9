/**
 * A request's body as `fetch` can send it with a Content-Length: bytes or a Blob, never a stream.
 *
 * A stream would be sent without a length, which OSS does not take, and browsers send none over HTTP/1.1 at all.
 * Source: Fetch Standard, § "Request class" (`duplex`), § "HTTP-network-or-cache fetch" (Content-Length).
 */
import { SourceError } from "../../core/model/OssError.ts"
import type { Body } from "../../core/ports/Transport.ts"

export type Sendable = Uint8Array<ArrayBuffer> | Blob

/** Bytes of it. */
export const size = (body: Sendable | undefined): number =>
  body === undefined ? 0 : "byteLength" in body ? body.byteLength : body.size

const source = "request body"

/** What broke the body, as the port says it. */
export const asSourceError = (cause: unknown): SourceError =>
  cause instanceof SourceError
    ? cause
    : new SourceError({ reason: "Read", source, detail: cause instanceof Error ? cause.message : String(cause), cause })

/** A body that is not as long as declared, in bytes. */
export const wrongSize = (size: number, found: string): SourceError =>
  new SourceError({ reason: "Changed", source, detail: `declared as ${size} bytes, but gave ${found}` })

// What lies in memory shared between threads cannot be sent.
const sendable = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes) // just looked

/**
 * All of the body; undefined when there is nothing. Chunks are gathered, and stopped when the signal says so. Rejects with
 * what the iterator throws, or with `SourceError` when it gives more or less than declared.
 */
export const gather = async (body: Body, signal: AbortSignal): Promise<Sendable | undefined> => {
  if (body._tag === "Empty") return undefined
  if (body._tag === "Bytes") return body.bytes.length === 0 ? undefined : sendable(body.bytes)
  // Each chunk's memory is used again by its source: a Blob keeps a copy.
  const parts: Array<Blob> = []
  let total = 0
  for await (const chunk of body.chunks()) {
    if (signal.aborted) return undefined
    total += chunk.length
    if (total > body.size) throw wrongSize(body.size, "more")
    parts.push(new Blob([sendable(chunk)]))
  }
  if (total < body.size) throw wrongSize(body.size, `only ${total}`)
  return total === 0 ? undefined : new Blob(parts)
}
