/** The cut of an object into parts: limits, messages, and the laws that hold for every size. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Bytes from "../../../core/model/Bytes.ts"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"

const runs = { numRuns: 20_000 }

const plan = (size: number, partSize?: number) => Either.getOrThrow(PartPlan.make(size, { partSize }))
const part = (of: PartPlan.PartPlan, number: number) => Option.getOrThrow(PartPlan.part(of, number))
const end = ({ offset, size }: PartPlan.Part) => offset + size
const messageOf = (result: Either.Either<unknown, InvalidParam>) => Option.getOrThrow(Either.getLeft(result)).message

const stream = (partSize?: number) => Either.getOrThrow(PartPlan.forStream({ partSize }))
const streamPart = (of: PartPlan.StreamPlan, number: number) => Option.getOrThrow(PartPlan.streamPart(of, number))

const whole = (x: number, min: number, max: number) => Number.isInteger(x) && x >= min && x <= max

/** Whole numbers from `min` to `max`, each order of magnitude as likely as the next; the ends are drawn often. */
const magnitude = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min, max }),
    fc
      .double({ min: Math.log2(min + 1), max: Math.log2(max + 1), noNaN: true })
      .map((exponent) => Math.min(max, Math.max(min, Math.round(2 ** exponent - 1)))),
    fc.constantFrom(min, min + 1, max - 1, max)
  )

const anySize = magnitude(0, PartPlan.maxSize)
const anyPartSize = magnitude(PartPlan.minPartSize, PartPlan.maxPartSize)

/** Any plan, and sizes next to a whole number of parts, where the last part is full, or one byte, or short of one. */
const anyPlan: fc.Arbitrary<PartPlan.PartPlan> = fc.oneof(
  fc.tuple(anySize, anyPartSize).map(([size, partSize]) => plan(size, partSize)),
  fc
    .tuple(fc.integer({ min: 0, max: PartPlan.maxParts }), anyPartSize, fc.integer({ min: -1, max: 1 }))
    .map(([count, partSize, off]) =>
      plan(Math.min(PartPlan.maxSize, Math.max(0, count * partSize + off)), Math.min(partSize, PartPlan.maxPartSize))
    )
)

/** A plan and the numbers of some of its parts, the first and the last among them. */
const planAndNumbers = fc
  .tuple(anyPlan, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }))
  .map(([of, shares]) => ({ of, numbers: [1, of.count, ...shares.map((x) => 1 + Math.floor(x * (of.count - 1)))] }))

describe("PartPlan.make", () => {
  it("cuts into parts of 8 MiB when none is asked for", () => {
    const of = plan(Bytes.MiB(20))
    assert.deepStrictEqual(of, { size: Bytes.MiB(20), partSize: Bytes.MiB(8), count: 3 })
    assert.deepStrictEqual(
      [...PartPlan.parts(of)],
      [
        { number: 1, offset: 0, size: Bytes.MiB(8) },
        { number: 2, offset: Bytes.MiB(8), size: Bytes.MiB(8) },
        { number: 3, offset: Bytes.MiB(16), size: Bytes.MiB(4) }
      ]
    )
  })

  it("has one empty part for an empty object", () => {
    assert.deepStrictEqual([...PartPlan.parts(plan(0))], [{ number: 1, offset: 0, size: 0 }])
  })

  it("has one part for an object that is just one part long, and two for a byte more", () => {
    assert.deepStrictEqual([plan(Bytes.MiB(8)).count, plan(Bytes.MiB(8) + 1).count], [1, 2])
  })

  it("carries the largest object in 10,000 parts of 5 GiB", () => {
    assert.deepStrictEqual(plan(10_000 * 5 * 2 ** 30), {
      size: 53_687_091_200_000,
      partSize: 5_368_709_120,
      count: 10_000
    })
  })

  it("keeps the part size up to 10,000 parts, and raises it to whole MiB beyond", () => {
    assert.deepStrictEqual(plan(102_400 * 10_000, 102_400), { size: 1_024_000_000, partSize: 102_400, count: 10_000 })
    assert.deepStrictEqual(plan(102_400 * 10_000 + 1, 102_400), { size: 1_024_000_001, partSize: 2 ** 20, count: 977 })
    assert.strictEqual(plan(Bytes.GiB(100)).partSize, Bytes.MiB(11))
  })

  it("refuses a part below 100 KiB or above 5 GiB, and says so in bytes", () => {
    assert.strictEqual(
      messageOf(PartPlan.make(1, { partSize: 65_536 })),
      "partSize: must be 102400 to 5368709120 bytes, got 65536"
    )
    assert.strictEqual(
      messageOf(PartPlan.make(1, { partSize: 5_368_709_121 })),
      "partSize: must be 102400 to 5368709120 bytes, got 5368709121"
    )
  })

  it("refuses a part size that is no whole number", () => {
    assert.deepStrictEqual(
      [204_800.5, Number.NaN, Infinity].map((partSize) => messageOf(PartPlan.make(1, { partSize }))),
      [
        "partSize: must be a whole number, 102400 to 5368709120 bytes, got 204800.5",
        "partSize: must be 102400 to 5368709120 bytes, got NaN",
        "partSize: must be 102400 to 5368709120 bytes, got Infinity"
      ]
    )
  })

  it("refuses a size that no object can have", () => {
    assert.deepStrictEqual(
      [-1, 0.5, PartPlan.maxSize + 1].map((size) => messageOf(PartPlan.make(size))),
      [
        "size: must be 0 to 53687091200000 bytes, got -1",
        "size: must be a whole number, 0 to 53687091200000 bytes, got 0.5",
        "size: must be 0 to 53687091200000 bytes, got 53687091200001"
      ]
    )
  })
})

