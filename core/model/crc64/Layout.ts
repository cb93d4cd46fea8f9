/**
 * Where things lie in the memory of the WASM, and how large they are. Shared by its source (wat/) and its driver (Wasm.ts).
 *
 * Pure constants, all in bytes. The WASM relies on zeros in front of areas: `area` leaves room for them, a fresh memory is zero,
 * and nothing writes there except to put zeros back.
 */

/** Most bytes a call of `slices`, `narrow`, `wide` or `block` takes; `block` works on exactly so many, zeros in front. */
export const BLOCK = 65536

/** A row of the cyclic fold, a period of x^8 modulo (x+1)^2 A, and how many rows a `chunk` takes. */
export const ROW = 32767
export const ROWS_PER_CHUNK = 8
export const CHUNK = ROWS_PER_CHUNK * ROW

/** Four rows are so much shorter than a period of x^8 modulo B. */
export const SHORT_OF_B = 3
/** So far in front of the chunk before it does a chunk go to the accumulator of B. */
export const B_STEP = 2 * SHORT_OF_B

/**
 * Chunks between two calls of `finish`, at most: 64 of them are 16 MiB, against which the 10 us of a finish do not count. With
 * every chunk the accumulator of B moves to the front, into room kept free there.
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

/** The rows of the first folds by bits: half a block, and a quarter of what the cyclic fold leaves for B. */
export const FOLDED = BLOCK / 2
/** What A and B are folded to by bits, in rows of that length. */
export const A_FOLDED = 8192
export const B_FOLDED = 16384

/** The room in front of the accumulator of B, and the one byte by which a period is shorter than what is folded. */
export const B_SLACK = B_STEP * (CHUNKS - 1) + 2 * SHORT_OF_B + 1

let used = 0
/** Behind the one before, so many bytes from a multiple of `step`. */
const area = (size: number, zerosInFront: number, step = 64, from = 0): number => {
  const start = Math.ceil((used + zerosInFront - from) / step) * step + from
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
export const HALVED_AT = area(FOLDED, 0)
export const A_FOLDED_AT = area(A_FOLDED, A_TAIL)
export const B_FOLDED_AT = area(B_FOLDED, B_TAIL + 32)
export const QUARTERS_FOLDED_AT = area(FOLDED, B_TAIL + 32)

/**
 * The cyclic fold. To a processor, places look alike that lie whole pages of 4 KiB apart, and a load waits for a store that looks as
 * if it were to the same place. So rows, A and B lie apart within their pages (1 MiB: 7.5 GB/s without, 9.3 with), rows at 0 or 2048.
 */
const PAGE = 4096
/** Where a chunk is copied to that lies elsewhere: mostly at the start of a page, from where it takes twice as long to another's. */
export const CHUNK_AT = area(CHUNK + 16, 0, PAGE, 2048)
export const A_AT = area(ROW + 16, 1, PAGE, 3392)
/** Where the first chunk goes; the slack is in front. */
export const B_AT = area(4 * ROW + 16, B_SLACK, PAGE, 640)

/** The memory, in pages of WebAssembly. What is summed up where it lies comes behind it. */
export const WASM_PAGE = 65536
export const PAGES = Math.ceil(used / WASM_PAGE)
