/**
 * A body on its way to a file, in two stages of memory: while one is written and hashed, the other is filled.
 *
 * A body that fits into one is hashed where it is; the MD5 of a longer one is made on another thread (Md5.ts). Runs of zeros
 * become holes (Zeros.ts). All sizes are in bytes. What it comes to: README.md, "Measured".
 */
import type * as Fs from "node:fs/promises"
import * as Md5 from "./Md5.ts"
import * as Zeros from "./Zeros.ts"

/** What is known of bytes once all have come. */
export interface Sums {
  readonly size: number
  /** 16 bytes. */
  readonly md5: Buffer
  readonly crc64: bigint
}

// Two chunks of a socket. Longer ones have left the processor's cache when they are written: 1 MiB took twice the time.
const stageBytes = 128 * 1024

// Stages are used again: memory that both threads see is not cheap to make.
const spare: Array<Md5.Shared> = []

const takeStage = (): Md5.Shared => spare.pop() ?? new Uint8Array(new SharedArrayBuffer(stageBytes))
const giveBack = (stage: Md5.Shared): void => {
  if (spare.length < 64) spare.push(stage)
}

const write = async (handle: Fs.FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  // A write may take less than asked on a full disk; then the next one says why.
  for (let at = 0; at < bytes.length;) {
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  }
}

const nothing = Promise.resolve()

class Stages {
  private current = takeStage()
  private filled = 0
  private other = takeStage()
  /** While the other stage is written and hashed. */
  private busy: Promise<void> | undefined
  private readonly md5 = new Zeros.Digest()
  private readonly crc64 = new Zeros.Crc()
  /** Where in the file the current stage begins. */
  private position = 0
  private endsInHole = false
  size = 0

  constructor(private readonly handle: Fs.FileHandle) {}

  /** Takes a chunk: at once, or once the promise it answers resolves. One call at a time. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    this.size += chunk.length
    const isWorthIt = chunk.length >= Zeros.shortest || (this.filled === 0 && this.md5.isRun)
    return isWorthIt && Zeros.are(chunk) ? this.skip(chunk.length) : this.fill(chunk)
  }

  /** Leaves a hole: what nobody writes is read as zeros. */
  private skip(length: number): Promise<void> | undefined {
    if (this.filled > 0) return (this.flush() ?? nothing).then(() => this.skip(length))
    this.crc64.zeros(length)
    this.position += length
    this.endsInHole = true
    const { busy } = this
    return busy === undefined ? this.md5.zeros(length) : busy.then(() => this.md5.zeros(length))
  }

  private fill(chunk: Uint8Array): Promise<void> | undefined {
    for (let at = 0; at < chunk.length;) {
      if (this.filled === stageBytes) {
        const full = this.flush()
        if (full !== undefined) return full.then(() => this.fill(chunk.subarray(at)))
      }
      const length = Math.min(chunk.length - at, stageBytes - this.filled)
      this.current.set(chunk.subarray(at, at + length), this.filled)
      this.filled += length
      at += length
    }
    return undefined
  }

  /** Begins to write and hash the current stage, once the other is free. */
  private flush(): Promise<void> | undefined {
    if (this.busy !== undefined) return this.busy.then(() => this.flush())
    const bytes = this.current.subarray(0, this.filled)
    const work = Promise.all([write(this.handle, bytes, this.position), this.md5.update(bytes)]).then(() => {
      this.busy = undefined
    })
    work.catch(() => undefined) // whoever waits for it is told
    this.busy = work
    this.crc64.update(bytes)
    const next = this.other
    this.other = this.current
    this.current = next
    this.position += this.filled
    this.endsInHole = false
    this.filled = 0
    return undefined
  }

  async end(): Promise<Sums> {
    const { size, crc64 } = this
    if (size === this.filled) {
      const bytes = this.current.subarray(0, this.filled)
      crc64.update(bytes)
      await write(this.handle, bytes, 0)
      return { size, md5: Md5.of(bytes), crc64: crc64.digest() }
    }
    if (this.filled > 0) await this.flush()
    await this.busy
    if (this.endsInHole) await this.handle.truncate(size)
    return { size, md5: await this.md5.digest(), crc64: crc64.digest() }
  }

  /** To be called once, whatever has happened. */
  async close(): Promise<void> {
    this.md5.abandon()
    // A write that is still under way reads its stage.
    await this.busy?.catch(() => undefined)
    giveBack(this.current)
    giveBack(this.other)
  }
}

/** Stages that lead to an open file. `close` must be called, and before the file is. */
export const make = (handle: Fs.FileHandle): Stages => new Stages(handle)
