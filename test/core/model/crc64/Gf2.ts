/**
 * Polynomials over GF(2) as bigints, bit k for x^k, to derive the constants of Crc64 again. For tests: simple, not fast.
 */
export const degree = (a: bigint): number => a.toString(2).length - 1

export const multiply = (a: bigint, b: bigint): bigint => {
  let product = 0n
  for (let shifted = a, rest = b; rest > 0n; rest >>= 1n, shifted <<= 1n) if (rest & 1n) product ^= shifted
  return product
}

export const divide = (a: bigint, by: bigint): { readonly quotient: bigint; readonly remainder: bigint } => {
  let [quotient, remainder] = [0n, a]
  while (remainder > 0n && degree(remainder) >= degree(by)) {
    const shift = BigInt(degree(remainder) - degree(by))
    quotient ^= 1n << shift
    remainder ^= by << shift
  }
  return { quotient, remainder }
}

export const modulo = (a: bigint, by: bigint): bigint => divide(a, by).remainder

/** x^exponent modulo `by`. */
export const powerOfX = (exponent: number, by: bigint): bigint => {
  let [power, square] = [1n, modulo(2n, by)]
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = modulo(multiply(power, square), by)
    square = modulo(multiply(square, square), by)
  }
  return power
}

/** b with a b = 1 modulo `by`, for a without a common factor: the extended algorithm of Euclid. */
export const inverse = (a: bigint, by: bigint): bigint => {
  let [r0, r1, b0, b1] = [by, modulo(a, by), 0n, 1n]
  while (r1 > 0n) {
    const { quotient, remainder } = divide(r0, r1)
    ;[r0, r1, b0, b1] = [r1, remainder, b1, b0 ^ multiply(quotient, b1)]
  }
  return modulo(b0, by)
}

/** A word of 64 bits from the back to the front: as a CRC writes it, x^0 is bit 63. */
export const reversed = (word: bigint): bigint =>
  BigInt("0b" + [...word.toString(2).padStart(64, "0")].toReversed().join(""))
