/**
 * CRC-64/XZ the slow and obvious way, to check the fast ways against: polynomial division, a byte at a time, on bigints
 * and on halves. Shares no code with the core.
 *
 * Source of the parameters: "CRC-64/XZ", reveng.sourceforge.io/crc-catalogue.
 */
const POLYNOMIAL = 0xc96c5795d7870f42n

const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n
  return crc
})
const low = Uint32Array.from(table, (entry) => Number(entry & 0xffffffffn))
const high = Uint32Array.from(table, (entry) => Number(entry >> 32n))

/** On bigints: the definition. For a few hundred bytes. */
export const definition = (bytes: Uint8Array): bigint => {
  let crc = 0xffffffffffffffffn
  for (const byte of bytes) crc = (crc >> 8n) ^ table[Number((crc ^ BigInt(byte)) & 255n)]!
  return crc ^ 0xffffffffffffffffn
}

/** The same table on halves, for long inputs; goes on from `before`, the CRC of what came earlier. */
export const of = (bytes: Uint8Array, before = 0n): bigint => {
  let lo = ~Number(before & 0xffffffffn)
  let hi = ~Number(before >> 32n)
  for (let i = 0; i < bytes.length; i++) {
    const index = (lo ^ bytes[i]!) & 255
    lo = ((lo >>> 8) | (hi << 24)) ^ low[index]!
    hi = (hi >>> 8) ^ high[index]!
  }
  return (BigInt(~hi >>> 0) << 32n) | BigInt(~lo >>> 0)
}

/**
 * The register after every number of bytes, 0 to all, beginning with all ones and not inverted: the low half of the one after n
 * bytes at 2n, the high half at 2n + 1. The bytes from a to b take the one at a to the one at b, and so one pass over the
 * content is the reference for all its slices.
 */
export const registers = (bytes: Uint8Array): Int32Array => {
  const after = new Int32Array(2 * bytes.length + 2)
  let lo = -1
  let hi = -1
  for (let i = 0; i <= bytes.length; i++) {
    after[2 * i] = lo
    after[2 * i + 1] = hi
    const index = (lo ^ bytes[i]!) & 255
    lo = ((lo >>> 8) | (hi << 24)) ^ low[index]!
    hi = (hi >>> 8) ^ high[index]!
  }
  return after
}
