/**
 * What n zero bytes do to a CRC: a multiplication by x^(8n) modulo the polynomial, over GF(2).
 *
 * Pure arithmetic on 32-bit halves, bits reversed as in the CRC: bit 63 stands for x^0, bit 0 for x^63. Lengths in bytes.
 * A factor is held as its sixteen multiples by the polynomials of degree below 4, so that a product takes four bits a step.
 * Two caches, both bounded: the factors x^(8 * d * 16^k), built at the first use; and those of the last lengths asked for,
 * because all parts of an upload but the last have one size.
 */
import { type Register, HIGH, LOW } from "./Register.ts"

/** Multiple m of the factor: its low half at 2m, its high half at 2m + 1. Bit 3 of m stands for x^0. */
type Factor = Int32Array

/** How many lengths are remembered. An upload has two: the part size and the last part's. */
const REMEMBERED = 32
const remembered = new Map<number, Factor>()

let powers: Array<Factor> | undefined
let reductions: Int32Array | undefined

/**
 * The register times x^(8 * length), in place. `length`: whole bytes, 0 to 2^53 - 1. Throws a RangeError for any other, which is
 * a mistake of the caller's: there is no such content, and `Infinity` would never end.
 */
export const zeros = (register: Register, length: number): void => {
  let factor = remembered.get(length)
  if (factor === undefined) {
    if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`no content has ${length} bytes`)
    factor = multiplesOf(power(length))
    for (const oldest of remembered.keys()) {
      if (remembered.size < REMEMBERED) break
      remembered.delete(oldest)
    }
    remembered.set(length, factor)
  }
  multiply(register, factor)
}

/** x^(8 * length): one multiplication for each digit of the length in base 16 that is not 0. */
const power = (length: number): Register => {
  const table = (powers ??= buildPowers())
  const product = one()
  for (let rest = length, place = 0; rest > 0; rest = Math.floor(rest / 16), place += 15) {
    const digit = rest % 16
    if (digit > 0) multiply(product, table[place + digit - 1]!)
  }
  return product
}

/** x^(8 * d * 16^k) at 15k + d - 1, for d = 1 to 15 and k = 0 to 13: enough for any length below 2^53. */
const buildPowers = (): Array<Factor> => {
  const table: Array<Factor> = []
  // x^8 is bit 63 - 8.
  let unit: Register = { low: 0, high: 1 << 23 }
  for (let place = 0; place < 14; place++) {
    const factor = multiplesOf(unit)
    const product = one()
    for (let digit = 1; digit < 16; digit++) {
      multiply(product, factor)
      table.push(multiplesOf(product))
    }
    multiply(product, factor)
    unit = product
  }
  return table
}

const one = (): Register => ({ low: 0, high: 0x80000000 | 0 })

/** `register` times the factor, into `register`: from x^60 to x^0, four bits at a time, what there is times x^4 and the next. */
const multiply = (register: Register, factor: Factor): void => {
  const reduction = (reductions ??= buildReductions())
  let low = 0
  let high = 0
  for (let half = 0; half < 2; half++) {
    let digits = half === 0 ? register.low : register.high
    for (let digit = 0; digit < 8; digit++, digits >>>= 4) {
      const out = (low & 15) << 1
      const next = (digits & 15) << 1
      low = ((low >>> 4) | (high << 28)) ^ reduction[out]! ^ factor[next]!
      high = (high >>> 4) ^ reduction[out + 1]! ^ factor[next + 1]!
    }
  }
  register.low = low
  register.high = high
}

const multiplesOf = (factor: Readonly<Register>): Factor => {
  const multiples = new Int32Array(32)
  let { low, high } = factor
  for (let bit = 8; bit > 0; bit >>= 1) {
    // Those with this bit as their lowest: the multiple without it, and the factor times x^0, x^1, x^2 or x^3.
    for (let m = bit; m < 16; m += 2 * bit) {
      multiples[2 * m] = multiples[2 * (m - bit)]! ^ low
      multiples[2 * m + 1] = multiples[2 * (m - bit) + 1]! ^ high
    }
    const carry = -(low & 1)
    low = ((low >>> 1) | (high << 31)) ^ (LOW & carry)
    high = (high >>> 1) ^ (HIGH & carry)
  }
  return multiples
}

/** What the four bits x^60 to x^63 become when they are multiplied by x^4: the multiples of x^64, which is the polynomial. */
const buildReductions = (): Int32Array => multiplesOf({ low: LOW, high: HIGH })
