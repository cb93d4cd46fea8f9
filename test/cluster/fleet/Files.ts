/**
 * Files to upload, sparse, each MiB of which begins with a mark of its own: parts that change places change the CRC-64.
 */
import * as Fs from "node:fs"
import * as Crc64 from "../../../core/model/Crc64.ts"

const MiB = 1024 * 1024

export interface File {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly crc64: bigint
}

/** Makes a file of so many bytes. */
export const make = (path: string, key: string, size: number, seed: number): File => {
  const fd = Fs.openSync(path, "w")
  Fs.ftruncateSync(fd, size)
  const hasher = Crc64.make()
  const block = new Uint8Array(MiB)
  const view = new DataView(block.buffer)
  for (let offset = 0; offset < size; offset += MiB) {
    view.setUint32(0, seed)
    view.setUint32(4, offset / MiB)
    const length = Math.min(MiB, size - offset)
    Fs.writeSync(fd, block, 0, Math.min(8, length), offset)
    hasher.update(block.subarray(0, length))
  }
  Fs.closeSync(fd)
  return { key, path, size, crc64: hasher.digest() }
}

/** Sizes from 1 KiB to `largest` bytes, most of them small, as objects are; always the same. */
export const sizes = (count: number, largest: number): ReadonlyArray<number> => {
  const steps = Math.log2(largest / 1024)
  return Array.from({ length: count }, (_, i) => {
    const turn = (i * 0.618033988749895) % 1 // the golden ratio: spread evenly, whatever the count
    return i === count - 1 ? largest : Math.floor(1024 * 2 ** (turn ** 4 * steps))
  })
}
