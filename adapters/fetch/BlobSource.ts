/**
 * The port `Source` over a Blob, and so over the File that a person has chosen. Nothing is read before it is sent.
 *
 * A browser's File is a view of a file on disk: when that changes, reading fails with `NotReadableError`, here `Changed`. Sizes
 * and offsets are in bytes. Source: File API, https://w3c.github.io/FileAPI (§ "Reading a File", snapshot state).
 */
import * as Effect from "effect/Effect"
import { SourceError } from "../../core/model/OssError.ts"
import type { Reader, Source } from "../../core/ports/Source.ts"

/** How many bytes are read at once. */
const chunkSize = 256 * 1024

const isFile = (blob: Blob): blob is File => "name" in blob && "lastModified" in blob

/**
 * A source of a Blob or File. `name` defaults to the file's own. The fingerprint is made of name, size, type and time of
 * modification: a browser tells no more of a file, so a file changed within the same millisecond and size looks the same.
 */
export const make = (blob: Blob, name = isFile(blob) ? blob.name : "blob"): Source => ({
  name,
  size: blob.size,
  fingerprint: fingerprint(blob, name),
  open: Effect.succeed(reader(blob, name))
})

/** What tells one file from another: `blob:` and name, size, type and modification time in milliseconds since 1970. */
export const fingerprint = (blob: Blob, name = isFile(blob) ? blob.name : "blob"): string =>
  `blob:${JSON.stringify([name, blob.size, blob.type, isFile(blob) ? blob.lastModified : 0])}`

const reader = (blob: Blob, name: string): Reader => {
  const changed = (detail: string, cause?: unknown) =>
    new SourceError({ reason: "Changed", source: name, detail, ...(cause === undefined ? {} : { cause }) })
  const asSourceError = (cause: unknown): SourceError => {
    if (cause instanceof SourceError) return cause
    // What browsers throw when the file on disk is no longer the one that was chosen.
    if (cause instanceof Error && (cause.name === "NotReadableError" || cause.name === "NotFoundError")) {
      return changed("the file changed or went away since it was chosen", cause)
    }
    return new SourceError({ reason: "Read", source: name, detail: String(cause), cause })
  }

  /** A piece, whole. */
  const piece = async (offset: number, length: number): Promise<Uint8Array> => {
    if (offset + length > blob.size) throw changed(`holds only ${blob.size} bytes`)
    const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    if (bytes.length !== length) throw changed(`gave ${bytes.length} bytes of ${length} at ${offset}`)
    return bytes
  }

  async function* chunks(offset: number, length: number): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < length; at += chunkSize) yield await piece(offset + at, Math.min(chunkSize, length - at))
    } catch (cause) {
      throw asSourceError(cause)
    }
  }

  return {
    read: (offset, target) =>
      Effect.tryPromise({
        try: async () => target.set(await piece(offset, target.length)),
        catch: asSourceError
      }),
    chunks,
    // The host itself refuses to read a file that has changed, so reading one byte asks it.
    unchanged: Effect.tryPromise({ try: () => piece(0, Math.min(1, blob.size)), catch: asSourceError })
  }
}
