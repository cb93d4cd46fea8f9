/**
 * Writing the body of one request to Node's socket: in pieces, with backpressure, and never more or less than declared.
 *
 * At most two pieces are on their way at once, so that one is written while the next is read. Nothing of Effect runs per
 * piece. All sizes are in bytes.
 */
import type { ClientRequest } from "node:http"
import { SourceError } from "../../core/model/OssError.ts"
import { type Body, bodySize } from "../../core/ports/Transport.ts"

// Bytes in memory are cut so that progress is smooth and an early answer is seen. Every cut costs: 1 GiB in five parts of 10 MiB at
// once takes 1.09 times the CPU in pieces of 1 MiB that it takes in whole parts. So pieces double while they are taken faster than
// 20 MiB/s, and a slow line sees small ones.
const piece = 1024 * 1024
const longestPiece = 4 * piece
const quickMillis = 50

function* pieces(content: Uint8Array): Generator<Uint8Array> {
  let size = piece
  for (let at = 0; at < content.length;) {
    const began = performance.now()
    yield content.subarray(at, (at += size))
    size = performance.now() - began < quickMillis ? Math.min(2 * size, longestPiece) : piece
  }
}

type Input = Iterator<Uint8Array> | AsyncIterator<Uint8Array>

/** Tells an iterator that no more is wanted. */
const release = async (input: Input): Promise<void> => {
  try {
    await input.return?.()
  } catch {
    // The request is over: how the iterator cleans up changes nothing for it.
  }
}

const source = "request body"

const asSourceError = (cause: unknown): SourceError =>
  cause instanceof SourceError
    ? cause
    : new SourceError({ reason: "Read", source, detail: cause instanceof Error ? cause.message : String(cause), cause })

const wrongSize = (size: number, found: string): SourceError =>
  new SourceError({ reason: "Changed", source, detail: `declared as ${size} bytes, but gave ${found}` })

/**
 * Starts to write `body` to the request, and ends the request once all of it is written. `onSent` is told the bytes the
 * operating system has taken so far. `onError` is called at most once, and then the request must be destroyed: it is
 * left unfinished, because the last bytes are only sent when the body has proved to be as long as declared.
 *
 * Answers a function that stops the writing at once and tells the iterator so. It does not wait for the iterator.
 */
export const write = (
  request: ClientRequest,
  body: Body,
  onSent: (bytes: number) => void,
  onError: (error: SourceError) => void
): (() => void) => {
  if (body._tag === "Empty" || (body._tag === "Bytes" && body.bytes.length <= piece)) {
    if (body._tag === "Empty" || body.bytes.length === 0) request.end()
    else request.end(body.bytes, () => onSent(body.bytes.length))
    return () => {}
  }

  const size = bodySize(body)
  let input: Input | undefined
  let stopped = false

  const stop = (): void => {
    stopped = true
    if (input !== undefined) void release(input)
    input = undefined
  }
  const fail = (cause: unknown): void => {
    if (stopped) return
    stop()
    onError(asSourceError(cause))
  }

  /** Bytes that the iterator has given. */
  let total = 0
  /** The chunk that it gave last, until it is written. */
  let held: Uint8Array = none
  let isLast = false
  /** The lengths of the chunks that are being written. */
  const writing: Array<number> = []
  let sent = 0

  // No promise but the iterator's: an upload has tens of thousands of chunks.
  const pull = (): void => {
    if (stopped) return
    try {
      input ??= body._tag === "Bytes" ? pieces(body.bytes) : body.chunks()[Symbol.asyncIterator]()
      Promise.resolve(input.next()).then(taken, fail)
    } catch (cause) {
      queueMicrotask(() => fail(cause)) // our caller is not ready for it yet
    }
  }

  const take = (next: IteratorResult<Uint8Array>): void => {
    if (stopped) return
    if (next.done === true) {
      input = undefined
      if (total < size) return fail(wrongSize(size, `only ${total}`))
      return void request.end()
    }
    held = next.value
    if (!ArrayBuffer.isView(held)) throw new TypeError("gave what is no Uint8Array")
    total += held.length
    if (total > size) return fail(wrongSize(size, "more"))
    isLast = total === size
    if (!isLast) inTurn(put)
    else if (writing.length === 0) inTurn(finish)
  }

  // An iterator written without types may give anything.
  const taken = (next: IteratorResult<Uint8Array>): void => {
    try {
      take(next)
    } catch (cause) {
      fail(cause)
    }
  }

  const put = (): void => {
    if (stopped) return
    try {
      if (held.length > 0) {
        request.write(held, written)
        writing.push(held.length)
      }
    } catch (cause) {
      return fail(cause)
    }
    if (writing.length < 2) pull()
  }

  /** The operating system has the piece, and its memory may be used again. */
  const written = (error: Error | null | undefined): void => {
    if (error) return
    onSent((sent += writing.shift() ?? 0))
    if (stopped) return
    if (isLast) {
      if (writing.length === 0) inTurn(finish)
    } else if (writing.length === 1) pull() // the next but one chunk may overwrite the one that was written
  }

  /** Sends the last chunk, if nothing comes after it. */
  const finish = (): void => {
    const sendLast = async (last: Uint8Array): Promise<void> => {
      for (;;) {
        if (stopped) return
        const next = await input?.next()
        if (stopped) return
        if (next === undefined || next.done === true) break
        if (next.value.length > 0) throw wrongSize(size, "more")
        // An empty chunk at the end. The one after it may overwrite the last, so that is copied.
        last = Uint8Array.from(last)
      }
      input = undefined
      request.end(last, () => onSent(size))
    }
    sendLast(held).catch(fail)
  }

  pull()
  return stop
}

const none = new Uint8Array(0)

/**
 * One turn of the event loop, before every piece. A server that refuses us may have answered and closed already; its
 * answer must be read before a write finds the connection broken, because that throws the answer away.
 */
const inTurn = setImmediate
