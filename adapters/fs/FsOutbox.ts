/**
 * The port `Outbox` on files: one JSON file for each callback that waits, named by its ID.
 *
 * Made for several processes, and for crashes at any instruction: an entry is there whole or not at all (AtomicFile), and
 * two processes that put or remove the same one agree. Folders are made with mode 0700, files with 0600: they may hold
 * one-time tokens.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { StoreError } from "../../core/model/OssError.ts"
import * as Undelivered from "../../core/model/Undelivered.ts"
import { inOrder, Outbox, type Service } from "../../core/ports/Outbox.ts"
import * as AtomicFile from "./AtomicFile.ts"

export interface Options {
  /** Where the files are kept; made when it is missing. Default: `.effect-oss/outbox` in the user's home. */
  readonly directory?: string | undefined
}

const ending = ".json"

const attempt = <A>(reason: "Read" | "Write", what: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      return new StoreError({ store: "Outbox", reason, detail: `cannot ${what}: ${why}`, cause })
    }
  })

/** `undefined` where there is no such file or folder. */
const orNone = <A>(reading: Promise<A>): Promise<A | undefined> =>
  reading.catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })

const read = (file: string) =>
  Effect.gen(function* () {
    const text = yield* attempt("Read", `read ${file}`, () => orNone(Fs.readFile(file, "utf8")))
    if (text === undefined) return [] // removed by another process meanwhile
    const entry = Undelivered.decode(text)
    if (Either.isRight(entry)) return [entry.right]
    yield* Effect.logWarning(`${file} is left out of the outbox: ${entry.left}`)
    return []
  })

/** The outbox on files. Makes nothing before the first `put`. */
export const make = (options?: Options): Service => {
  const directory = resolve(options?.directory ?? join(homedir(), ".effect-oss", "outbox"))
  const fileOf = (id: string) => join(directory, `${id}${ending}`)
  return {
    put: (entry) =>
      attempt("Write", `write ${fileOf(entry.id)}`, async () => {
        await Fs.mkdir(directory, { recursive: true, mode: 0o700 })
        await AtomicFile.write(fileOf(entry.id), Undelivered.encode(entry))
      }).pipe(Effect.uninterruptible),
    remove: (id) =>
      attempt("Write", `delete ${fileOf(id)}`, async () => {
        await orNone(AtomicFile.remove(fileOf(id)))
      }).pipe(Effect.uninterruptible),
    list: attempt("Read", `list ${directory}`, () => orNone(Fs.readdir(directory))).pipe(
      Effect.map((names = []) => names.filter((name) => name.endsWith(ending))),
      Effect.flatMap(Effect.forEach((name) => read(join(directory, name)), { concurrency: 16 })),
      Effect.map((found) => inOrder(found.flat()))
    )
  }
}

/** `make` as a layer. */
export const layer = (options?: Options): Layer.Layer<Outbox> => Layer.sync(Outbox, () => make(options))
