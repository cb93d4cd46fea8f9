/**
 * Folds with a shift by bits: rows are added up, each a few bits further to the front than the one behind it.
 *
 * Pure text. Where x^(8 * length) = x^bits modulo a factor of the polynomial, a row counts as much as the one `length` bytes
 * behind it, `bits` bits further to the front; and the front is the right here, as bits are reversed.
 */
import * as Layout from "../Layout.ts"
import { load, plus, store, xor } from "./Text.ts"

interface Fold {
  readonly rows: 2 | 4
  /** Of a row, in bytes: a multiple of 16. */
  readonly length: number
  readonly bits: number
  /** Where the result goes: as many bytes as a row has. */
  readonly to: number
}

/**
 * Modulo (x+1)^2 A, x^65536 = x^2: by two bits, and by one byte for rows of 32768 bytes. Not by one bit with rows of 4096 bytes,
 * for x^32768 = x holds modulo (x+1) A only, and the factor x+1 so lost would need a repair.
 */
const HALVES: Fold = { rows: 2, length: Layout.FOLDED, bits: 8, to: Layout.HALVED_AT }
const A: Fold = { rows: 4, length: Layout.A_FOLDED, bits: 2, to: Layout.A_FOLDED_AT }
/** Modulo B, x^131072 = x: by one bit with rows of 16384 bytes, and by two with the quarters of what the cyclic fold leaves. */
const B: Fold = { rows: 4, length: Layout.B_FOLDED, bits: 1, to: Layout.B_FOLDED_AT }
const QUARTERS: Fold = { rows: 4, length: Layout.FOLDED, bits: 2, to: Layout.QUARTERS_FOLDED_AT }

/**
 * The function `$name`: folds the rows at $at. Words of 8 bytes are shifted by themselves; the bits that fall out of one, $out,
 * belong to the word before it. So it goes from the back to the front, and hands them on in $carry.
 */
const fold = (name: string, { rows, length, bits, to }: Fold): string => {
  const steps = Array.from({ length: rows - 1 }, (_, i) => i + 1).map((row) => {
    const shift = bits * (rows - 1 - row)
    return `
      (local.set $row ${load("$at", length * row)})
      (local.set $sum ${xor(`(i64x2.shr_u (local.get $sum) (i32.const ${bits}))`, "(local.get $row)")})
      ${shift > 0 ? `(local.set $out ${xor("(local.get $out)", fallingOut("$row", shift))})` : ""}`
  })
  return `
  (func $${name} (param $at i32) (local $to i32) (local $row v128) (local $sum v128) (local $out v128) (local $carry v128)
    (local.set $to (i32.const ${length}))
    (local.set $at ${plus("$at", length - 16)})
    (loop $next
      (local.set $sum ${load("$at", 0)})
      (local.set $out ${fallingOut("$sum", bits * (rows - 1))})
      ${steps.join("")}
      ;; The second word of $out goes to the first of this vector, the first word of the vector behind to its second.
      ${store("$to", to - 16, xor("(local.get $sum)", SECOND_AND_NEXT))}
      (local.set $carry (local.get $out))
      (local.set $at ${plus("$at", -16)})
      (br_if $next (local.tee $to ${plus("$to", -16)})))
    ;; What fell out at the front counts as much a row behind, once more shifted.
    (i64.store (i32.const ${to + length - 8})
      (i64.xor
        (i64.load (i32.const ${to + length - 8}))
        (i64.shr_u (i64x2.extract_lane 0 (local.get $carry)) (i64.const ${bits})))))`
}

const fallingOut = (row: string, shift: number) => `(i64x2.shl (local.get ${row}) (i32.const ${64 - shift}))`

const SECOND_AND_NEXT =
  "(i8x16.shuffle 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (local.get $out) (local.get $carry))"

export const functions = `
${fold("halve", HALVES)}
${fold("foldA", A)}
${fold("foldB", B)}
${fold("foldQuarters", QUARTERS)}`
