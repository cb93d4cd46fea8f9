/**
 * A request's body on its way to a file: counted, hashed and written as it comes, in memory that does not grow with it.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import type * as Files from "./Files.ts"
import type * as Http from "./Http.ts"
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

// What `take` fails with is told as it is; all else is the body's.
const each = async (body: Http.Incoming, take: Http.Take): Promise<void> => {
  let refused: { readonly cause: unknown } | undefined
  const refuse = (cause: unknown): never => {
    refused = { cause }
    throw cause
  }
  const taking: Http.Take = (chunk) => {
    try {
      return take(chunk)?.catch(refuse)
    } catch (cause) {
      return refuse(cause)
    }
  }
  try {
    if (body.each !== undefined) return await body.each(taking)
    for await (const chunk of body) await taking(chunk)
  } catch (cause) {
    throw refused === undefined ? new BodyBroken({ cause }) : refused.cause
  }
}

const pump = async (
  body: Http.Incoming,
  path: string,
  maxBytes: number,
  settle: (file: Fs.FileHandle) => Promise<void>
): Promise<Stages.Sums> => {
  const handle = await Fs.open(path, "wx", 0o600)
  const stages = Stages.make(handle)
  try {
    await each(body, (chunk) => {
      if (stages.size + chunk.length > maxBytes) throw new BodyTooLong({ limit: maxBytes })
      return stages.add(chunk)
    })
    const received = await stages.end()
    await settle(handle)
    return received
  } finally {
    await stages.close()
    await handle.close()
  }
}

/**
 * Writes a body to a new file. Chunks are copied, so their memory may be used again. Failure removes the file. At most
 * `maxBytes` bytes are taken. Not interruptible: whoever owns the body ends it by making it fail.
 */
export const receive = (
  files: Files.Files,
  body: Http.Incoming,
  maxBytes: number
): Effect.Effect<Received, BodyBroken | BodyTooLong> =>
  Effect.gen(function* () {
    const file = yield* files.newBody()
    const received = yield* Effect.tryPromise({
      try: () => pump(body, files.bodyPath(file), maxBytes, (handle) => files.settleBody(file, handle)),
      catch: (cause) => cause
    }).pipe(
      Effect.catchAll((cause) =>
        cause instanceof BodyBroken || cause instanceof BodyTooLong ? Effect.fail(cause) : Effect.die(cause)
      ),
      Effect.onError(() => files.removeBody(file))
    )
    return { file, ...received }
  }).pipe(Effect.uninterruptible)

/** Reads a short body into memory. */
export const collect = (body: Http.Incoming, maxBytes: number): Effect.Effect<Buffer, BodyBroken | BodyTooLong> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      let size = 0
      await each(body, (chunk) => {
        size += chunk.length
        if (size > maxBytes) throw new BodyTooLong({ limit: maxBytes })
        chunks.push(Uint8Array.from(chunk))
        return undefined
      })
      return Buffer.concat(chunks)
    },
    catch: (cause) => (cause instanceof BodyBroken || cause instanceof BodyTooLong ? cause : new BodyBroken({ cause }))
  })
