/**
 * The few words of WebAssembly text the other files in this folder are written with.
 *
 * Pure: strings in, strings out. Addresses and offsets are in bytes. `$name` is a local of the function it is used in.
 */

/** Vectors are of 16 bytes; this is the zero one. */
export const ZERO = "(v128.const i64x2 0 0)"

/** The 16 bytes at `$at` + offset, however they are aligned. */
export const load = (at: string, offset: number): string => `(v128.load offset=${offset} (local.get ${at}))`
/** Writes 16 bytes to `$at` + offset, however they are aligned. */
export const store = (at: string, offset: number, value: string): string =>
  `(v128.store offset=${offset} (local.get ${at}) ${value})`

/** The sum over GF(2) of vectors. */
export const xor = (...values: ReadonlyArray<string>): string => sum("v128.xor", values)
/** The sum over GF(2) of words of 8 bytes. */
export const xor64 = (...values: ReadonlyArray<string>): string => sum("i64.xor", values)

const sum = (operation: string, values: ReadonlyArray<string>): string =>
  values.reduce((left, right) => `(${operation} ${left} ${right})`)

/** `$name` plus a constant, which may be negative. */
export const plus = (name: string, constant: number): string => `(i32.add (local.get ${name}) (i32.const ${constant}))`

/** Adds a constant to `$name`, and goes back to `label` while `$name` is below `$end` (as unsigned numbers). */
export const again = (label: string, name: string, step: number, end: string): string =>
  `(br_if ${label} (i32.lt_u (local.tee ${name} ${plus(name, step)}) (local.get ${end})))`
