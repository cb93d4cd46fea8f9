/**
 * The numbers SHA-256 is made of: the first 32 bits behind the point of the roots of the first primes.
 *
 * Pure arithmetic, done when the module is assembled. Source: FIPS 180-4 §4.2.2 and §5.3.3.
 */

const primes = (count: number): ReadonlyArray<bigint> => {
  const found: Array<bigint> = []
  for (let n = 2n; found.length < count; n++) if (found.every((prime) => n % prime !== 0n)) found.push(n)
  return found
}

/** The first 32 bits behind the point of the `degree`-th root: that of n * 2^(32 * degree) is 2^32 times as large. */
const fraction = (n: bigint, degree: bigint): number => {
  let root = 0n
  // Bit by bit from above; the roots asked for are below 8.
  for (let bit = 1n << 34n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** degree <= n << (32n * degree)) root += bit
  }
  return Number(root & 0xffffffffn)
}

/** One for each round: of the cube roots of the first 64 primes. */
export const rounds: ReadonlyArray<number> = primes(64).map((prime) => fraction(prime, 3n))

/** The state that every hash begins with: of the square roots of the first 8 primes. */
export const initial: ReadonlyArray<number> = primes(8).map((prime) => fraction(prime, 2n))
