/**
 * From 32768 bytes, or 65536, to 8192 with the same remainder modulo (x+1)^2 A, and then to that remainder.
 *
 * Pure text. x^65536 = x^2 modulo (x+1)^2 A, so a row of 8192 bytes counts as much as the next row, two bits further to the
 * front; the front is the right here, as bits are reversed. Four rows are shifted by 6, 4, 2 and 0 bits and added.
 * Two bits and not one with rows of 4096 bytes: x^32768 = x holds only modulo (x+1) A, and the lost factor would need a repair.
 */
import * as Layout from "../Layout.ts"
import { load, plus, store, xor } from "./Text.ts"

const { FOLDED, FOLDED_AT, ROW } = Layout

/** The vector of row 0 to 3 at $at. With two halves, a byte of the first one counts as the byte before it in the second. */
const vector = (row: number, halves: 1 | 2): string =>
  halves === 1 ? load("$at", FOLDED * row) : xor(load("$at", FOLDED * row + 1), load("$at", ROW + FOLDED * row))

const shiftRight = (value: string, bits: number) => `(i64x2.shr_u ${value} (i32.const ${bits}))`
const shiftLeft = (value: string, bits: number) => `(i64x2.shl ${value} (i32.const ${bits}))`

/**
 * `$name`: folds the 32768 * `halves` bytes at $at into FOLDED_AT. Words of 8 bytes are shifted by themselves; the bits that
 * fall out of one, $out, belong to the word before it. So it goes from the back to the front, and hands them on in $carry.
 */
export const fold = (name: string, halves: 1 | 2): string => `
  (func $${name} (param $at i32) (local $to i32) (local $row v128) (local $sum v128) (local $out v128) (local $carry v128)
    (local.set $to (i32.const ${FOLDED}))
    (local.set $at ${plus("$at", FOLDED - 16)})
    (loop $next
      (local.set $sum ${vector(0, halves)})
      (local.set $out ${shiftLeft("(local.get $sum)", 58)})
      (local.set $row ${vector(1, halves)})
      (local.set $sum ${xor(shiftRight("(local.get $sum)", 2), "(local.get $row)")})
      (local.set $out ${xor("(local.get $out)", shiftLeft("(local.get $row)", 60))})
      (local.set $row ${vector(2, halves)})
      (local.set $sum ${xor(shiftRight("(local.get $sum)", 2), "(local.get $row)")})
      (local.set $out ${xor("(local.get $out)", shiftLeft("(local.get $row)", 62))})
      (local.set $sum ${xor(shiftRight("(local.get $sum)", 2), vector(3, halves))})
      ;; The second word of $out goes to the first of this vector, the first word of the vector behind to its second.
      ${store("$to", FOLDED_AT - 16, xor("(local.get $sum)", "(i8x16.shuffle 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (local.get $out) (local.get $carry))"))}
      (local.set $carry (local.get $out))
      (local.set $at ${plus("$at", -16)})
      (br_if $next (local.tee $to ${plus("$to", -16)})))
    ;; What fell out at the front is a whole row away from the end: two bits further to the front once more.
    (i64.store (i32.const ${FOLDED_AT + FOLDED - 8})
      (i64.xor
        (i64.load (i32.const ${FOLDED_AT + FOLDED - 8}))
        (i64.shr_u (i64x2.extract_lane 0 (local.get $carry)) (i64.const 2)))))`
