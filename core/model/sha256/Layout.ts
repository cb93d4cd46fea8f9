/**
 * Where the WASM of Sha256 keeps what. All addresses and sizes in bytes; the memory has one page, 64 KiB.
 *
 * Pure numbers, shared by the module's source (wat/) and by its driver.
 */

/** The 64 constants of the rounds, and the 64 words of a block's schedule with these added. */
export const CONSTANTS_AT = 0
export const SCHEDULE_AT = 256
/** A state is eight words of 32 bits, in the machine's (little-endian) order. */
export const STATE = 32
/** The state that every hash begins with. */
export const INITIAL_AT = 512
/** The key: the states after its inner and after its outer block, one behind the other. Given and taken by the driver. */
export const KEY_AT = 544
export const KEY = 2 * STATE
/** The state in the making, and the block that the outer hash takes: the inner digest and its padding. */
export const STATE_AT = 608
export const OUTER_AT = 640
/** The answer: 64 lower-case hexadecimal digits. */
export const DIGITS_AT = 704
export const DIGITS = 64
/** The text, at most so long; behind it there is room for its padding. For `key`: one block. */
export const INPUT_AT = 1024
export const INPUT = 1024
export const BLOCK = 64
