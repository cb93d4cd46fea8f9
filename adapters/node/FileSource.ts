/**
 * A file as the source of an upload. All sizes and offsets are in bytes.
 *
 * The file is taken to be the same as long as its path, size, modification time (in nanoseconds) and inode are the same.
 * That cannot tell a change that puts the old time back and keeps the size.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { BigIntStats } from "node:fs"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Crc64 from "../../core/model/Crc64.ts"
import { SourceError } from "../../core/model/OssError.ts"
import type { Reader, Source } from "../../core/ports/Source.ts"
import { Waiting } from "../../core/programs/waiting.ts"
import * as FileChunks from "./FileChunks.ts"
import * as OpenFile from "./OpenFile.ts"

/**
 * Describes the file as it is now. Fails with `NotFound`, or with `Read` for what cannot be read or is no regular file.
 * `open` fails with `Changed` when the path leads to another file by then, or to one that was written to.
 */
export const make = (path: string): Effect.Effect<Source, SourceError> =>
  Effect.gen(function* () {
    const file: File = { name: path, resolved: Path.resolve(path), identity: "" }
    const stats = yield* attempt(file, () => Fs.stat(file.resolved, { bigint: true }))
    if (!stats.isFile()) {
      const detail = stats.isDirectory() ? "is a directory" : "is no regular file, so its size is not known"
      return yield* new SourceError({ reason: "Read", source: path, detail })
    }
    const described = { ...file, identity: identityOf(stats) }
    return {
      name: path,
      size: Number(stats.size),
      fingerprint: `file:${described.resolved}:${described.identity}`,
      // As fast as whole parts (FileChunks.ts), in less memory.
      buffer: "chunk",
      open: Effect.acquireRelease(
        attempt(described, async () => OpenFile.make(await Fs.open(described.resolved, "r"))),
        // A failure loses nothing, because nothing was written.
        (opened) => Effect.ignore(Effect.tryPromise(() => opened.close()))
      ).pipe(
        Effect.map((opened) => reader(described, opened)),
        Effect.tap(({ unchanged }) => unchanged)
      )
    }
  })

/** What was described. */
interface File {
  /** The path as the user wrote it, for messages. */
  readonly name: string
  readonly resolved: string
  readonly identity: string
}

const identityOf = ({ ino, mtimeNs, size }: BigIntStats): string => `${size}:${mtimeNs}:${ino}`

const changed = (file: File, detail: string): SourceError =>
  new SourceError({ reason: "Changed", source: file.name, detail })

const asSourceError = (file: File, cause: unknown): SourceError => {
  if (cause instanceof SourceError) return cause
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  return code === "ENOENT" || code === "ENOTDIR"
    ? new SourceError({ reason: "NotFound", source: file.name, detail: "there is no such file", cause })
    : new SourceError({
        reason: "Read",
        source: file.name,
        detail: `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause
      })
}

const attempt = <A>(file: File, act: () => Promise<A>): Effect.Effect<A, SourceError> =>
  Effect.tryPromise({ try: act, catch: (cause) => asSourceError(file, cause) })

/** Milliseconds from one look at the path to the next, while bodies are sent that become nothing before a last look. */
const betweenParts = 1000

const reader = (file: File, opened: OpenFile.OpenFile): Reader => {
  // Opened was what had been described: from then on, whatever happens to it shows by its path.
  const verify = () => unchangedAtPath(file)
  let verifiedAt = -Infinity
  const verifyAgain = () => {
    const now = performance.now()
    if (now - verifiedAt < betweenParts) return undefined
    verifiedAt = now
    return verify()
  }
  const failure = (error: Error | undefined, at: number, missing: number) =>
    error === undefined ? changed(file, `ends at byte ${at}, ${missing} bytes too early`) : asSourceError(file, error)
  return {
    // A read under way goes on writing into `target`, which its owner would use for something else.
    read: (offset, target) =>
      new Waiting<void, SourceError>((done) => {
        let isOver = false
        let ended = () => {}
        opened.fill(offset, target, (error, filled) => {
          isOver = true
          const isWhole = error === undefined && filled === target.length
          done(isWhole ? Exit.void : Exit.fail(failure(error, offset + filled, target.length - filled)))
          ended()
        })
        return () => (isOver ? undefined : (resume) => void (ended = resume))
      }),
    allocate: (size) => Crc64.buffers(1, size)[0]!, // one was asked for
    chunks: (offset, length, memory) => {
      const input = { file: opened, failure, verify: memory === undefined ? verify : verifyAgain }
      return FileChunks.make(input, offset, length, memory)
    },
    unchanged: attempt(file, () => unchanged(file, opened))
  }
}

/**
 * Asks by the handle, for another file that was there only while it was opened; and by the path. Rejects with `SourceError`,
 * or with what the system says.
 */
const unchanged = async (file: File, { handle }: OpenFile.OpenFile): Promise<void> => {
  const opened = await handle.stat({ bigint: true })
  if (identityOf(opened) !== file.identity) throw changed(file, "has changed since it was described")
  await unchangedAtPath(file)
}

/** Asks by the path, for a file written to or another renamed over it. Rejects with `SourceError`. */
const unchangedAtPath = async (file: File): Promise<void> => {
  const found = await Fs.stat(file.resolved, { bigint: true }).catch((cause) => {
    const error = asSourceError(file, cause)
    throw error.reason === "NotFound" ? changed(file, "was removed since it was described") : error
  })
  if (identityOf(found) === file.identity) return
  const what = file.identity.endsWith(`:${found.ino}`) ? "has changed" : "was replaced"
  throw changed(file, `${what} since it was described`)
}
