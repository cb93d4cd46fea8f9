/**
 * A file as the source of an upload, over `@effect/platform`'s FileSystem. All sizes and offsets are in bytes.
 *
 * The file is taken to be the same as long as its path, size, modification time and inode are the same. FileSystem tells
 * the time in milliseconds only: where files change often, take `FileSource` of adapters/node, which tells nanoseconds.
 * Every reading opens the file anew, because FileSystem's own handles read from one position at a time.
 */
import type * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { SourceError } from "../../core/model/OssError.ts"
import type { Source } from "../../core/ports/Source.ts"

const chunkSize = 256 * 1024

const asSourceError =
  (source: string) =>
  (cause: PlatformError.PlatformError | SourceError): SourceError => {
    if (cause._tag === "SourceError") return cause
    return cause._tag === "SystemError" && cause.reason === "NotFound"
      ? new SourceError({ reason: "NotFound", source, detail: "there is no such file", cause })
      : new SourceError({ reason: "Read", source, detail: `cannot be read: ${cause.message}`, cause })
  }

const identityOf = ({ ino, mtime, size }: FileSystem.File.Info): string =>
  [size, ...Option.toArray(Option.map(mtime, (time) => time.getTime())), ...Option.toArray(ino)].join(":")

/**
 * Describes the file as it is now. Fails with `NotFound`, or with `Read` for what cannot be read or is no regular file.
 * `open` fails with `Changed` when the path leads to another file by then, or to one that was written to.
 */
export const make = (path: string): Effect.Effect<Source, SourceError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const failed = asSourceError(path)
    const changed = (detail: string) => new SourceError({ reason: "Changed", source: path, detail })
    const resolved = yield* Effect.mapError(fileSystem.realPath(path), failed)
    const stat = Effect.mapError(fileSystem.stat(resolved), failed)
    const info = yield* stat
    if (info.type !== "File") {
      const detail = info.type === "Directory" ? "is a directory" : "is no regular file, so its size is not known"
      return yield* new SourceError({ reason: "Read", source: path, detail })
    }
    const identity = identityOf(info)

    const unchanged = Effect.matchEffect(stat, {
      onFailure: (error) =>
        Effect.fail(error.reason === "NotFound" ? changed("was removed since it was described") : error),
      onSuccess: (now) =>
        identityOf(now) === identity ? Effect.void : Effect.fail(changed("has changed since it was described"))
    })

    /** Fails with `Changed` when the file ends before `length` bytes; before the last chunk, `check` must hold. */
    const read = (offset: number, length: number, check: Effect.Effect<void, SourceError>) => {
      let total = 0
      return fileSystem.stream(resolved, { offset, bytesToRead: length, chunkSize }).pipe(
        Stream.mapError(failed),
        Stream.mapEffect((chunk) => {
          total += chunk.length
          return total < length ? Effect.succeed(chunk) : Effect.as(check, chunk)
        }),
        Stream.concat(
          Stream.execute(
            Effect.suspend(() =>
              total < length
                ? Effect.fail(changed(`ends at byte ${offset + total}, ${length - total} bytes too early`))
                : Effect.void
            )
          )
        )
      )
    }

    return {
      name: path,
      size: Number(info.size),
      fingerprint: `file:${resolved}:${identity}`,
      open: Effect.as(unchanged, {
        read: (offset, target) => {
          let at = 0
          return Stream.runForEach(read(offset, target.length, Effect.void), (chunk) =>
            Effect.sync(() => {
              target.set(chunk, at)
              at += chunk.length
            })
          )
        },
        chunks: (offset, length) => iterate(Stream.suspend(() => read(offset, length, unchanged))),
        unchanged
      })
    }
  })

/** Errors are thrown as they are: `Stream.toAsyncIterable` would throw a FiberFailure around them. */
async function* iterate(stream: Stream.Stream<Uint8Array, SourceError>): AsyncGenerator<Uint8Array, void> {
  const outcomes = Stream.either(stream)
  for await (const outcome of Stream.toAsyncIterable(outcomes)) {
    if (outcome._tag === "Left") throw outcome.left
    yield outcome.right
  }
}
