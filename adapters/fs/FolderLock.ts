/**
 * A lock that one process at a time holds and that a dead process does not: a folder with one file, named by a nonce,
 * that says who holds it.
 *
 * Every step is one atomic operation of the file system, and none of them can hit the lock of somebody else:
 * - taking: a finished folder is renamed to the lock's name, which fails while a folder with a file in it stands there
 *   (POSIX rename(2): ENOTEMPTY). So a lock is never seen half written, and of many takers one wins.
 * - breaking: the dead holder's file is deleted by its name. Whoever took the lock meanwhile has another nonce, and so a
 *   breaker who comes late finds nothing to delete. (Renaming a stale lock away would also carry off a new one.)
 * - giving back: the holder deletes its own file; an empty folder is no lock.
 * Works where `rename` is atomic: local file systems, and NFS among the network ones. A thread that is stopped inside a
 * process which goes on cannot give its lock back; the process's end does.
 * Source: https://pubs.opengroup.org/onlinepubs/9799919799/functions/rename.html
 */
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import * as Fs from "node:fs/promises"
import { basename, join } from "node:path"
import * as Owner from "./Owner.ts"

export interface FolderLock {
  /** Whether the lock is still this one; not when somebody deleted it by hand. */
  readonly isHeld: () => Promise<boolean>
  readonly release: () => Promise<void>
}

/** Why a lock cannot be had, in words. */
export interface Taken {
  readonly detail: string
}

/** The names of folders on their way to become locks: what a crash can leave behind. */
export const claimEnding = ".claim"

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "" // fs throws nothing else

/** Waits for a step that may find its work done already. */
const unless = async (codes: ReadonlyArray<string>, step: Promise<unknown>): Promise<void> => {
  try {
    await step
  } catch (cause) {
    if (!codes.includes(codeOf(cause))) throw cause
  }
}

/** `rename` answers so when a lock stands in the way: Linux and macOS, other POSIX systems, Windows. */
const inTheWay = ["ENOTEMPTY", "EEXIST", "EPERM", "EACCES"]

const deleteFile = (file: string) => unless(["ENOENT"], Fs.unlink(file))

/** Deletes the folder if it is empty. Needed on Windows only, whose `rename` replaces no folder. */
const deleteEmpty = (folder: string) => unless(["ENOENT", ...inTheWay], Fs.rmdir(folder))

/** The files in a lock: one for its holder; none while it is given back. */
const holders = async (folder: string): Promise<ReadonlyArray<string>> => {
  try {
    return await Fs.readdir(folder)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return []
    throw cause
  }
}

/** So often may the lock be given back or broken under our eyes before we stop trying. */
const attempts = 100

/**
 * Takes the lock at the path `folder`, whose parent must exist. Does not wait: answers `Taken` while somebody holds it or
 * may hold it. Rejects with what the file system says.
 */
export const take = async (folder: string): Promise<FolderLock | Taken> => {
  const here = await Owner.self()
  const nonce = randomUUID()
  const claim = `${folder}.${nonce}${claimEnding}`
  try {
    await Fs.mkdir(claim, { mode: 0o700 })
    await Fs.writeFile(join(claim, nonce), Owner.encode(here), { flag: "wx", mode: 0o600, flush: true })
    for (let attempt = 1; ; attempt++) {
      try {
        await Fs.rename(claim, folder)
        return held(folder, nonce)
      } catch (cause) {
        if (!inTheWay.includes(codeOf(cause)) || attempt === attempts) throw cause
      }
      for (const file of await holders(folder)) {
        const taken = await breakOrExplain(folder, file, here)
        if (taken !== undefined) return taken
      }
      await deleteEmpty(folder)
    }
  } finally {
    // Gone by now if it became the lock. What cannot be deleted does no harm.
    await Fs.rm(claim, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Breaks the hold of a holder that is gone; says why not when it is not. */
const breakOrExplain = async (folder: string, file: string, here: Owner.Owner): Promise<Taken | undefined> => {
  const path = join(folder, file)
  let text: string
  try {
    text = await Fs.readFile(path, "utf8")
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined // given back meanwhile
    throw cause
  }
  const owner = Option.getOrUndefined(Owner.decode(text))
  const byHand = `if no upload to this object is running, delete the folder ${folder}`
  if (owner === undefined) return { detail: `${path} does not say who holds this lock; ${byHand}` }
  const standing = await Owner.standing(owner, here)
  if (standing === "Gone") {
    await deleteFile(path)
    return undefined
  }
  const since = new Date(owner.since).toISOString()
  const who = `process ${owner.pid}${standing === "Runs" ? "" : ` on ${JSON.stringify(owner.host)}`}, since ${since}`
  return standing === "Runs"
    ? { detail: `another upload to this object is running: ${who} (lock ${basename(folder)})` }
    : { detail: `another upload to this object may be running: ${who}, which cannot be seen from here; ${byHand}` }
}

const held = (folder: string, nonce: string): FolderLock => ({
  isHeld: async () => (await holders(folder)).includes(nonce),
  release: async () => {
    await deleteFile(join(folder, nonce))
    await deleteEmpty(folder)
  }
})
