/**
 * Where the bytes of an upload come from: something of a known size that can be read at any offset, more than once.
 *
 * A `Source` is a description; `open` gives a reader for the length of a scope. All sizes and offsets are in bytes.
 * Counterparts: adapters/node (files). In memory: `bytes`, `text`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SourceError } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"

export interface Source {
  /** For messages: a path, or the kind of source. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Equal when the bytes can be taken to be equal; for a file: path, size, modification time, inode. */
  readonly fingerprint: string
  /** How a part is best held while it is sent, where the caller does not say: see `MultipartOptions.buffer`. */
  readonly buffer?: "part" | "chunk" | undefined
  readonly open: Effect.Effect<Reader, SourceError, Scope.Scope>
}

export interface Reader {
  /**
   * Fills `target` from `offset` on. Fails with `Changed` when the source ends before `target` is full: a source that
   * shrank must not become a shorter object.
   */
  readonly read: (offset: number, target: Uint8Array) => Effect.Effect<void, SourceError>
  /** Memory to `read` into, so many bytes, where some suits better than other. It is its caller's. */
  readonly allocate?: ((size: number) => Uint8Array) | undefined
  /** The bytes from `offset` on, `length` of them, where they lie: for a source in memory, whose bytes stay as they are. */
  readonly view?: ((offset: number, length: number) => Uint8Array) | undefined
  /**
   * The bytes from `offset` on, `length` of them, in chunks; each call starts afresh. Errors are thrown as `SourceError`.
   * A chunk's memory is reused: it is valid until the second `next()` after the one that gave it. Before the last chunk,
   * the source is found `unchanged`: while it is held back the server has no whole object, so a change stores nothing.
   *
   * Who sends one body after another may lend memory: the chunks may then lie in it, and are valid until it is lent again.
   * Who does so asks `unchanged` before the bodies become an object: the chunks themselves may ask less often then.
   */
  readonly chunks: (offset: number, length: number, memory?: ChunkMemory) => AsyncIterable<Uint8Array>
  /** Fails with `Changed` when the source is no longer what it was when it was described. */
  readonly unchanged: Effect.Effect<void, SourceError>
}

/** What a reader keeps from one `chunks` to the next, so that it need not allocate. Only the reader looks into it. */
export interface ChunkMemory {
  /** The most bytes that a chunk should have, where the reader has the choice; `undefined` for as many as suit it. */
  readonly chunkSize: number | undefined
  buffers: ReadonlyArray<Uint8Array>
  /** Whether an iterator that was given it is not over yet: then another may not have it. */
  isTaken: boolean
}

/** Memory to lend, empty as yet, for chunks of at most so many bytes. */
export const chunkMemory = (chunkSize?: number): ChunkMemory => ({ chunkSize, buffers: [], isTaken: false })

/** Bytes in memory. They must not be changed until the upload is over. */
export const bytes = (content: Uint8Array, name = "bytes"): Source => {
  const view = (offset: number, length: number) => content.subarray(offset, offset + length)
  return {
    name,
    size: content.length,
    fingerprint: `bytes:${content.length}`,
    open: Effect.succeed({
      read: (offset, target) =>
        offset + target.length > content.length
          ? Effect.fail(
              new SourceError({ reason: "Changed", source: name, detail: `holds only ${content.length} bytes` })
            )
          : Effect.sync(() => target.set(view(offset, target.length))),
      view,
      chunks: (offset, length) => memoryChunks(view(offset, length)),
      unchanged: Effect.void
    })
  }
}

/** A text in memory, as UTF-8. */
export const text = (content: string, name = "text"): Source => bytes(Utf8.encode(content), name)

const memoryChunk = 256 * 1024

async function* memoryChunks(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += memoryChunk) yield content.subarray(at, at + memoryChunk)
}
