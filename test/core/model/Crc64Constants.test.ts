/**
 * Every constant of core/model/crc64, derived again by schoolbook arithmetic on bigints (crc64/Gf2.ts).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Layout from "../../../core/model/crc64/Layout.ts"
import * as Polynomial from "../../../core/model/crc64/Polynomial.ts"
import * as Register from "../../../core/model/crc64/Register.ts"
import { degree, divide, inverse, modulo, multiply, powerOfX, reversed } from "./crc64/Gf2.ts"

/** ECMA-182, annex B, as the catalogue of CRCs gives it, and x^64. */
const P = (1n << 64n) | 0x42f0e1eba9ea3693n
const X_PLUS_1 = 0b11n
const A_FACTORS = [0b1000000000000011n, 0b1001000000001011n, 0b1000010000100011n]
const A = A_FACTORS.reduce(multiply)
const B = 0x25f39n
const A_BY_X_PLUS_1 = multiply(X_PLUS_1, A)
const A_SIDE = multiply(X_PLUS_1, A_BY_X_PLUS_1)

/** The polynomial a list of taps stands for. */
const sparse = (taps: Polynomial.Taps): bigint => {
  const span = Math.max(...taps)
  return taps.reduce((sum, tap) => sum | (1n << BigInt(span - tap)), 1n << BigInt(span))
}
const sparseOfBytes = (taps: Polynomial.Taps): bigint => sparse(taps.map((tap) => 8 * tap))

describe("the polynomial of Crc64", () => {
  it("is that of CRC-64/XZ, backwards", () => {
    assert.strictEqual(Polynomial.POLYNOMIAL, reversed(P & 0xffffffffffffffffn))
  })
  it("is the same in halves", () => {
    assert.strictEqual(Register.bits(Register.LOW, Register.HIGH), Polynomial.POLYNOMIAL)
  })
  it("is (x+1)^2 A B", () => {
    assert.strictEqual(multiply(A_SIDE, B), P)
  })
  it("has three factors in A, in each of which x has the order 32767 = 7 * 31 * 151: they are irreducible", () => {
    const orders = A_FACTORS.map((factor) =>
      [32767, 32767 / 7, 32767 / 31, 32767 / 151].map((n) => powerOfX(n, factor))
    )
    assert.deepStrictEqual(
      orders.map((powers) => powers.map((power) => power === 1n)),
      A_FACTORS.map(() => [true, false, false, false])
    )
  })
  it("has the irreducible factor B, in which x has the order 131071, a prime", () => {
    // x^(2^17) = x says that all factors of B are of degree 1 or 17, and it has neither x nor x+1.
    const facts = [degree(B), powerOfX(2 ** 17, B), powerOfX(131071, B), modulo(B, 2n), modulo(B, X_PLUS_1)]
    assert.deepStrictEqual(facts, [17, 2n, 1n, 1n, 1n])
  })
})

describe("the sparse multiples of Crc64", () => {
  it("are multiples of what they claim", () => {
    const remainders = [
      modulo(sparse(Polynomial.WIDE), multiply(A_BY_X_PLUS_1, B)),
      modulo(sparse(Polynomial.NARROW), multiply(A_BY_X_PLUS_1, B)),
      modulo(sparse(Polynomial.A), A_BY_X_PLUS_1),
      modulo(sparse(Polynomial.B), B)
    ]
    assert.deepStrictEqual(remainders, [0n, 0n, 0n, 0n])
  })
  it("are multiples of both x+1 and all the rest when their taps are bytes", () => {
    const remainders = [
      modulo(sparseOfBytes(Polynomial.WIDE), P),
      modulo(sparseOfBytes(Polynomial.NARROW), P),
      modulo(sparseOfBytes(Polynomial.A), A_SIDE),
      modulo(sparseOfBytes(Polynomial.B), B)
    ]
    assert.deepStrictEqual(remainders, [0n, 0n, 0n, 0n])
  })
  it("would not be, of (x+1)^2, with taps of bits", () => {
    assert.notStrictEqual(modulo(sparse(Polynomial.WIDE), P), 0n)
  })
  it("have in B the shortest of three terms", () => {
    const powers = Array.from({ length: 857 }, (_, n) => powerOfX(n, B))
    const shorter = powers.filter((power, n) => powers.indexOf(power ^ 1n) >= 0 && powers.indexOf(power ^ 1n) < n)
    assert.deepStrictEqual([shorter.length, Math.max(...Polynomial.B)], [0, 857])
  })
  it("leave tails that hold their longest tap, and come in whole steps before them", () => {
    const rows = [
      { taps: Polynomial.WIDE, step: 32, tail: Layout.WIDE_TAIL, areas: [] },
      {
        taps: Polynomial.NARROW,
        step: 16,
        tail: Layout.NARROW_TAIL,
        areas: [Layout.WIDE_TAIL, Layout.A_TAIL, Layout.B_TAIL]
      },
      { taps: Polynomial.A, step: 32, tail: Layout.A_TAIL, areas: [] },
      { taps: Polynomial.B, step: 32, tail: Layout.B_TAIL, areas: [] }
    ]
    const wrong = rows.filter(
      ({ taps, step, tail, areas }) =>
        Math.max(...taps) > tail ||
        Math.min(...taps) < step ||
        tail % 16 !== 0 ||
        areas.some((area) => (area - tail) % step !== 0)
    )
    assert.deepStrictEqual(wrong, [])
  })
})

