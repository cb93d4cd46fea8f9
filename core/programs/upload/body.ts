/**
 * The body of a request that sends a whole source: in one piece when it is small, else chunk by chunk, with its CRC-64
 * taken on the way. Every attempt starts afresh.
 */
import * as Effect from "effect/Effect"
import * as Crc64 from "../../model/Crc64.ts"
import type { SourceError } from "../../model/OssError.ts"
import type { Reader, Source } from "../../ports/Source.ts"
import * as Transport from "../../ports/Transport.ts"

/** Sources up to this many bytes are read into memory and sent in one write. */
const oneWrite = 256 * 1024

export interface MeasuredBody {
  readonly body: Transport.Body
  /** CRC-64 of what the last finished attempt sent. */
  readonly crc64: () => bigint
}

/** Opens nothing: `reader` must stay open while the body is in use. */
export const measured = (source: Source, reader: Reader): Effect.Effect<MeasuredBody, SourceError> =>
  source.size <= oneWrite ? inMemory(source, reader) : Effect.succeed(inChunks(source, reader))

const inMemory = (source: Source, reader: Reader): Effect.Effect<MeasuredBody, SourceError> =>
  Effect.gen(function* () {
    const content = new Uint8Array(source.size)
    yield* reader.read(0, content)
    yield* reader.unchanged
    const crc64 = Crc64.of(content)
    return { body: Transport.bytes(content), crc64: () => crc64 }
  })

const inChunks = (source: Source, reader: Reader): MeasuredBody => {
  let crc64 = 0n
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const hasher = Crc64.make()
    for await (const chunk of reader.chunks(0, source.size)) {
      hasher.update(chunk)
      yield chunk
    }
    crc64 = hasher.digest()
  }
  return { body: { _tag: "Chunks", size: source.size, chunks }, crc64: () => crc64 }
}
