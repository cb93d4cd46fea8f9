/**
 * The port `CheckpointStore` on files: for each destination one JSON file, named by the SHA-256 of its identity, and beside
 * it the lock of the upload that runs.
 *
 * Made for several processes, and for crashes at any instruction: a checkpoint is the old one or the new one, whole
 * (AtomicFile), and a dead process's lock is broken by the next one that wants it (FolderLock). Nothing runs in the
 * background. Folders are made with mode 0700, files with 0600: no secret is in them, but names are.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import * as Fs from "node:fs/promises"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import * as Checkpoint from "../../core/model/Checkpoint.ts"
import { CheckpointError } from "../../core/model/OssError.ts"
import * as Utf8 from "../../core/model/Utf8.ts"
import { CheckpointStore, type Handle, type Service } from "../../core/ports/CheckpointStore.ts"
import * as AtomicFile from "./AtomicFile.ts"
import * as FolderLock from "./FolderLock.ts"

export interface Options {
  /** Where the files are kept; made when it is missing. Default: `.effect-oss/checkpoints` in the user's home. */
  readonly directory?: string | undefined
  /**
   * What `load` does with a file that is no checkpoint: rename it to end in `.corrupt`, log a warning and find no
   * checkpoint (default), or fail with `Corrupt` and leave it.
   */
  readonly onCorrupt?: "set-aside" | "fail" | undefined
}

const attempt = <A>(reason: "Read" | "Write", what: string, run: () => Promise<A>): Effect.Effect<A, CheckpointError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      return new CheckpointError({ reason, detail: `cannot ${what}: ${why}`, cause })
    }
  })

const openDirectory = (directory: string | undefined) =>
  attempt("Write", `make the folder ${directory ?? "for checkpoints in the user's home"}`, async () => {
    const path = directory ?? join(homedir(), ".effect-oss", "checkpoints")
    await Fs.mkdir(path, { recursive: true, mode: 0o700 })
    return path
  })

/** A lock that is ours, and the turn of those who use what it guards. */
interface Held {
  readonly path: string
  readonly lock: FolderLock.FolderLock
  readonly turn: Effect.Semaphore
}

const lock = (path: string): Effect.Effect<Held, CheckpointError> =>
  attempt("Write", `take the lock ${path}`, () => FolderLock.take(path)).pipe(
    Effect.flatMap((taken) =>
      "detail" in taken
        ? Effect.fail(new CheckpointError({ reason: "Locked", detail: taken.detail }))
        : Effect.map(Effect.makeSemaphore(1), (turn) => ({ path, lock: taken, turn }))
    )
  )

/** Waits for a use that is still under way. */
const unlock = (held: Held): Effect.Effect<void> =>
  attempt("Write", `give back the lock ${held.path}, which holds until this process ends`, held.lock.release).pipe(
    Effect.catchAll((error) => Effect.logWarning(error.message)),
    held.turn.withPermits(1)
  )

/** What belongs to other destinations is left over when nobody has touched it for so many milliseconds. */
const leftoverAge = 60 * 60 * 1000

/**
 * Deletes what crashed processes left: of `file` every temporary file, because only the holder of its lock writes any; of
 * others what is old. What cannot be deleted does no harm.
 */
const sweep = async (directory: string, file: string): Promise<void> => {
  for (const name of await Fs.readdir(directory)) {
    if (![AtomicFile.temporaryEnding, FolderLock.claimEnding].some((ending) => name.endsWith(ending))) continue
    const path = join(directory, name)
    try {
      const left = path.startsWith(`${file}.`) || Date.now() - (await Fs.stat(path)).mtimeMs > leftoverAge
      if (left) await Fs.rm(path, { recursive: true, force: true })
    } catch {
      // Another process was faster, or may, and will.
    }
  }
}

const readIfAny = (file: string): Promise<Option.Option<Uint8Array>> =>
  Fs.readFile(file).then(Option.some, (cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return Option.none()
    throw cause
  })

const decode = (bytes: Uint8Array): Either.Either<Checkpoint.Checkpoint, CheckpointError> =>
  Option.match(Utf8.decode(bytes), {
    onNone: () => Either.left(new CheckpointError({ reason: "Corrupt", detail: "it is not UTF-8" })),
    onSome: Checkpoint.decode
  })

const load = (file: string, onCorrupt: Options["onCorrupt"]) =>
  Effect.gen(function* () {
    const bytes = yield* attempt("Read", `read ${file}`, () => readIfAny(file))
    const checkpoint = Either.transposeMapOption(bytes, decode)
    if (Either.isRight(checkpoint)) return checkpoint.right
    const why = `${file} is no checkpoint: ${checkpoint.left.detail}`
    if (onCorrupt === "fail") return yield* new CheckpointError({ reason: "Corrupt", detail: why })
    yield* attempt("Write", `set ${file} aside`, () => Fs.rename(file, `${file}.corrupt`))
    yield* Effect.logWarning(
      `${why}; renamed to end in .corrupt. Parts that its upload sent are at OSS until it is aborted`
    )
    return Option.none<Checkpoint.Checkpoint>()
  })

/** The handle of one run: its uses come one at a time, in the order of the calls, and go to their end. */
const handle = (file: string, held: Held, onCorrupt: Options["onCorrupt"]): Handle => {
  const lost = () =>
    new CheckpointError({
      reason: "Locked",
      detail: `this run no longer holds the lock ${held.path}: it gave it back, or somebody deleted it`
    })
  const inTurn = <A>(use: Effect.Effect<A, CheckpointError>): Effect.Effect<A, CheckpointError> =>
    attempt("Read", `look at the lock ${held.path}`, held.lock.isHeld).pipe(
      Effect.flatMap((isHeld) => (isHeld ? use : Effect.fail(lost()))),
      Effect.uninterruptible,
      held.turn.withPermits(1)
    )
  return {
    load: inTurn(load(file, onCorrupt)),
    save: (checkpoint) =>
      inTurn(attempt("Write", `write ${file}`, () => AtomicFile.write(file, Checkpoint.encode(checkpoint)))),
    remove: inTurn(attempt("Write", `delete ${file}`, () => AtomicFile.remove(file)))
  }
}

/** The store on files. Makes nothing before the first `acquire`. */
export const make = (options?: Options): Service => {
  const chosen = options?.directory === undefined ? undefined : resolve(options.directory)
  return {
    acquire: (identity) =>
      Effect.gen(function* () {
        const directory = yield* openDirectory(chosen)
        const name = createHash("sha256").update(identity).digest("hex")
        const file = join(directory, `${name}.json`)
        const held = yield* Effect.acquireRelease(lock(join(directory, `${name}.lock`)), unlock)
        yield* Effect.ignore(attempt("Write", `sweep ${directory}`, () => sweep(directory, file)))
        return handle(file, held, options?.onCorrupt)
      })
  }
}

/** `make` as a layer. */
export const layer = (options?: Options): Layer.Layer<CheckpointStore> =>
  Layer.sync(CheckpointStore, () => make(options))
