/**
 * The tables, and the CRC of a short area by sixteen of them at a time ("slice-by-16").
 *
 * Pure text. Source of the method: Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
 * Generation", IEEE Transactions on Computers 57(11), 2008.
 */
import * as Layout from "../Layout.ts"
import { POLYNOMIAL } from "../Polynomial.ts"
import { again, plus, xor64 } from "./Text.ts"

/** `$word` times x: one bit to the right, and the polynomial where a bit fell out. */
export const timesX = (word: string): string => `
    (i64.xor
      (i64.shr_u (local.get ${word}) (i64.const 1))
      (i64.and (i64.const ${POLYNOMIAL}) (i64.sub (i64.const 0) (i64.and (local.get ${word}) (i64.const 1)))))`

/** Where the entry of a table for byte number `byte` of `$word` lies, relative to the table: eight times that byte. */
const index = (word: string, byte: number): string =>
  `(i32.shl (i32.and (i32.wrap_i64 (i64.shr_u (local.get ${word}) (i64.const ${8 * byte}))) (i32.const 255)) (i32.const 3))`

const lookup = (table: number, word: string, byte: number): string =>
  `(i64.load offset=${Layout.TABLES_AT + 2048 * table} ${index(word, byte)})`

const BYTES = [0, 1, 2, 3, 4, 5, 6, 7]

export const functions = `
  ;; Table k holds, for each of the 256 bytes, the register after that byte and k zero bytes. Called once.
  (func (export "initialize") (local $i i32) (local $bits i32) (local $entry i64) (local $end i32)
    (local.set $end (i32.const 256))
    (loop $next
      (local.set $entry (i64.extend_i32_u (local.get $i)))
      (local.set $bits (i32.const 8))
      (loop $bit
        (local.set $entry ${timesX("$entry")})
        (br_if $bit (local.tee $bits ${plus("$bits", -1)})))
      (i64.store offset=${Layout.TABLES_AT} (i32.shl (local.get $i) (i32.const 3)) (local.get $entry))
      ${again("$next", "$i", 1, "$end")})
    (local.set $i (i32.const 0))
    (local.set $end (i32.const ${15 * 2048}))
    (loop $next
      (local.set $entry (i64.load offset=${Layout.TABLES_AT} (local.get $i)))
      (i64.store offset=${Layout.TABLES_AT + 2048} (local.get $i)
        (i64.xor (i64.shr_u (local.get $entry) (i64.const 8)) ${lookup(0, "$entry", 0)}))
      ${again("$next", "$i", 8, "$end")}))

  ;; The remainder of the bytes from $at to $end, a multiple of 16: the register they leave when it was 0 before.
  (func $remainder (param $at i32) (param $end i32) (result i64) (local $first i64) (local $second i64) (local $crc i64)
    (loop $next
      (local.set $first (i64.xor (local.get $crc) (i64.load (local.get $at))))
      (local.set $second (i64.load offset=8 (local.get $at)))
      (local.set $crc ${xor64(
        ...BYTES.map((byte) => lookup(15 - byte, "$first", byte)),
        ...BYTES.map((byte) => lookup(7 - byte, "$second", byte))
      )})
      ${again("$next", "$at", 16, "$end")})
    (local.get $crc))`
