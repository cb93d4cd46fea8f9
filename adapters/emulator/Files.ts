/**
 * Files written so that a crash at any instruction leaves either the old state or the new one.
 *
 * A document is written beside, flushed, and renamed over the old one, then the folder is flushed. Nothing names a file of
 * bytes before it is whole. Errors of the file system are defects: an emulator whose disk fails has no better answer
 * than 500.
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"

export interface Files {
  readonly root: string
  /** Replaces a document, in a folder that is created when it is not there. */
  readonly writeDocument: (path: string, text: string) => Effect.Effect<void>
  /** Creates a folder and those above it. */
  readonly ensureFolder: (path: string) => Effect.Effect<void>
  /** A name that no file has yet, in the folder of bodies. */
  readonly newBody: () => Effect.Effect<string>
  /** Flushes the body and the folder that holds it: after this a crash can lose neither the bytes nor their name. */
  readonly settleBody: (name: string, file: Fs.FileHandle) => Promise<void>
  /** Removes a document, for good. */
  readonly removeDocument: (path: string) => Effect.Effect<void>
  /** Removes a body; no matter if it is gone. */
  readonly removeBody: (name: string) => Effect.Effect<void>
  /** Removes a folder of documents and all in it; no matter if it is gone. */
  readonly removeFolder: (path: string) => Effect.Effect<void>
  readonly bodyPath: (name: string) => string
}

export const bodies = "bodies"
export const temporary = "tmp"

const flushFolder = async (path: string): Promise<void> => {
  const folder = await Fs.open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const unlink = async (path: string): Promise<void> => {
  try {
    await Fs.unlink(path)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause
  }
}

const replace = async (temporaryPath: string, path: string, text: string): Promise<void> => {
  try {
    const file = await Fs.open(temporaryPath, "wx", 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await Fs.rename(temporaryPath, path)
  } catch (cause) {
    await Fs.rm(temporaryPath, { force: true })
    throw cause
  }
  await flushFolder(Path.dirname(path))
}

/**
 * The files below `root`. With `durable` every write is flushed to the disk (about 1 ms each on an SSD), which only a
 * loss of power needs: a killed process loses nothing that was written. Without it the folder goes with its process, so
 * nobody would ever read documents, and there are none.
 */
export const make = (root: string, durable: boolean): Files => {
  const known = new Set<string>()
  const created = async (path: string) => {
    if (known.has(path)) return
    await Fs.mkdir(path, { recursive: true, mode: 0o700 })
    if (durable) await flushFolder(Path.dirname(path))
    known.add(path)
  }
  const ensureFolder = (path: string) => Effect.promise(() => created(path))
  const ifDurable = (work: () => Promise<void>): Effect.Effect<void> => (durable ? Effect.promise(work) : Effect.void)
  const bodyPath = (name: string) => Path.join(root, bodies, name.slice(0, 2), name)
  return {
    root,
    ensureFolder,
    bodyPath,
    writeDocument: (path, text) =>
      ifDurable(async () => {
        await created(Path.dirname(path))
        await replace(Path.join(root, temporary, NodeCrypto.randomUUID()), path, text)
      }),
    newBody: () => {
      const name = NodeCrypto.randomBytes(16).toString("hex")
      return Effect.as(ensureFolder(Path.dirname(bodyPath(name))), name)
    },
    settleBody: async (name, file) => {
      if (durable) await Promise.all([file.sync(), flushFolder(Path.dirname(bodyPath(name)))])
    },
    removeDocument: (path) =>
      ifDurable(async () => {
        await unlink(path)
        await flushFolder(Path.dirname(path))
      }),
    removeBody: (name) => Effect.promise(() => unlink(bodyPath(name))),
    removeFolder: (path) =>
      ifDurable(async () => {
        for (const folder of known) if (folder === path || folder.startsWith(path + Path.sep)) known.delete(folder)
        await Fs.rm(path, { force: true, recursive: true })
      })
  }
}
