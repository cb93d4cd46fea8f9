/**
 * The fold of long inputs: every byte is added to two circular accumulators, one for A and one for B ("two-fold").
 *
 * Pure text. x^(8 * 32767) = 1 modulo (x+1)^2 A, so bytes 32767 apart count the same for A, and x^(8 * 131071) = 1 modulo B.
 * Rows are a byte longer than the period of A, and four of them are a byte longer than the period of B: row r goes to A moved on
 * by r bytes, and to quarter r mod 4 of B moved on by r/4 bytes. Nothing wraps: both accumulators run on into room behind them,
 * the slack, and `finish` takes that into account.
 */
import * as Layout from "../Layout.ts"
import { divide } from "./Sparse.ts"
import { again, load, plus, store, xor } from "./Text.ts"

const { A_AT, B_AT, B_STRIDE, B_TAIL, B_TAIL_AT, CHUNKS, QUARTER, QUARTERS_FOLDED_AT } = Layout
const { ROW, ROWS_AT, ROWS_PER_CHUNK, ROW_STRIDE } = Layout

/** How far a chunk moves the accumulators on: a byte for each row, and for each four. */
const A_STEP = ROWS_PER_CHUNK
const B_STEP = ROWS_PER_CHUNK / 4

/** Where the columns are counted from, so that no offset is negative: at least the 8 bytes a row is moved on by. */
const BASE = 16

const ROWS = [0, 1, 2, 3, 4, 5, 6, 7]
const QUARTERS = [0, 1, 2, 3]

const row = (r: number, movedOn: number) => load("$column", ROWS_AT + r * ROW_STRIDE - movedOn - BASE)
/** What was there, or zero in the first chunk: cheaper than to clear 160 KiB first. */
const kept = (at: string, offset: number) => `(v128.and (local.get $keep) ${load(at, offset)})`

const clear = (from: string, length: number) => `(memory.fill ${from} (i32.const 0) (i32.const ${length}))`
const times = (name: string, factor: number) => `(i32.mul (local.get ${name}) (i32.const ${factor}))`

/** The slack that the first chunk does not reach must be zero when a later one gets there. */
const clearSlack = (accumulator: number, step: number) =>
  clear(`(i32.const ${accumulator + ROW + 16})`, step * (CHUNKS - 1))

export const functions = `
  ;; Adds the rows, chunk number $chunk since the last finish, to the accumulators: 16 bytes of each row at a time.
  ;; One column more than a row has, for the bytes moved on past its end.
  (func (export "chunk") (param $chunk i32)
    (local $column i32) (local $end i32) (local $a i32) (local $b i32) (local $keep v128)
    (local.set $column (i32.const ${BASE}))
    (local.set $end (i32.const ${BASE + ROW + 16}))
    (local.set $a (i32.add (local.get $column) ${times("$chunk", A_STEP)}))
    (local.set $b (i32.add (local.get $column) ${times("$chunk", B_STEP)}))
    (if (local.get $chunk)
      (then (local.set $keep (v128.const i64x2 -1 -1)))
      (else
        (call $absorb (i32.const ${ROWS_AT}))
        ${clearSlack(A_AT, A_STEP)}
        ${QUARTERS.map((q) => clearSlack(B_AT + q * B_STRIDE, B_STEP)).join("\n        ")}))
    (loop $next
      ${store("$a", A_AT - BASE, xor(kept("$a", A_AT - BASE), ...ROWS.map((r) => row(r, r))))}
      ${QUARTERS.map((q) => {
        const offset = B_AT + q * B_STRIDE - BASE
        return store("$b", offset, xor(kept("$b", offset), row(q, 0), row(q + 4, 1)))
      }).join("\n      ")}
      (local.set $a ${plus("$a", 16)})
      (local.set $b ${plus("$b", 16)})
      ${again("$next", "$column", 16, "$end")}))

  ;; The register after $chunks chunks, out of the accumulators.
  (func (export "finish") (param $chunks i32) (local $slack i32) (local $at i32)
    ;; A: the input ends with the slack; a period that ends there is left, and the bytes in front of it are added to its end.
    (local.set $slack ${times("$chunks", A_STEP)})
    (loop $next
      (i32.store8 offset=${A_AT + ROW - 1} (local.get $at)
        (i32.xor (i32.load8_u offset=${A_AT + ROW - 1} (local.get $at)) (i32.load8_u offset=${A_AT} (local.get $at))))
      (i32.store8 offset=${A_AT} (local.get $at) (i32.const 0))
      ${again("$next", "$at", 1, "$slack")})
    ;; The fold takes a byte more than a period has: the last of those just zeroed.
    (call $foldA ${plus("$slack", A_AT - 1)})
    ;; B: a byte of a quarter counts as much as the one at the same place in the next, two bits further to the front. The
    ;; input ends with the slack of the last quarter, less a byte.
    (call $foldQuarters (i32.add ${times("$chunks", B_STEP)} (i32.const ${B_AT + ROW - 1 - QUARTER})))
    ${divide("b", QUARTERS_FOLDED_AT, QUARTER, B_TAIL, B_TAIL_AT)}
    (call $unite))`
