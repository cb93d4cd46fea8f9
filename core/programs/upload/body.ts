/**
 * What a request sends of a source, in one piece out of memory or chunk by chunk, with its CRC-64 taken on the way. Every
 * attempt starts afresh.
 */
import * as Effect from "effect/Effect"
import * as Crc64 from "../../model/Crc64.ts"
import type { SourceError } from "../../model/OssError.ts"
import type { ChunkMemory, Reader, Source } from "../../ports/Source.ts"
import * as Transport from "../../ports/Transport.ts"
import * as AtOnce from "../atOnce.ts"

/** Sources up to this many bytes are held in memory and sent in one write. */
const oneWrite = 256 * 1024

export interface MeasuredBody {
  readonly body: Transport.Body
  /** CRC-64 of what the last finished attempt sent. */
  readonly crc64: () => bigint
}

/** A whole source. Opens nothing: `reader` must stay open while the body is in use. */
export const measured = (source: Source, reader: Reader): Effect.Effect<MeasuredBody, SourceError> => {
  if (source.size > oneWrite) return Effect.succeed(inChunks(reader, 0, source.size))
  const { unchanged, view } = reader
  if (view === undefined) return readAhead(source, reader)
  return AtOnce.flatMap(unchanged, () => Effect.succeed(inMemory(view(0, source.size))))
}

const readAhead = (source: Source, reader: Reader): Effect.Effect<MeasuredBody, SourceError> =>
  Effect.suspend(() => {
    const content = new Uint8Array(source.size)
    return Effect.map(Effect.zipRight(reader.read(0, content), reader.unchanged), () => inMemory(content))
  })

/** Bytes in memory, which must not be changed while the body is in use. */
export const inMemory = (content: Uint8Array): MeasuredBody => {
  const crc64 = Crc64.of(content)
  return { body: Transport.bytes(content), crc64: () => crc64 }
}

/** So many bytes of a source, read again for each attempt; into `memory`, if that is lent. */
export const inChunks = (reader: Reader, offset: number, size: number, memory?: ChunkMemory): MeasuredBody => {
  let crc64 = 0n
  // An iterator by hand: an async generator takes more memory for each chunk, and time with it.
  const chunks = (): AsyncIterableIterator<Uint8Array> => {
    const hasher = Crc64.make()
    const source = reader.chunks(offset, size, memory)[Symbol.asyncIterator]()
    const seen = (result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> => {
      if (result.done === true) crc64 = hasher.digest()
      else hasher.update(result.value)
      return result
    }
    const iterator = {
      next: () => source.next().then(seen),
      return: () =>
        source.return?.() ?? Promise.resolve<IteratorReturnResult<undefined>>({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator
    }
    return iterator
  }
  return { body: { _tag: "Chunks", size, chunks }, crc64: () => crc64 }
}

/** CRC-64 of so many bytes of a source, without sending them. */
export const crc64OfChunks = (
  reader: Reader,
  offset: number,
  size: number,
  memory?: ChunkMemory
): Effect.Effect<bigint, SourceError> =>
  Effect.tryPromise({
    try: async (signal) => {
      const hasher = Crc64.make()
      for await (const chunk of reader.chunks(offset, size, memory)) {
        if (signal.aborted) break
        hasher.update(chunk)
      }
      return hasher.digest()
    },
    catch: (cause) => cause as SourceError // what chunks throw, by their port's promise
  })
