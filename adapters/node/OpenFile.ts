/**
 * An open file, read at any offset by node:fs's callbacks. A read by its promises takes several times the memory, and a
 * large upload makes tens of thousands. All sizes and offsets are in bytes.
 * Source: https://nodejs.org/docs/latest-v20.x/api/fs.html#fsreadfd-buffer-offset-length-position-callback
 */
import * as Fs from "node:fs"
import type { FileHandle } from "node:fs/promises"

export interface OpenFile {
  readonly handle: FileHandle
  /**
   * Fills `target` with what lies from `offset` on. `done` is told, once and later, what went wrong, if anything did, and how
   * much was read: less than asked for where the file ends.
   */
  readonly fill: (offset: number, target: Uint8Array, done: Done) => void
  /** Closes it after the reads under way. Reads begun after that fail. */
  readonly close: () => Promise<void>
}

export type Done = (error: Error | undefined, filled: number) => void

// The most that one system call reads on every system is just below 2 GiB.
const longestRead = 1024 ** 3

export const make = (handle: FileHandle): OpenFile => {
  let underWay = 0
  let closing = false
  let idle = (): void => {}

  const fill = (offset: number, target: Uint8Array, done: Done): void => {
    // The number of a closed file may be another's by now.
    if (closing) return void setImmediate(done, new Error("the file is closed"), 0)
    underWay++
    let filled = 0
    const more = (): void => {
      try {
        Fs.read(handle.fd, target, filled, Math.min(target.length - filled, longestRead), offset + filled, step)
      } catch (cause) {
        setImmediate(step, cause as Error, 0) // what Node throws for an offset that is none
      }
    }
    const step = (error: Error | null, bytesRead: number): void => {
      if (error === null && bytesRead > 0 && (filled += bytesRead) < target.length) return more()
      if (--underWay === 0) idle()
      done(error ?? undefined, filled)
    }
    more()
  }

  const close = async (): Promise<void> => {
    closing = true
    if (underWay > 0) await new Promise<void>((resolve) => (idle = resolve))
    await handle.close()
  }

  return { handle, fill, close }
}
