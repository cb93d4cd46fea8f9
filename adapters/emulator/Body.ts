/**
 * A request's body on its way to a file: counted, hashed and written as it comes, in memory that does not grow with it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import type * as Files from "./Files.ts"
import * as Stages from "./Stages.ts"

/** A body that arrived whole. */
export interface Received extends Stages.Sums {
  /** The name of the file; nothing refers to it yet. */
  readonly file: string
}

/** The connection broke off, or the body's framing is wrong. */
export class BodyBroken extends Data.TaggedError("BodyBroken")<{ readonly cause: unknown }> {}
/** More bytes came than are allowed. `limit` in bytes. */
export class BodyTooLong extends Data.TaggedError("BodyTooLong")<{ readonly limit: number }> {}

const pump = async (
  body: AsyncIterable<Uint8Array>,
  path: string,
  maxBytes: number,
  durable: boolean
): Promise<Stages.Sums> => {
  const handle = await Fs.open(path, "wx", 0o600)
  const stages = Stages.make(handle)
  try {
    for await (const chunk of broken(body)) {
      if (stages.size + chunk.length > maxBytes) throw new BodyTooLong({ limit: maxBytes })
      await stages.add(chunk)
    }
    const received = await stages.end()
    if (durable) await handle.sync()
    return received
  } finally {
    await stages.close()
    await handle.close()
  }
}

async function* broken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw cause instanceof BodyTooLong ? cause : new BodyBroken({ cause })
  }
}

/**
 * Writes a body to a new file. Chunks are copied, so their memory may be used again. Failure removes the file. At most
 * `maxBytes` bytes are taken. Not interruptible: whoever owns the body ends it by making it fail.
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
