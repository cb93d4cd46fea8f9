/**
 * Every way Crc64 has to run bytes through a register, against a byte table that shares no code with them.
 *
 * A case takes a slice of random content, begins with the register the table has in front of it, and must end with the one the
 * table has behind it. All ways are linear in register and content, so random content finds a wrong one at every second case.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Layout from "../../../core/model/crc64/Layout.ts"
import * as Register from "../../../core/model/crc64/Register.ts"
import * as Slices from "../../../core/model/crc64/Slices.ts"
import * as Wasm from "../../../core/model/crc64/Wasm.ts"
import * as ByteTable from "./crc64/ByteTable.ts"

const CASES = 25_000

/** Equal in every run, so that a failure can be looked at. */
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d)
    return Math.floor((((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32) * below)
  }
}

const next = random(1)
const content = Uint8Array.from({ length: 1_500_000 }, () => next(256))
const registers = ByteTable.registers(content)

const wasm = Wasm.make()
if (wasm === undefined) throw new Error("no WebAssembly here")

const memory = Wasm.memory(content.length)
const inPlace = memory && Wasm.inPlace(memory)
if (memory === undefined || inPlace === undefined) throw new Error("no memory of its own")
memory.set(content)

/** Whether `update` takes the register in front of the slice to the one behind it. */
const holds = (update: typeof Slices.update, start: number, length: number): boolean => {
  const register = { low: registers[2 * start]!, high: registers[2 * start + 1]! }
  const from = update === inPlace ? memory : content
  update(register, from.subarray(start, start + length))
  const end = start + length
  return register.low === registers[2 * end]! && register.high === registers[2 * end + 1]!
}

/** How many of the random slices with `shortest` to `longest` bytes are wrong. */
const wrong = (update: typeof Slices.update, shortest: number, longest: number): number => {
  const pick = random(shortest)
  let count = 0
  for (let i = 0; i < CASES; i++) {
    const length = shortest + pick(longest - shortest + 1)
    if (!holds(update, pick(content.length - length + 1), length)) count++
  }
  return count
}

describe("Crc64, over 25,000 random slices each,", () => {
  it("is right in TypeScript", () => {
    assert.strictEqual(wrong(Slices.update, 0, 2_000), 0)
  })
  it("is right by tables", () => {
    assert.strictEqual(wrong(wasm, Wasm.SHORTEST, Wasm.NARROW_FROM - 1), 0)
  })
  it("is right by the narrow multiple", () => {
    assert.strictEqual(wrong(wasm, Wasm.NARROW_FROM, Wasm.WIDE_FROM - 1), 0)
  })
  it("is right by the wide multiple", () => {
    assert.strictEqual(wrong(wasm, Wasm.WIDE_FROM, Wasm.BLOCK_FROM - 1), 0)
  })
  it("is right by blocks", () => {
    assert.strictEqual(wrong(wasm, Wasm.BLOCK_FROM, Layout.BLOCK), 0)
  })
  it("is right by several blocks and what is left", () => {
    assert.strictEqual(wrong(wasm, Layout.BLOCK + 1, Layout.CHUNK - 1), 0)
  })
  it("is right by chunks, blocks and what is left", () => {
    assert.strictEqual(wrong(wasm, Layout.CHUNK, 2.5 * Layout.CHUNK), 0)
  })
  it("is right by chunks where they lie, and changes nothing there", () => {
    assert.strictEqual(wrong(inPlace, Layout.CHUNK, 2.5 * Layout.CHUNK), 0)
    assert.deepStrictEqual(memory, content)
  })
  it("is right when all these take turns in one memory", () => {
    const pick = random(2)
    let count = 0
    for (let i = 0; i < CASES; i++) {
      // As many of 10 to 100 bytes as of 100 to 1000, and so on.
      const length = Math.floor(10 ** (1 + pick(4_800) / 1_000))
      if (!holds(i % 2 === 0 ? wasm : inPlace, pick(content.length - length + 1), length)) count++
    }
    assert.strictEqual(count, 0)
  })
})

describe("Crc64", () => {
  it("is right at every length up to 4200 bytes, in both ways", () => {
    const lengths = Array.from({ length: 4201 }, (_, length) => length)
    assert.deepStrictEqual(
      lengths.filter((length) => !holds(wasm, length, length) || !holds(Slices.update, 3 * length, length)),
      []
    )
  })
  it("is right at every length around every limit", () => {
    const limits = [
      Wasm.WIDE_FROM,
      Wasm.BLOCK_FROM,
      ...[1, 2, 3].map((n) => n * Layout.BLOCK),
      ...[1, 2, 5].map((n) => n * Layout.CHUNK)
    ]
    const lengths = limits.flatMap((limit) => Array.from({ length: 161 }, (_, i) => limit - 80 + i))
    assert.deepStrictEqual(
      lengths.filter((length) => !holds(wasm, length % 1000, length) || !holds(inPlace, length % 1000, length)),
      []
    )
  })
  it("is right past the most chunks between two finishes", () => {
    const long = new Uint8Array(Layout.CHUNK * (Layout.CHUNKS + 1) + 70_001)
    for (let at = 0; at < long.length; at += content.length) long.set(content.subarray(0, long.length - at), at)
    const lengths = [...[-1, 0, 1].map((more) => Layout.CHUNK * (Layout.CHUNKS + more)), long.length]
    const there = Crc64.buffers(1, long.length)[0]!
    there.set(long)
    let [expected, at] = [0n, 0]
    const right = lengths.map((length) => {
      expected = ByteTable.of(long.subarray(at, length), expected)
      at = length
      const register = { low: -1, high: -1 }
      wasm(register, long.subarray(0, length))
      const crcs = [Register.bits(~register.low, ~register.high), Crc64.of(there.subarray(0, length))]
      return crcs.every((crc) => crc === expected)
    })
    assert.deepStrictEqual(right, [true, true, true, true])
  })
})
