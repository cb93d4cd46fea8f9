/**
 * Bodies for `HttpClient`: whole in memory, or as a stream whose length is proved before its end. Sizes are in bytes.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as Stream from "effect/Stream"
import type { SourceError } from "../../core/model/OssError.ts"
import type { Body } from "../../core/ports/Transport.ts"
import { asSourceError, wrongSize } from "../fetch/FetchBody.ts"

/**
 * The chunks, copied, because their memory is used again before the client has sent them. The last is held back until
 * nothing comes after it: the server never has a whole request of a body that is too short or too long. Throws
 * `SourceError`.
 */
async function* exact({ chunks, size }: Extract<Body, { _tag: "Chunks" }>): AsyncGenerator<Uint8Array, void> {
  let total = 0
  let held: Uint8Array | undefined
  try {
    for await (const chunk of chunks()) {
      if (chunk.length === 0) continue
      total += chunk.length
      if (total > size) throw wrongSize(size, "more")
      if (held !== undefined) yield held
      held = Uint8Array.from(chunk)
    }
  } catch (cause) {
    throw asSourceError(cause)
  }
  if (total < size) throw wrongSize(size, `only ${total}`)
  if (held !== undefined) yield held
}

// So that progress is smooth; as in adapters/node.
const piece = 1024 * 1024

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece)
}

/** All of the body. Throws `SourceError`. */
export const gather = async (body: Body): Promise<Uint8Array> => {
  if (body._tag !== "Chunks") return body._tag === "Empty" ? new Uint8Array(0) : body.bytes
  const whole = new Uint8Array(body.size)
  let at = 0
  for await (const chunk of exact(body)) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** A body in memory. No content type: it is among the headers, or is to be none. */
export const inMemory = (content: Uint8Array): HttpBody.HttpBody => HttpBody.uint8Array(content, "")

/** Whether there is something to gain from sending the body piece by piece. */
export const isLarge = (body: Body): boolean =>
  body._tag === "Chunks" ? body.size > 0 : body._tag === "Bytes" && body.bytes.length > piece

/** A body piece by piece. `onSent` is told what the client has taken, `onError` what the body itself failed with. */
export const streamed = (
  body: Body,
  size: number,
  onSent: (bytes: number) => void,
  onError: (error: SourceError) => void
): HttpBody.HttpBody => {
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    let sent = 0
    for await (const chunk of body._tag === "Chunks"
      ? exact(body)
      : pieces(body._tag === "Bytes" ? body.bytes : none)) {
      yield chunk
      onSent((sent += chunk.length))
    }
  }
  const stream = Stream.fromAsyncIterable(counted(), (cause) => {
    const error = asSourceError(cause)
    onError(error)
    return error
  })
  // Node's client waits for its socket within a chunk of the stream only, not between two: so they go by twos.
  return HttpBody.stream(Stream.rechunk(stream, 2), "", size)
}

const none = new Uint8Array(0)