describe("every plan, from 0 bytes to 48.8 TB", () => {
  it("has 1 to 10,000 parts of 102,400 bytes to 5 GiB, but for the last", () => {
    fc.assert(
      fc.property(
        anyPlan,
        ({ count, partSize }) => count >= 1 && count <= 10_000 && partSize >= 102_400 && partSize <= 5 * 2 ** 30
      ),
      runs
    )
  })

  it("begins at the first byte and ends behind the last", () => {
    fc.assert(
      fc.property(anyPlan, (of) => part(of, 1).offset === 0 && end(part(of, of.count)) === of.size),
      runs
    )
  })

  it("has no gap and no overlap: each part begins where the one before it ends", () => {
    fc.assert(
      fc.property(planAndNumbers, ({ numbers, of }) =>
        numbers.every((number) => number === 1 || part(of, number).offset === end(part(of, number - 1)))
      ),
      runs
    )
  })

  it("has no empty part, but for the one of an empty object", () => {
    fc.assert(
      fc.property(planAndNumbers, ({ numbers, of }) =>
        numbers.every((number) => part(of, number).size > 0 || (of.size === 0 && of.count === 1))
      ),
      runs
    )
  })

  it("has equal parts, and a last one that is no larger", () => {
    fc.assert(
      fc.property(planAndNumbers, ({ numbers, of }) =>
        numbers.every((number) =>
          number === of.count ? part(of, number).size <= of.partSize : part(of, number).size === of.partSize
        )
      ),
      runs
    )
  })

  it("has the part size asked for, or else the least whole MiB that does", () => {
    fc.assert(
      fc.property(anySize, anyPartSize, (size, asked) => {
        const { partSize } = plan(size, asked)
        return asked * 10_000 >= size
          ? partSize === asked
          : partSize % 2 ** 20 === 0 && partSize * 10_000 >= size && (partSize - 2 ** 20) * 10_000 < size
      }),
      runs
    )
  })

  it("is the same plan when made with the part size that came out", () => {
    fc.assert(
      fc.property(anyPlan, (of) => {
        const again = plan(of.size, of.partSize)
        return again.partSize === of.partSize && again.count === of.count
      }),
      runs
    )
  })

  it("has no part outside 1 to its count", () => {
    fc.assert(
      fc.property(anyPlan, fc.oneof(fc.integer(), fc.double()), (of, number) => {
        const inside = Number.isInteger(number) && number >= 1 && number <= of.count
        return [number, 0, of.count + 1].every((n) => Option.isSome(PartPlan.part(of, n)) === (inside && n === number))
      }),
      runs
    )
  })

  it("is refused outside the limits, and only there", () => {
    const wide = fc.oneof(anySize, anyPartSize, fc.double(), fc.maxSafeInteger())
    fc.assert(
      fc.property(wide, wide, (size, partSize) => {
        const allowed = whole(size, 0, PartPlan.maxSize) && whole(partSize, 102_400, 5 * 2 ** 30)
        return Either.isRight(PartPlan.make(size, { partSize })) === allowed
      }),
      runs
    )
  })

  it("lists just its parts, and lists them again", () => {
    const few = fc.tuple(fc.integer({ min: 0, max: 20 * 102_400 }), fc.integer({ min: 102_400, max: 204_800 }))
    fc.assert(
      fc.property(few, ([size, partSize]) => {
        const of = plan(size, partSize)
        const all = PartPlan.parts(of)
        const covers = (from: number) => [...all].reduce((at, p) => (p.offset === at ? end(p) : Number.NaN), from)
        return [...all].length === of.count && covers(0) === size && covers(0) === size
      }),
      { numRuns: 10_000 }
    )
  })
})