describe("the folds of Crc64", () => {
  it("would lose P/(x+1), reflected 0x8e4865196505f583, by a bit and rows of 4096 bytes", () => {
    const { quotient, remainder } = divide(P, X_PLUS_1)
    assert.deepStrictEqual([reversed(quotient), remainder], [0x8e4865196505f583n, 0n])
  })
  it("may add bytes 32767 apart for (x+1)^2 A, and bytes 131071 apart for B", () => {
    assert.deepStrictEqual([powerOfX(8 * 32767, A_SIDE), powerOfX(8 * 131071, B)], [1n, 1n])
  })
  it("may add rows of 32768 bytes, a byte apart, and rows of 8192 bytes, two bits apart, for (x+1)^2 A", () => {
    assert.deepStrictEqual(
      [powerOfX(8 * Layout.FOLDED, A_SIDE), powerOfX(8 * Layout.A_FOLDED, A_SIDE)],
      [1n << 8n, 1n << 2n]
    )
  })
  it("may add rows of 32768 bytes, two bits apart, and rows of 16384 bytes, one bit apart, for B", () => {
    assert.deepStrictEqual([powerOfX(8 * Layout.FOLDED, B), powerOfX(8 * Layout.B_FOLDED, B)], [1n << 2n, 1n << 1n])
  })
  it("may not add rows of 4096 bytes, one bit apart: that holds only for (x+1) A", () => {
    const lost = [powerOfX(8 * 4096, A_BY_X_PLUS_1) === 0b10n, powerOfX(8 * 4096, A_SIDE) === 0b10n]
    assert.deepStrictEqual(lost, [true, false])
  })
  it("may add rows of 32767 bytes where they are for A, and four of them three bytes apart for B", () => {
    const { B_STEP, CHUNK, ROW, SHORT_OF_B } = Layout
    assert.deepStrictEqual([powerOfX(8 * ROW, A_SIDE), powerOfX(8 * (4 * ROW + SHORT_OF_B), B)], [1n, 1n])
    assert.strictEqual(powerOfX(8 * (CHUNK + B_STEP), B), 1n)
  })
  it("have room for all their slack, with zeros in front of it", () => {
    const { A_AT, B_AT, B_SLACK, B_STEP, CHUNKS, CHUNK_AT, CHUNK, ROW, SHORT_OF_B, WASM_PAGE, PAGES } = Layout
    // The last chunk's second half begins so far in front of the first chunk; the period another three bytes, what is folded one.
    const first = B_AT - B_STEP * (CHUNKS - 1) - 2 * SHORT_OF_B - 1
    // Vectors reach past the last byte of a row.
    const vector = 16
    assert.deepStrictEqual(
      [
        B_AT - B_SLACK,
        CHUNK_AT + CHUNK + vector <= A_AT - 1,
        A_AT + ROW + vector <= first,
        4 * ROW + vector <= WASM_PAGE * PAGES - B_AT
      ],
      [first, true, true, true]
    )
  })
})

describe("the idempotent of Crc64", () => {
  it("is what the Chinese remainder theorem gives for 1 modulo (x+1)^2 A and 0 modulo B", () => {
    const derived = multiply(B, inverse(B, A_SIDE))
    assert.strictEqual(Polynomial.IDEMPOTENT, reversed(modulo(derived, P)))
  })
  it("is 1, 0 and its own square", () => {
    const e = reversed(Polynomial.IDEMPOTENT)
    assert.deepStrictEqual([modulo(e, A_SIDE), modulo(e, B), modulo(multiply(e, e), P)], [1n, 0n, e])
  })
})
