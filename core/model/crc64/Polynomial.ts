/**
 * The numbers the WASM is built on: the polynomial, sparse multiples of it and of its factors, and the idempotent that puts
 * two remainders together. README.md in this folder says why they are what they are; Crc64Constants.test.ts derives each again.
 *
 * Pure constants. 64-bit words have their bits reversed as in the CRC: bit 63 stands for x^0. Taps are in bytes.
 */

/** The polynomial, without x^64. P = (x+1)^2 A B, where A has degree 45 and B has degree 17. */
export const POLYNOMIAL = 0xc96c5795d7870f42n

/**
 * A list of taps t1 < t2 < ... < s stands for x^s + x^(s-t1) + x^(s-t2) + ... + 1, and that is a multiple of the modulus named.
 * Its eighth power then is one too, with the same terms eight times as far apart: bytes apart, where bits were.
 */
export type Taps = ReadonlyArray<number>

/** Of (x+1) A B. Seven taps, the fewest found. */
export const WIDE: Taps = [297, 419, 503, 788, 829, 928, 1429]
/** Of (x+1) A B, eleven taps, for a short tail. No tap is below 96: nearer ones wait for the bytes just stored. */
export const NARROW: Taps = [96, 98, 108, 127, 144, 151, 174, 200, 267, 282, 303]
/** Of (x+1) A. */
export const A: Taps = [198, 213, 222, 246, 314, 354, 358]
/** Of B. */
export const B: Taps = [674, 857]

/** 1 modulo (x+1)^2 A, and 0 modulo B. */
export const IDEMPOTENT = 0xa73d4cfdddf51087n
