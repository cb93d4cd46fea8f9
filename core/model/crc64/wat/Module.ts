/**
 * The whole WASM module as WebAssembly text: memory, the functions of this folder, and the entries the driver calls.
 *
 * Pure text; test/core/model/crc64/build.ts assembles it. Every entry takes the register from memory and puts it back there.
 * None inverts it. Those with $length work on the bytes that end at INPUT_END; they need at least 8, for the register.
 */
import * as Layout from "../Layout.ts"
import * as Polynomial from "../Polynomial.ts"
import * as BitFold from "./BitFold.ts"
import * as Cyclic from "./Cyclic.ts"
import { divide, elimination } from "./Sparse.ts"
import * as Tables from "./Tables.ts"
import { ZERO } from "./Text.ts"

const { A_FOLDED, A_FOLDED_AT, A_TAIL, A_TAIL_AT, BLOCK, B_FOLDED, B_FOLDED_AT, B_TAIL, B_TAIL_AT } = Layout
const { HALVED_AT, INPUT_AT, INPUT_END, NARROW_TAIL, NARROW_TAIL_AT, REGISTER_AT, WIDE_TAIL, WIDE_TAIL_AT } = Layout

/** The remainder of an area of `length` bytes: all but the last NARROW_TAIL cleared, and those looked up. */
const remainderOf = (start: number, length: number) => `
      (call $narrow
        (i32.const ${start}) (i32.const ${start + length - NARROW_TAIL}) (i32.const ${start + length})
        (i32.const ${NARROW_TAIL_AT}))
      (call $remainder (i32.const ${NARROW_TAIL_AT}) (i32.const ${NARROW_TAIL_AT + NARROW_TAIL}))`

/** The start of the input, moved to the front until all but the last `tail` bytes come in whole steps. */
const inSteps = (tail: number, step: number) =>
  `(i32.sub (i32.const ${INPUT_END - tail}) (i32.and (i32.sub (local.get $length) (i32.const ${tail - step + 1})) (i32.const ${-step})))`

const enter = `(local.set $start (i32.sub (i32.const ${INPUT_END}) (local.get $length)))
    (call $absorb (local.get $start))`
/** Zeros in front of the input, in place of what an earlier and longer one left there. */
const clearInFront = (length: number) =>
  `(memory.fill (i32.sub (local.get $start) (i32.const ${length})) (i32.const 0) (i32.const ${length}))`
const leave = (register: string) => `(i64.store (i32.const ${REGISTER_AT}) ${register})`

const entries = `
  ;; What came before is the register, and counts as if it were added to the first 8 bytes.
  (func $absorb (param $start i32)
    (i64.store (local.get $start) (i64.xor (i64.load (local.get $start)) (i64.load (i32.const ${REGISTER_AT})))))

  ;; By tables alone. $length: 8 to ${BLOCK}.
  (func (export "slices") (param $length i32) (local $start i32)
    ${enter}
    (v128.store (i32.sub (local.get $start) (i32.const 16)) ${ZERO})
    ${leave(`(call $remainder ${inSteps(0, 16)} (i32.const ${INPUT_END}))`)})

  ;; By the narrow multiple. $length: ${NARROW_TAIL} to ${BLOCK}.
  (func (export "narrow") (param $length i32) (local $start i32)
    ${enter}
    ${clearInFront(NARROW_TAIL + 16)}
    (call $narrow
      ${inSteps(NARROW_TAIL, 16)} (i32.const ${INPUT_END - NARROW_TAIL}) (i32.const ${INPUT_END})
      (i32.const ${NARROW_TAIL_AT}))
    ${leave(`(call $remainder (i32.const ${NARROW_TAIL_AT}) (i32.const ${NARROW_TAIL_AT + NARROW_TAIL}))`)})

  ;; By the wide multiple, and what is left by the narrow one. $length: ${WIDE_TAIL} to ${BLOCK}.
  (func (export "wide") (param $length i32) (local $start i32) (local $remainder i64)
    ${enter}
    ${clearInFront(WIDE_TAIL + 32)}
    (call $wide
      ${inSteps(WIDE_TAIL, 32)} (i32.const ${INPUT_END - WIDE_TAIL}) (i32.const ${INPUT_END})
      (i32.const ${WIDE_TAIL_AT}))
    (local.set $remainder ${remainderOf(WIDE_TAIL_AT, WIDE_TAIL)})
    ${leave("(local.get $remainder)")})

  ;; Folded by bits modulo A and modulo B, and then united. $length: 8 to ${BLOCK}.
  (func (export "block") (param $length i32) (local $start i32)
    ${enter}
    (memory.fill (i32.const ${INPUT_AT}) (i32.const 0) (i32.sub (i32.const ${BLOCK}) (local.get $length)))
    (call $halve (i32.const ${INPUT_AT}))
    (call $foldA (i32.const ${HALVED_AT}))
    (call $foldB (i32.const ${INPUT_AT}))
    ${divide("b", B_FOLDED_AT, B_FOLDED, B_TAIL, B_TAIL_AT)}
    (call $unite))

  ;; The register, out of what is left for A (A_FOLDED_AT) and for B (B_TAIL_AT): with a and b the two remainders and e the
  ;; idempotent, (a + b) e + b is a modulo (x+1)^2 A and b modulo B.
  (func $unite (local $a i64) (local $b i64) (local $power i64) (local $product i64) (local $bits i32)
    ${divide("a", A_FOLDED_AT, A_FOLDED, A_TAIL, A_TAIL_AT)}
    (local.set $a ${remainderOf(A_TAIL_AT, A_TAIL)})
    (local.set $b ${remainderOf(B_TAIL_AT, B_TAIL)})
    (local.set $a (i64.xor (local.get $a) (local.get $b)))
    (local.set $power (i64.const ${Polynomial.IDEMPOTENT}))
    (local.set $bits (i32.const 64))
    (loop $next
      (local.set $product
        (i64.xor (local.get $product) (i64.and (local.get $power) (i64.shr_s (local.get $a) (i64.const 63)))))
      (local.set $a (i64.shl (local.get $a) (i64.const 1)))
      (local.set $power ${Tables.timesX("$power")})
      (br_if $next (local.tee $bits (i32.sub (local.get $bits) (i32.const 1)))))
    ${leave("(i64.xor (local.get $product) (local.get $b))")})`

/** The source of the module. */
export const text = `(module
  (memory (export "memory") ${Layout.PAGES})
${Tables.functions}
${elimination("wide", Polynomial.WIDE, 2)}
${elimination("narrow", Polynomial.NARROW, 1)}
${elimination("a", Polynomial.A, 2)}
${elimination("b", Polynomial.B, 2)}
${BitFold.functions}
${Cyclic.functions}
${entries}
)
`
