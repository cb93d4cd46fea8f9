/**
 * A request's body on its way to a file: counted, hashed and written as it comes, in memory that does not grow with it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Crc64 from "../../core/model/Crc64.ts"
import type * as Files from "./Files.ts"

/** A body that arrived whole. */
export interface Received {
  /** The name of the file; nothing refers to it yet. */
  readonly file: string
  /** Bytes. */
  readonly size: number
  /** 16 bytes. */
  readonly md5: Buffer
  readonly crc64: bigint
}

/** The connection broke off, or the body's framing is wrong. */
export class BodyBroken extends Data.TaggedError("BodyBroken")<{ readonly cause: unknown }> {}
/** More bytes came than are allowed. `limit` in bytes. */
export class BodyTooLong extends Data.TaggedError("BodyTooLong")<{ readonly limit: number }> {}

// Small chunks are gathered, so that the number of writes does not depend on how the client cut its bytes.
const gather = 256 * 1024

const write = async (handle: Fs.FileHandle, chunks: ReadonlyArray<Uint8Array>): Promise<void> => {
  // writev may write less than asked on a full disk; writeFile on a handle goes on until all is written.
  for (const chunk of chunks) await handle.writeFile(chunk)
}

const pump = async (
  body: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
  durable: boolean
): Promise<Omit<Received, "file">> => {
  const md5 = NodeCrypto.createHash("md5")
  const crc64 = Crc64.make()
  let size = 0
  let waiting: Array<Uint8Array> = []
  let waitingBytes = 0
  const handle = await Fs.open(path, "wx", 0o600)
  try {
    for await (const chunk of broken(body)) {
      size += chunk.length
      if (size > maxBytes) throw new BodyTooLong({ limit: maxBytes })
      md5.update(chunk)
      crc64.update(chunk)
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes < gather) continue
      await write(handle, waiting)
      waiting = []
      waitingBytes = 0
    }
    await write(handle, waiting)
    if (durable) await handle.sync()
  } finally {
    await handle.close()
  }
  return { size, md5: md5.digest(), crc64: crc64.digest() }
}

async function* broken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw cause instanceof BodyTooLong ? cause : new BodyBroken({ cause })
  }
}

/**
 * Writes a body to a new file; the chunks are kept for a moment, so their memory must not be reused. Failure removes the
 * file again. At most `maxBytes` bytes are taken. Not interruptible: whoever owns the body ends it by making it fail.
 */
export const receive = (
  files: Files.Files,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number
): Effect.Effect<Received, BodyBroken | BodyTooLong> =>
  Effect.gen(function* () {
    const file = yield* files.newBody()
    const received = yield* Effect.tryPromise({
      try: () => pump(body, files.bodyPath(file), maxBytes, files.durable),
      catch: (cause) => cause
    }).pipe(
      Effect.catchAll((cause) =>
        cause instanceof BodyBroken || cause instanceof BodyTooLong ? Effect.fail(cause) : Effect.die(cause)
      ),
      Effect.onError(() => files.removeBody(file))
    )
    yield* files.settleBody(file)
    return { file, ...received }
  }).pipe(Effect.uninterruptible)

/** Reads a short body into memory. */
export const collect = (
  body: AsyncIterable<Uint8Array>,
  maxBytes: number
): Effect.Effect<Buffer, BodyBroken | BodyTooLong> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      let size = 0
      for await (const chunk of broken(body)) {
        size += chunk.length
        if (size > maxBytes) throw new BodyTooLong({ limit: maxBytes })
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
    catch: (cause) => (cause instanceof BodyBroken || cause instanceof BodyTooLong ? cause : new BodyBroken({ cause }))
  })
