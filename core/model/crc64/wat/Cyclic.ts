/**
 * The fold of long inputs: every byte is added to two circular accumulators, one for A and one for B ("two-fold").
 *
 * Pure text. x^(8 * 32767) = 1 modulo (x+1)^2 A, so bytes 32767 apart count the same for A, and x^(8 * 131071) = 1 modulo B.
 * Rows are a period of A long, and lie one after the other as they come: all go to the same place of A. Four of them are three
 * bytes less than a period of B: rows 4 to 7 go to B three bytes in front of rows 0 to 3, and every chunk six bytes in front of
 * the one before it. Nothing wraps: B runs on into room in front of it, the slack, and `finish` takes that into account.
 */
import * as Layout from "../Layout.ts"
import { divide } from "./Sparse.ts"
import { again, load, plus, store, xor } from "./Text.ts"

const { A_AT, B_AT, B_SLACK, B_STEP, B_TAIL, B_TAIL_AT, FOLDED, QUARTERS_FOLDED_AT, REGISTER_AT } = Layout
const { ROW, SHORT_OF_B } = Layout

const QUARTERS = [0, 1, 2, 3]

/** The columns of a row that come in whole vectors: all but the last 15. */
const WHOLE = ROW - (ROW % 16)

const and = (mask: string, vector: string) => `(v128.and ${mask} ${vector})`
/** What was there, or zero in the first chunk: cheaper than to clear 160 KiB first. */
const kept = (at: string, offset: number) => and("(local.get $keep)", load(at, offset))

/** What counts of a vector. */
type Counting = (vector: string) => string

/** Adds the vectors at $at of all rows: what counts of them, and of those of rows 4 to 7 for B. */
const add = (counts: Counting, countsForB: Counting) => {
  const lines = [
    ...QUARTERS.map((q) => `(local.set $row${q} ${counts(load("$at", q * ROW))})`),
    store(
      "$a",
      A_AT,
      xor(
        kept("$a", A_AT),
        ...QUARTERS.map((q) => `(local.get $row${q})`),
        ...QUARTERS.map((q) => counts(load("$at", (q + 4) * ROW)))
      )
    ),
    ...QUARTERS.map((q) =>
      store(
        "$b",
        q * ROW,
        xor(kept("$b", q * ROW), `(local.get $row${q})`, countsForB(load("$at", (q + 4) * ROW + SHORT_OF_B)))
      )
    )
  ]
  return lines.join("\n      ")
}

const whole: Counting = (vector) => vector
/** Of the last vector of a row one byte belongs to the next row, and four of the one that begins three bytes further on. */
const FIFTEEN = "(v128.const i64x2 -1 0x00ffffffffffffff)"
const TWELVE = "(v128.const i64x2 -1 0x00000000ffffffff)"

/** Adds the three bytes of row q + 4 that lie in front of its quarter. */
const addFront = (q: number) => {
  const to = plus("$b", q * ROW - WHOLE - SHORT_OF_B)
  const from = plus("$at", (q + 4) * ROW - WHOLE)
  return `(i32.store ${to} (i32.xor (i32.load ${to}) (i32.and (i32.load ${from}) (i32.const 0x00ffffff))))`
}

const addRegister = (at: number) =>
  `(i64.store (i32.const ${at}) (i64.xor (i64.load (i32.const ${at})) (i64.load (i32.const ${REGISTER_AT}))))`

export const functions = `
  ;; Adds the rows at $at, chunk number $chunk since the last finish, to the accumulators: 16 bytes of each row at a time. Reads
  ;; up to 4 bytes past the last row, and changes nothing there.
  (func (export "chunk") (param $at i32) (param $chunk i32)
    (local $a i32) (local $b i32) (local $end i32) (local $keep v128) (local $mask v128) (local $maskOfB v128)
    ${QUARTERS.map((q) => `(local $row${q} v128)`).join(" ")}
    (local.set $b (i32.sub (i32.const ${B_AT}) (i32.mul (local.get $chunk) (i32.const ${B_STEP}))))
    (local.set $end (i32.const ${WHOLE}))
    (if (local.get $chunk)
      (then (local.set $keep (v128.const i64x2 -1 -1)))
      (else (memory.fill (i32.const ${B_AT - B_SLACK}) (i32.const 0) (i32.const ${B_SLACK}))))
    (loop $next
      ${add(whole, whole)}
      (local.set $at ${plus("$at", 16)})
      (local.set $b ${plus("$b", 16)})
      ${again("$next", "$a", 16, "$end")})
    (local.set $mask ${FIFTEEN})
    (local.set $maskOfB ${TWELVE})
    ;; The sixteenth byte is the first of the next quarter, which is there already.
    (local.set $keep (v128.or (local.get $keep) (v128.not (local.get $mask))))
    ${add(
      (vector) => and("(local.get $mask)", vector),
      (vector) => and("(local.get $maskOfB)", vector)
    )}
    ${QUARTERS.map(addFront).join("\n    ")})

  ;; The register after $chunks chunks, out of the accumulators. What it was before counts as if it were added to the first 8
  ;; bytes of the first chunk.
  (func (export "finish") (param $chunks i32) (local $period i32) (local $at i32) (local $end i32)
    ${addRegister(A_AT)}
    ${addRegister(B_AT)}
    ;; A: the fold takes a byte more than a period has, a zero in front.
    (call $foldA (i32.const ${A_AT - 1}))
    ;; B: the last period begins six bytes in front of the last chunk: three for its second half, and three that this is short of
    ;; a period. What lies behind the period is added to its start.
    (local.set $period (i32.sub (i32.const ${B_AT}) (i32.mul (local.get $chunks) (i32.const ${B_STEP}))))
    (local.set $at (local.get $period))
    (local.set $end (i32.const ${B_AT - SHORT_OF_B}))
    (loop $next
      (i32.store8 (local.get $at)
        (i32.xor (i32.load8_u (local.get $at)) (i32.load8_u offset=${4 * ROW + SHORT_OF_B} (local.get $at))))
      ${again("$next", "$at", 1, "$end")})
    (call $foldQuarters ${plus("$period", -1)})
    ${divide("b", QUARTERS_FOLDED_AT, FOLDED, B_TAIL, B_TAIL_AT)}
    (call $unite))`
