/**
 * Runs of zeros, of which files for trying large uploads are made: they become holes of the file, and their MD5 is made only
 * where other bytes follow. So a sparse object of 10 GiB takes no disk, and hardly more time than its bytes on the wire.
 */
import * as Crc64 from "../../core/model/Crc64.ts"
import * as Md5 from "./Md5.ts"

// A run is handed to the thread in pieces of this many bytes.
const zeros: Md5.Shared = new Uint8Array(new SharedArrayBuffer(128 * 1024))
const zeroBuffer = Buffer.from(zeros.buffer)

/** In the midst of other bytes, a shorter run is not worth a hole: file systems have none below their blocks of 4 KiB. */
export const shortest = 4096

/** Whether these are all zeros. The first other byte ends the search. */
export const are = (bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += zeroBuffer.length) {
    const length = Math.min(zeroBuffer.length, bytes.length - at)
    if (zeroBuffer.compare(bytes, at, at + length, 0, length) !== 0) return false
  }
  return true
}

// Parts of one upload are of one size, but for the last.
const known = new Map<number, Buffer>()
const mostKnown = 64

/** The MD5 of bytes of which those at the front may be zeros. Those are held back until others come. One call at a time. */
export class Digest {
  /** Zeros at the front, not hashed as yet. */
  private leading = 0
  private hasher: Md5.Hasher | undefined

  /** Whether nothing but zeros has come so far. */
  get isRun(): boolean {
    return this.hasher === undefined
  }

  /** Takes so many zeros. */
  zeros(length: number): Promise<void> | undefined {
    if (this.hasher !== undefined) return feed(this.hasher, length)
    this.leading += length
    return undefined
  }

  /** Takes the next bytes. They must not change until it resolves. */
  async update(bytes: Md5.Shared): Promise<void> {
    await (await this.begun()).update(bytes)
  }

  /** 16 bytes; nothing may follow. */
  async digest(): Promise<Buffer> {
    if (this.hasher === undefined && this.leading <= zeros.length) return Md5.of(zeroBuffer.subarray(0, this.leading))
    const found = this.hasher === undefined ? known.get(this.leading) : undefined
    if (found !== undefined) return found
    const isRun = this.hasher === undefined
    const digest = await (await this.begun()).digest()
    if (isRun && known.size < mostKnown) known.set(this.leading, digest)
    return digest
  }

  /** Forgets it; to be called when no digest is wanted any more. */
  abandon(): void {
    this.hasher?.abandon()
  }

  private async begun(): Promise<Md5.Hasher> {
    if (this.hasher !== undefined) return this.hasher
    const hasher = (this.hasher = Md5.onThread())
    await feed(hasher, this.leading)
    return hasher
  }
}

const feed = async (hasher: Md5.Hasher, length: number): Promise<void> => {
  for (let left = length; left > 0; left -= zeros.length) {
    await hasher.update(zeros.subarray(0, Math.min(left, zeros.length)))
  }
}

const ones = (1n << 64n) - 1n

/** A CRC-64 in the making that need not look at zeros: after them it is known from their number. */
export class Crc {
  /** The CRC of what came before `hasher` saw its first byte. */
  private before = 0n
  private hasher = Crc64.make()
  private hashed = 0
  private run = 0

  /** Takes so many zeros. */
  zeros(length: number): void {
    this.run += length
  }

  /** Takes the next bytes; they are not kept. */
  update(bytes: Uint8Array): void {
    if (this.run > 0) this.settle()
    this.hasher.update(bytes)
    this.hashed += bytes.length
  }

  /** The CRC of all so far. */
  digest(): bigint {
    this.settle()
    return this.before
  }

  private settle(): void {
    const content = Crc64.combine(this.before, this.hasher.digest(), this.hashed)
    // A register of all ones is where a CRC begins, and what it is inverted by at its end.
    this.before = Crc64.combine(content, Crc64.combine(ones, ones, this.run), this.run)
    this.hasher = Crc64.make()
    this.hashed = this.run = 0
  }
}
