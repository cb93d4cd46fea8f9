/**
 * Division by a sparse multiple of the polynomial, sixteen bytes a step ("sparse elimination").
 *
 * Pure text. A multiple with the taps t clears the bytes from the front: y[i] = m[i] + sum of y[i - t] is what a byte has become
 * when its turn comes, and what is to be added a tap's distance behind it. No bit is shifted and no table is read.
 * The idea is that of Sam Russell, "Chorba: A novel CRC32 implementation", 2024, arXiv:2412.16398.
 */
import { type Taps } from "../Polynomial.ts"
import { again, load, plus, store, xor, ZERO } from "./Text.ts"

/**
 * The function `$name`: clears the bytes from $at to $stop, in place, and writes to $to what they leave of those from $stop to
 * $end, which it zeroes where they were. Needs zeros in front of $at, as many as the longest tap; `$stop` - `$at` must be a
 * multiple of 16 times `vectors`, the number of vectors it takes a step, `$end` - `$stop` of 16 and at least the longest tap.
 * With `$end` = `$stop` nothing is written to $to.
 */
export const elimination = (name: string, taps: Taps, vectors: 1 | 2): string => {
  const span = Math.max(...taps)
  // Offsets in instructions cannot be negative: $at is moved down by the span, and all offsets up.
  const cleared = (offset: number) =>
    xor(load("$at", span + offset), ...taps.map((t) => load("$at", span + offset - t)))
  return `
  (func $${name} (param $at i32) (param $stop i32) (param $end i32) (param $to i32)
    (local.set $at ${plus("$at", -span)})
    (local.set $stop ${plus("$stop", -span)})
    (local.set $end ${plus("$end", -span)})
    (if (i32.lt_u (local.get $at) (local.get $stop)) (then
      (loop $next
        ${store("$at", span, cleared(0))}
        ${vectors === 2 ? store("$at", span + 16, cleared(16)) : ""}
        ${again("$next", "$at", 16 * vectors, "$stop")})))
    (if (i32.lt_u (local.get $at) (local.get $end)) (then
      (loop $next
        ${store("$to", 0, cleared(0))}
        ${store("$at", span, ZERO)}
        (local.set $to ${plus("$to", 16)})
        ${again("$next", "$at", 16, "$end")}))))`
}

/**
 * Calls `$name` for an area of `length` bytes with zeros in front, and leaves its last `tail` bytes, divided, at `to`. Begins up
 * to 31 bytes earlier, for whole steps.
 */
export const divide = (name: string, start: number, length: number, tail: number, to: number): string => {
  const end = start + length
  const first = end - tail - Math.ceil((length - tail) / 32) * 32
  return `(call $${name} (i32.const ${first}) (i32.const ${end - tail}) (i32.const ${end}) (i32.const ${to}))`
}