describe("PartPlan.forStream", () => {
  it("doubles the part size after every 1,000 parts", () => {
    assert.deepStrictEqual(
      [1, 1000, 1001, 2000, 2001, 10_000].map((number) => streamPart(stream(), number)),
      [
        { number: 1, offset: 0, size: Bytes.MiB(8) },
        { number: 1000, offset: Bytes.MiB(7992), size: Bytes.MiB(8) },
        { number: 1001, offset: Bytes.MiB(8000), size: Bytes.MiB(16) },
        { number: 2000, offset: Bytes.MiB(23_984), size: Bytes.MiB(16) },
        { number: 2001, offset: Bytes.MiB(24_000), size: Bytes.MiB(32) },
        { number: 10_000, offset: Bytes.MiB(8000 * 1023 - 4096), size: Bytes.MiB(4096) }
      ]
    )
  })

  it("says how much it can carry: 7.8 TiB from 8 MiB on, 12.7 TiB from 16 MiB on, 48.8 TB from 5 GiB on", () => {
    assert.deepStrictEqual(
      [Bytes.MiB(8), Bytes.MiB(16), Bytes.GiB(5)].map((partSize) => stream(partSize).maxSize),
      [Bytes.MiB(8000 * 1023), Bytes.MiB(16_000 * 511 + 5_120_000), PartPlan.maxSize]
    )
  })

  it("refuses a part size outside the limits", () => {
    assert.strictEqual(
      messageOf(PartPlan.forStream({ partSize: 1 })),
      "partSize: must be 102400 to 5368709120 bytes, got 1"
    )
  })

  it("has no part outside 1 to 10,000", () => {
    assert.deepStrictEqual(
      [0, 1, 1.5, 10_000, 10_001].map((number) => Option.isSome(PartPlan.streamPart(stream(), number))),
      [false, true, false, true, false]
    )
  })

  const anyNumber = fc.integer({ min: 2, max: 10_000 })

  it("has no gap and no overlap", () => {
    fc.assert(
      fc.property(anyPartSize, anyNumber, (partSize, number) => {
        const of = stream(partSize)
        return streamPart(of, number).offset === end(streamPart(of, number - 1)) && streamPart(of, 1).offset === 0
      }),
      runs
    )
  })

  it("has parts that never shrink and never pass 5 GiB", () => {
    fc.assert(
      fc.property(anyPartSize, anyNumber, (partSize, number) => {
        const of = stream(partSize)
        const { size } = streamPart(of, number)
        return size >= streamPart(of, number - 1).size && size <= 5 * 2 ** 30
      }),
      runs
    )
  })

  it("has parts no larger than partSize and a thousandth of what went before", () => {
    fc.assert(
      fc.property(anyPartSize, anyNumber, (partSize, number) => {
        const { offset, size } = streamPart(stream(partSize), number)
        return size <= partSize + offset / 1000
      }),
      runs
    )
  })

  it("carries what it says: up to the end of part 10,000, and not more than OSS allows", () => {
    fc.assert(
      fc.property(anyPartSize, (partSize) => {
        const of = stream(partSize)
        return of.maxSize === end(streamPart(of, 10_000)) && of.maxSize <= PartPlan.maxSize
      }),
      runs
    )
  })
})
