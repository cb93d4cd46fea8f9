/**
 * The whole WASM module as WebAssembly text: memory, constants, the compression function, and the entries the driver calls.
 *
 * Pure text; test/core/model/sha256/build.ts assembles it. HMAC is two hashes, each of which begins with a block that
 * depends on the key alone: `key` computes the states after these two once, `absorb` goes on with what many texts
 * begin with, and `hmac` starts from there.
 * Sources: FIPS 180-4 §5.1.1 (padding); RFC 2104 (HMAC).
 */
import * as Layout from "../Layout.ts"
import { compress, swapped } from "./Compress.ts"
import * as Constants from "./Constants.ts"

const { BLOCK, CONSTANTS_AT, DIGITS_AT, INITIAL_AT, INPUT_AT, OUTER_AT, PREPARED_AT } = Layout
const { SCHEDULE_AT, STATE, STATE_AT } = Layout

/** Words of 32 bits as the text of a data segment, little-endian. */
const bytesOf = (words: ReadonlyArray<number>): string =>
  words
    .flatMap((word) => [word, word >>> 8, word >>> 16, word >>> 24])
    .map((byte) => `\\${(byte & 255).toString(16).padStart(2, "0")}`)
    .join("")

/** A number below 65536 as its big-endian word. */
const swappedWord = (number: number): number => ((number & 255) << 24) | ((number >> 8) << 16)

const at = (address: number) => `(i32.const ${address})`

/** Changes every byte of the block at INPUT_AT by a xor. */
const xorInput = (byte: number): string =>
  [0, 16, 32, 48]
    .map((offset) => {
      const address = at(INPUT_AT + offset)
      return `(v128.store ${address} (v128.xor (v128.load ${address}) (i8x16.splat (i32.const ${byte}))))`
    })
    .join("\n    ")

const compressBlock = (from: number, to: number, block: number) =>
  `(call $compress ${at(from)} ${at(to)} ${at(block)} ${at(block + BLOCK)})`

/** 16 bytes at `half` of the state as 32 digits: the halves of each byte, looked up in a register. */
const digits = (half: number): string => `
    (local.set $bytes ${swapped(`(v128.load ${at(STATE_AT + 16 * half)})`)})
    (local.set $upper (i8x16.swizzle (local.get $alphabet) (i8x16.shr_u (local.get $bytes) (i32.const 4))))
    (local.set $lower (i8x16.swizzle (local.get $alphabet) (v128.and (local.get $bytes) (i8x16.splat (i32.const 15)))))
    (v128.store ${at(DIGITS_AT + 32 * half)} (i8x16.shuffle ${interleaved(0)} (local.get $upper) (local.get $lower)))
    (v128.store ${at(DIGITS_AT + 32 * half + 16)} (i8x16.shuffle ${interleaved(8)} (local.get $upper) (local.get $lower)))`

const alphabet = `(v128.const i8x16 ${[..."0123456789abcdef"].map((digit) => digit.charCodeAt(0)).join(" ")})`
const interleaved = (from: number) => [0, 1, 2, 3, 4, 5, 6, 7].map((at) => `${from + at} ${from + at + 16}`).join(" ")

/** The source of the module. */
export const text = `(module
  (memory (export "memory") 1 1)
  (data ${at(CONSTANTS_AT)} "${bytesOf(Constants.rounds)}")
  (data ${at(INITIAL_AT)} "${bytesOf(Constants.initial)}")
  ;; The outer block's padding: the bit behind 32 bytes of digest, and the length of 96 bytes in bits.
  (data ${at(OUTER_AT + 32)} "\\80")
  (data ${at(OUTER_AT + BLOCK - 4)} "${bytesOf([swappedWord((BLOCK + 32) * 8)])}")
${compress}

  ;; The key at INPUT_AT, filled up to a block with zeros, becomes two states at PREPARED_AT; what tells the key is cleared.
  (func (export "key")
    ${xorInput(0x36)}
    ${compressBlock(INITIAL_AT, PREPARED_AT, INPUT_AT)}
    ${xorInput(0x36 ^ 0x5c)}
    ${compressBlock(INITIAL_AT, PREPARED_AT + STATE, INPUT_AT)}
    (memory.fill ${at(SCHEDULE_AT)} (i32.const 0) (i32.const ${4 * BLOCK}))
    (memory.fill ${at(INPUT_AT)} (i32.const 0) (i32.const ${BLOCK})))

  ;; Takes the $length bytes at INPUT_AT, whole blocks and at least one, into the inner state.
  (func (export "absorb") (param $length i32)
    (call $compress ${at(PREPARED_AT)} ${at(PREPARED_AT)} ${at(INPUT_AT)} (i32.add ${at(INPUT_AT)} (local.get $length))))

  ;; The HMAC of $whole bytes, of which the last $length are at INPUT_AT and the others absorbed, as digits at DIGITS_AT.
  (func (export "hmac") (param $whole i32) (param $length i32)
    (local $end i32) (local $last i32) (local $zero v128)
    (local $bytes v128) (local $upper v128) (local $lower v128) (local $alphabet v128)
    (local.set $end (i32.add ${at(INPUT_AT)} (local.get $length)))
    ;; A bit, zeros, and the length in bits in the last 8 bytes of a block; the key's own block counts too.
    (local.set $last (i32.and (i32.add (local.get $end) (i32.const ${8 + BLOCK})) (i32.const ${-BLOCK})))
    (i32.store8 (local.get $end) (i32.const 0x80))
    (memory.fill
      (i32.add (local.get $end) (i32.const 1))
      (i32.const 0)
      (i32.sub (i32.sub (local.get $last) (local.get $end)) (i32.const 1)))
    (local.set $whole (i32.shl (i32.add (local.get $whole) (i32.const ${BLOCK})) (i32.const 3)))
    (i32.store8 (i32.sub (local.get $last) (i32.const 1)) (local.get $whole))
    (i32.store8 (i32.sub (local.get $last) (i32.const 2)) (i32.shr_u (local.get $whole) (i32.const 8)))
    (call $compress ${at(PREPARED_AT)} ${at(STATE_AT)} ${at(INPUT_AT)} (local.get $last))
    ;; The digest goes before the padding that the outer block always has.
    (v128.store ${at(OUTER_AT)} ${swapped(`(v128.load ${at(STATE_AT)})`)})
    (v128.store ${at(OUTER_AT + 16)} ${swapped(`(v128.load ${at(STATE_AT + 16)})`)})
    ${compressBlock(PREPARED_AT + STATE, STATE_AT, OUTER_AT)}
    (local.set $alphabet ${alphabet})
    ${digits(0)}
    ${digits(1)})
)
`
