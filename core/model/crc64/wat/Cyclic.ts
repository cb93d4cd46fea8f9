/**
 * The fold of long inputs: every byte is added to two circular accumulators, one for A and one for B ("two-fold").
 *
 * Pure text. x^(8 * 32767) = 1 modulo (x+1)^2 A, so bytes 32767 apart count the same for A, and x^(8 * 131071) = 1 modulo B.
 * Rows are a byte longer than the period of A, and four of them are a byte longer than the period of B: row r goes to A moved on
 * by r bytes, and to quarter r mod 4 of B moved on by r/4 bytes. Nothing wraps: both accumulators run on into room behind them
 * (the slack), and `finish` brings that back to the front.
 */
import * as Layout from "../Layout.ts"
import { again, load, plus, store, xor } from "./Text.ts"

const { A_AT, B_AT, B_STRIDE, B_TAIL, B_TAIL_AT, CHUNKS, ROW, ROWS_AT, ROWS_PER_CHUNK, ROW_STRIDE } = Layout

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

  ;; Adds the $length bytes at $from to those at $to, from the last to the first.
  (func $add (param $to i32) (param $from i32) (param $length i32)
    (if (local.get $length) (then
      (loop $next
        (local.set $length ${plus("$length", -1)})
        (i32.store8
          (i32.add (local.get $to) (local.get $length))
          (i32.xor
            (i32.load8_u (i32.add (local.get $to) (local.get $length)))
            (i32.load8_u (i32.add (local.get $from) (local.get $length)))))
        (br_if $next (local.get $length))))))

  ;; The register after $chunks chunks, out of the accumulators. The input then ends $chunks * ${A_STEP} bytes behind the first
  ;; period of A and $chunks * ${B_STEP} behind that of B. A period that ends there is left, and its front is added to its back.
  (func (export "finish") (param $chunks i32) (local $a i32) (local $b i32)
    (local.set $a ${times("$chunks", A_STEP)})
    (call $add (i32.const ${A_AT + ROW - 1}) (i32.const ${A_AT}) (local.get $a))
    ;; The fold by bits takes a byte more than the period has.
    (i32.store8 offset=${A_AT - 1} (local.get $a) (i32.const 0))
    (call $fold1 ${plus("$a", A_AT - 1)})
    (local.set $b ${times("$chunks", B_STEP)})
    (call $add (i32.const ${B_AT + 3 * B_STRIDE + ROW - 1}) (i32.const ${B_AT}) (local.get $b))
    ;; From here on the quarters begin a byte before that period, as four rows have a byte more than it. Each takes the front
    ;; of the next, then is divided with the last bytes of the one before in front of it; the first has zeros there.
    (local.set $b ${plus("$b", -1)})
    ${[0, 1, 2]
      .map(
        (q) =>
          `(call $add (i32.const ${B_AT + q * B_STRIDE + ROW}) (i32.const ${B_AT + (q + 1) * B_STRIDE}) (local.get $b))`
      )
      .join("\n    ")}
    ${clear(plus("$b", B_AT - B_TAIL), B_TAIL + 1)}
    ${QUARTERS.map((q) => {
      const [start, end] = [B_AT + q * B_STRIDE, B_AT + q * B_STRIDE + ROW]
      return q < 3
        ? `(call $b ${plus("$b", start)} ${plus("$b", end)} ${plus("$b", end)} (i32.const 0))
    (memory.copy ${plus("$b", start + B_STRIDE - B_TAIL)} ${plus("$b", end - B_TAIL)} (i32.const ${B_TAIL}))`
        : `(call $b ${plus("$b", start)} ${plus("$b", end - B_TAIL)} ${plus("$b", end)} (i32.const ${B_TAIL_AT}))`
    }).join("\n    ")}
    (call $unite))`
