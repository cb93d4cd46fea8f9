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
/** The state in the making, and the block that the outer hash takes: the inner digest and its padding. */
export const STATE_AT = 544
export const OUTER_AT = 576
/** The answer: 64 lower-case hexadecimal digits. */
export const DIGITS_AT = 640
export const DIGITS = 64
/**
 * What was prepared, given and taken by the driver: the states after the key's inner block (and after the whole blocks of a
 * head, if there is one) and after its outer block; and, where the input begins, the rest of the head.
 */
export const PREPARED_AT = 960
export const PREPARED = 2 * STATE + 64
/** The rest of the head, and then a text, together at most so long; behind it there is room for the padding. */
export const INPUT_AT = 1024
export const INPUT = 1088
export const BLOCK = 64
