/**
 * Where things lie in the memory of the WASM, and how large they are. Shared by its source (wat/) and its driver (Wasm.ts).
 *
 * Pure constants, all in bytes. The WASM relies on zeros in front of every area and between the rows: `area` leaves room for
 * them, a fresh memory is zero, and nothing writes there except to put zeros back.
 */

/** Most bytes a call of `slices`, `narrow`, `wide` or `block` takes; `block` works on exactly so many, zeros in front. */
export const BLOCK = 65536

/** A row of the cyclic fold, and how many rows a `chunk` takes. */
export const ROW = 32768
export const ROWS_PER_CHUNK = 8
export const CHUNK = ROWS_PER_CHUNK * ROW

/**
 * Chunks between two calls of `finish`, at most. With every chunk the accumulators move on, by 8 bytes for A and 2 for B,
 * into room kept free behind them; 64 chunks are 16 MiB, against which the 10 us of a finish do not count.
 */
export const CHUNKS = 64

/**
 * What is left for the next step after each elimination: at least the longest tap (Polynomial.ts), and such that the bytes in
 * front of it come in whole steps, of 16 bytes for NARROW and of 32 for the others.
 */
export const NARROW_TAIL = 304
export const WIDE_TAIL = 1440
export const A_TAIL = 384
export const B_TAIL = 864

/** What A and B are folded to by bits, in rows of that length. */
export const A_FOLDED = 8192
export const B_FOLDED = 16384

/**
 * A quarter of the accumulator of B: a row and all the slack there can be, in whole vectors. From one to the next, zeros are
 * left between the slack of one and what is read in front of the other.
 */
export const QUARTER = ROW + 2 * CHUNKS
export const B_STRIDE = ROW + 896

/**
 * From one row to the next. The extra 1600 bytes spread the rows over the sets of the first-level cache: at a distance of
 * 32768 bytes they all fell into one, and the fold ran at 0.7 of its speed (Xeon, Cascade Lake).
 */
export const ROW_STRIDE = ROW + 1600

let used = 0
const area = (size: number, zerosInFront: number): number => {
  const start = Math.ceil((used + zerosInFront) / 64) * 64
  used = start + size
  return start
}

/** Sixteen tables of 256 words of 8 bytes. */
export const TABLES_AT = area(16 * 2048, 0)
/** The register: in and out of every call, 8 bytes, little-endian. */
export const REGISTER_AT = area(8, 0)
export const NARROW_TAIL_AT = area(NARROW_TAIL, 0)
export const WIDE_TAIL_AT = area(WIDE_TAIL, NARROW_TAIL)
export const A_TAIL_AT = area(A_TAIL, NARROW_TAIL)
export const B_TAIL_AT = area(B_TAIL, NARROW_TAIL)
/** The input of all calls but `chunk` ends at INPUT_END, so that what is left at the end lies at a fixed place. */
export const INPUT_AT = area(BLOCK, 2048)
export const INPUT_END = INPUT_AT + BLOCK
export const HALVED_AT = area(ROW, 0)
export const A_FOLDED_AT = area(A_FOLDED, A_TAIL)
export const B_FOLDED_AT = area(B_FOLDED, B_TAIL + 32)
export const QUARTERS_FOLDED_AT = area(QUARTER, B_TAIL + 32)
export const ROWS_AT = area(ROWS_PER_CHUNK * ROW_STRIDE, 64)
export const A_AT = area(ROW + 8 * CHUNKS + 64, 64)
export const B_AT = area(4 * B_STRIDE, 2 * CHUNKS + 64)

/** The memory, in pages of 64 KiB. */
export const PAGES = Math.ceil(used / 65536)
