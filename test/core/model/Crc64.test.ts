/**
 * What Crc64 promises, against a byte table that shares no code with it (crc64/ByteTable.ts).
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { vi } from "vitest"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as ByteTable from "./crc64/ByteTable.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const law = { numRuns: 10_000 }
const bytes = fc.uint8Array({ maxLength: 100 })
const crc = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })

describe("Crc64", () => {
  it("gives the check value of CRC-64/XZ", () => {
    assert.strictEqual(Crc64.of(ascii("123456789")), 11051210869376104954n)
  })
  it("gives what OSS answers for hello world", () => {
    assert.strictEqual(Crc64.of(ascii("hello world")), 5981764153023615706n)
  })
  it("gives 0 for no bytes, at once or streamed", () => {
    assert.deepStrictEqual([Crc64.of(new Uint8Array()), Crc64.make().digest()], [0n, 0n])
  })
  it("agrees with the definition", () => {
    fc.assert(
      fc.property(bytes, (content) => Crc64.of(content) === ByteTable.definition(content)),
      law
    )
  })
  it("does not depend on how the content is cut", () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 8 }), (chunks) => {
        const hasher = Crc64.make()
        for (const chunk of chunks) hasher.update(chunk)
        return hasher.digest() === Crc64.of(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])))
      }),
      law
    )
  })
  it("tells the digest at any moment, and goes on", () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const hasher = Crc64.make()
        hasher.update(first)
        const half = hasher.digest()
        hasher.update(second)
        return half === Crc64.of(first) && hasher.digest() === Crc64.of(Uint8Array.from([...first, ...second]))
      }),
      law
    )
  })
})

describe("Crc64 of memory that is used again", () => {
  it("is that of what is there now, wherever in it the bytes lie", () => {
    const memory = new ArrayBuffer(1_500_000)
    const words = new Uint32Array(memory)
    for (let round = 0, seed = 1; round < 40; round++) {
      for (let i = 0; i < words.length; i++) words[i] = seed = Math.imul(seed, 1664525) + 1013904223
      const offset = [0, 32768, 65536, 1, 32767, 98304][round % 6]!
      const length = [1_000_000, 262_144, 700_001, 1_310_720][round % 4]!
      const content = new Uint8Array(memory, offset, length)
      assert.strictEqual(Crc64.of(content), ByteTable.of(content))
    }
  })
})

describe("Crc64.buffers", () => {
  it("gives so many of that size, all zero, which do not overlap", () => {
    for (const size of [1, 1_000, 262_135, 262_136, 300_001]) {
      const buffers = Crc64.buffers(3, size)
      assert.deepStrictEqual(
        buffers.map((buffer) => [buffer.length, buffer.every((byte) => byte === 0)]),
        [0, 1, 2].map(() => [size, true])
      )
      buffers.forEach((buffer, i) => buffer.fill(i + 1))
      assert.isTrue(buffers.every((buffer, i) => buffer.every((byte) => byte === i + 1)))
    }
  })
  it("gives no other CRC for what lies there, in turns with what lies elsewhere", () => {
    const [first, second] = Crc64.buffers(2, 700_000) as [Uint8Array, Uint8Array]
    const elsewhere = Uint8Array.from({ length: 700_000 }, (_, i) => (i * i * 31) >> 9)
    first.set(elsewhere)
    second.set(elsewhere.toReversed())
    const expected = [ByteTable.of(first), ByteTable.of(second), ByteTable.of(elsewhere)]
    const hashers = expected.map(() => Crc64.make())
    for (let at = 0; at < 700_000; at += 350_000) {
      const cut = [first, second, elsewhere].map((content) => content.subarray(at, at + 350_000))
      cut.forEach((content, i) => hashers[i]?.update(content))
    }
    assert.deepStrictEqual(
      hashers.map((hasher) => hasher.digest()),
      expected
    )
  })
  it("takes the CRC of what lies there without copying more than what is left of a chunk", () => {
    const [lying] = Crc64.buffers(1, 1_048_576) as [Uint8Array]
    const elsewhere = new Uint8Array(lying.length)
    const copy = vi.spyOn(Uint8Array.prototype, "set")
    const copied = [lying, elsewhere].map((content) => {
      copy.mockClear()
      Crc64.of(content)
      return copy.mock.calls.reduce((sum, [{ length }]) => sum + length, 0)
    })
    copy.mockRestore()
    // Four chunks of 262,136 bytes leave 32, too few to be copied.
    assert.deepStrictEqual(copied, [0, 4 * 262_136])
  })
  it("goes on with other memory when that is all taken, and takes it again when it is free", async () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7)
    const crc = ByteTable.of(content)
    const take = () => Crc64.buffers(1, content.length)[0]!
    const isOther = (bytes: Uint8Array) => bytes.buffer.byteLength === content.length
    const fill = () => {
      const taken = Array.from({ length: 100 }, take)
      for (const bytes of taken) bytes.set(content)
      return [taken.filter(isOther).length >= 100 - 64, taken.every((bytes) => Crc64.of(bytes) === crc)]
    }
    assert.deepStrictEqual(fill(), [true, true])
    setFlagsFromString("--expose-gc")
    const collect = runInNewContext("gc") as () => void
    let isFree = false
    for (let i = 0; i < 100 && !isFree; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      collect()
      isFree = !isOther(take())
    }
    assert.isTrue(isFree)
  })
})

describe("Crc64.make", () => {
  const content = Uint8Array.from({ length: 700_000 }, (_, i) => (i * i * 31) >> 9)
  const cut = (seed: number) => {
    const chunks: Array<Uint8Array> = []
    for (let at = 0, size = seed; at < content.length; at += size, size = (size * 7919) % 90_001) {
      chunks.push(content.subarray(at, at + size))
    }
    return chunks
  }

  it("keeps hashers apart that are fed in turns, whatever the sizes", () => {
    const hashers = [1, 500, 5_000, 60_000, 300_000].map((seed) => ({ hasher: Crc64.make(), chunks: cut(seed) }))
    const longest = Math.max(...hashers.map(({ chunks }) => chunks.length))
    for (let i = 0; i < longest; i++)
      for (const { hasher, chunks } of hashers) hasher.update(chunks[i] ?? new Uint8Array())
    assert.deepStrictEqual(
      hashers.map(({ hasher }) => hasher.digest()),
      hashers.map(() => ByteTable.of(content))
    )
  })
  it("reads a Buffer, and a view into the middle of a larger buffer, where they lie", () => {
    const larger = new Uint8Array(content.length + 30)
    larger.set(content, 13)
    const views = [larger.subarray(13, 13 + content.length), Buffer.from(larger.buffer, 13, content.length)]
    assert.deepStrictEqual(
      views.map((view) => Crc64.of(view)),
      views.map(() => ByteTable.of(content))
    )
  })
  it("reads memory that is shared between threads", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(content.length))
    shared.set(content)
    assert.strictEqual(Crc64.of(shared), ByteTable.of(content))
  })
})

describe("Crc64.combine", () => {
  it("of the CRCs of two contents is the CRC of both in a row", () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const both = Crc64.of(Uint8Array.from([...first, ...second]))
        return Crc64.combine(Crc64.of(first), Crc64.of(second), second.length) === both
      }),
      law
    )
  })
  it("holds over megabytes, where no small power hides a mistake", () => {
    const content = new Uint8Array(3_000_001).map((_, i) => (i * i) >> 5)
    const head = Crc64.of(content.subarray(0, 77))
    const tail = Crc64.of(content.subarray(77))
    assert.strictEqual(Crc64.combine(head, tail, content.length - 77), ByteTable.of(content))
  })
  it("does not care in which order three are put together, at any length up to 2^52 bytes", () => {
    const length = fc.maxSafeNat().map((n) => Math.floor(n / 2))
    fc.assert(
      fc.property(crc, crc, crc, length, length, (a, b, c, lengthOfB, lengthOfC) => {
        const left = Crc64.combine(Crc64.combine(a, b, lengthOfB), c, lengthOfC)
        return left === Crc64.combine(a, Crc64.combine(b, c, lengthOfC), lengthOfB + lengthOfC)
      }),
      law
    )
  })
  it("throws for a length that no content has, where it would never end or be wrong", () => {
    for (const length of [Infinity, Number.NaN, -1, 1.5, 2 ** 53]) {
      assert.throws(() => Crc64.combine(1n, 2n, length), RangeError, `no content has ${length} bytes`)
    }
  })
  it("with nothing changes nothing", () => {
    fc.assert(
      fc.property(crc, (value) => Crc64.combine(value, 0n, 0) === value),
      law
    )
  })
})

describe("Crc64.parse", () => {
  it("reads back what format writes", () => {
    fc.assert(
      fc.property(crc, (value) => Option.contains(Crc64.parse(Crc64.format(value)), value)),
      law
    )
  })
  it("takes the largest CRC, and not one more", () => {
    assert.deepStrictEqual(
      [Crc64.parse("18446744073709551615"), Crc64.parse("18446744073709551616")],
      [Option.some(18446744073709551615n), Option.none()]
    )
  })
  it("refuses whatever is not plain decimal digits", () => {
    const refused = [
      "",
      " 1",
      "1 ",
      "1\n",
      "-1",
      "+1",
      "0x1f",
      "1e3",
      "1n",
      "1_000",
      "١٢",
      "null",
      "100000000000000000000"
    ]
    assert.deepStrictEqual(
      refused.filter((text) => Option.isSome(Crc64.parse(text))),
      []
    )
  })
})
