/**
 * CRC-64/XZ, which OSS calls crc64ecma. Pure.
 */
import * as Option from "effect/Option"

const table = Array.from({ length: 256 }, (_, n) => {
  let crc = BigInt(n)
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n
  return crc
})
const low = Uint32Array.from(table, (entry) => Number(entry & 0xffffffffn))
const high = Uint32Array.from(table, (entry) => Number(entry >> 32n))

export interface Hasher {
  readonly update: (bytes: Uint8Array) => void
  readonly digest: () => bigint
}

export const make = (): Hasher => {
  let lo = 0xffffffff
  let hi = 0xffffffff
  return {
    update: (bytes) => {
      for (let i = 0; i < bytes.length; i++) {
        const index = (lo ^ bytes[i]!) & 0xff
        lo = ((lo >>> 8) | (hi << 24)) ^ low[index]!
        hi = (hi >>> 8) ^ high[index]!
      }
    },
    digest: () => (BigInt(~hi >>> 0) << 32n) | BigInt(~lo >>> 0)
  }
}

export const of = (bytes: Uint8Array): bigint => {
  const hasher = make()
  hasher.update(bytes)
  return hasher.digest()
}

const multiply = (a: bigint, b: bigint): bigint => {
  let product = 0n
  for (let bit = 63n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= b
    b = b & 1n ? (b >> 1n) ^ 0xc96c5795d7870f42n : b >> 1n
  }
  return product
}

export const combine = (first: bigint, second: bigint, secondLength: number): bigint => {
  let power = 1n << 55n
  let shift = 1n << 63n
  for (let n = BigInt(secondLength); n > 0n; n >>= 1n) {
    if (n & 1n) shift = multiply(shift, power)
    power = multiply(power, power)
  }
  return multiply(first, shift) ^ second
}

export const parse = (text: string): Option.Option<bigint> =>
  /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n ? Option.some(BigInt(text)) : Option.none()

export const format = (crc: bigint): string => crc.toString()
