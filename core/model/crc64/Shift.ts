/**
 * What n zero bytes do to a CRC: a multiplication by x^(8n) modulo the polynomial, over GF(2).
 *
 * Pure arithmetic on 32-bit halves, bits reversed as in the CRC: bit 63 stands for x^0, bit 0 for x^63. Lengths in bytes.
 * Two caches, both bounded: the powers x^(8 * d * 16^k), 210 of them, built at the first use; and the last lengths asked for,
 * because all parts of an upload but the last have one size.
 */
import { type Register, HIGH, LOW } from "./Register.ts"

/** How many lengths are remembered. An upload has two: the part size and the last part's. */
const REMEMBERED = 32

const shifts = new Map<number, Readonly<Register>>()
let powers: Array<Readonly<Register>> | undefined

/** The register times x^(8 * length), in place. `length`: whole bytes, 0 to 2^53 - 1. */
export const zeros = (register: Register, length: number): void => multiply(register, shiftOf(length))

const shiftOf = (length: number): Readonly<Register> => {
  const known = shifts.get(length)
  if (known !== undefined) return known
  const shift = power(length)
  if (shifts.size >= REMEMBERED)
    for (const oldest of shifts.keys()) {
      shifts.delete(oldest)
      break
    }
  shifts.set(length, shift)
  return shift
}

/** x^(8 * length): one multiplication for each digit of the length in base 16. */
const power = (length: number): Readonly<Register> => {
  const table = (powers ??= build())
  const product: Register = { low: 0, high: 0x80000000 | 0 }
  for (let rest = length, place = 0; rest > 0; rest = Math.floor(rest / 16), place += 15) {
    const digit = rest % 16
    if (digit > 0) multiply(product, table[place + digit - 1]!)
  }
  return product
}

/** x^(8 * d * 16^k) at 15k + d - 1, for d = 1 to 15 and k = 0 to 13: enough for any length below 2^53. */
const build = (): Array<Readonly<Register>> => {
  const table: Array<Readonly<Register>> = []
  // x^8 is bit 63 - 8.
  const unit: Register = { low: 0, high: 1 << 23 }
  for (let place = 0; place < 14; place++) {
    const product = { ...unit }
    for (let digit = 1; digit < 16; digit++) {
      table.push({ ...product })
      multiply(product, unit)
    }
    unit.low = product.low
    unit.high = product.high
  }
  return table
}

/** `a` times `b` modulo the polynomial, into `a`. One step per bit: at x^0 add b, then b times x. */
export const multiply = (a: Register, b: Readonly<Register>): void => {
  let { low, high } = b
  let productLow = 0
  let productHigh = 0
  let factor = a.high
  for (let bit = 0; bit < 64; bit++) {
    if (bit === 32) factor = a.low
    const taken = factor >> 31
    productLow ^= low & taken
    productHigh ^= high & taken
    factor <<= 1
    const carry = -(low & 1)
    low = ((low >>> 1) | (high << 31)) ^ (LOW & carry)
    high = (high >>> 1) ^ (HIGH & carry)
  }
  a.low = productLow
  a.high = productHigh
}
