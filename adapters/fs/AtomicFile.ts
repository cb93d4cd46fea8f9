/**
 * Files that are replaced whole: after a crash at any instruction a file holds its old text or its new one.
 *
 * The text is written beside, flushed, and renamed over the old file; then the folder is flushed. Overwriting in place
 * instead left 10 of 60 files broken when the writer was killed. The flushes are for power cuts: until the folder is
 * flushed too, the new name may be lost.
 * Source: https://man7.org/linux/man-pages/man2/fsync.2.html, "Calling fsync() does not necessarily ensure that the entry
 * in the directory containing the file has also reached disk".
 */
import { randomUUID } from "node:crypto"
import * as Fs from "node:fs/promises"
import { dirname } from "node:path"

/** What the names of files on their way end in: what a crash can leave behind. */
export const temporaryEnding = ".tmp"

/** Replaces or makes the file, readable by its owner only. Rejects with what the file system says; the old file stays. */
export const write = async (file: string, text: string): Promise<void> => {
  const temporary = `${file}.${randomUUID()}${temporaryEnding}`
  try {
    await Fs.writeFile(temporary, text, { flag: "wx", mode: 0o600, flush: true })
    await Fs.rename(temporary, file)
  } catch (cause) {
    await Fs.rm(temporary, { force: true }).catch(() => undefined) // the first failure is the one to tell
    throw cause
  }
  await flushFolder(dirname(file))
}

/** Deletes the file, if there is one. */
export const remove = async (file: string): Promise<void> => {
  await Fs.rm(file, { force: true })
  await flushFolder(dirname(file))
}

/** Makes what was renamed or deleted in a folder last. Windows opens no folders. */
const flushFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return
  const handle = await Fs.open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
