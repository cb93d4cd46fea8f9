/** What a resumable upload remembers: its JSON text, and what of it still counts against the server's list. */
import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Checkpoint from "../../../core/model/Checkpoint.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"
import { cpuMillis } from "../../support/Cpu.ts"

const runs = { numRuns: 10_000 }

const facts: Checkpoint.Facts = {
  origin: "https://media.oss-cn-hangzhou.aliyuncs.com",
  bucket: "media",
  key: "videos/holiday.mp4",
  fingerprint: "holiday.mp4:350000:1763700000000:42",
  size: 350_000,
  partSize: 102_400,
  options: "9f86d081"
}
const begun = Checkpoint.make({ ...facts, uploadId: "0004B9894A22E5B1888A1E29F8236E2D", created: 1_763_700_000_000 })
const plan = Either.getOrThrow(PartPlan.make(facts.size, { partSize: facts.partSize }))

/** A part of that plan as the checkpoint keeps it, and as ListParts tells it. */
const part = (number: number, changed: Partial<Checkpoint.PartDone> = {}): Checkpoint.PartDone => ({
  number,
  size: number === 4 ? 42_800 : 102_400,
  etag: `E${number}`,
  crc64: 2n ** 64n - BigInt(number),
  ...changed
})
const withParts = (...parts: ReadonlyArray<Checkpoint.PartDone>) => parts.reduce(Checkpoint.add, begun)
const numbers = (parts: ReadonlyArray<{ readonly number: number }>) => parts.map((part) => part.number)
const compare = (local: ReadonlyArray<Checkpoint.PartDone>, listed: ReadonlyArray<Checkpoint.ListedPart>) => {
  const { done, foreign, missing } = Checkpoint.missing(plan, withParts(...local), listed)
  return { done: numbers(done), missing: numbers(missing), foreign: numbers(foreign) }
}

/** Many times faster than an assertion on each of 10,000 runs. */
const same = isDeepStrictEqual

const text = fc.string({ unit: "binary", maxLength: 12 })
const someText = fc.string({ unit: "binary", minLength: 1, maxLength: 12 })
const anyPart = fc.record({
  number: fc.integer({ min: 1, max: 10_000 }),
  size: fc.integer({ min: 0, max: PartPlan.maxPartSize }),
  etag: text,
  crc64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
})
const anyCheckpoint: fc.Arbitrary<Checkpoint.Checkpoint> = fc.record({
  version: fc.constant(1 as const),
  origin: someText,
  bucket: someText,
  key: someText,
  fingerprint: text,
  size: fc.integer({ min: 0, max: PartPlan.maxSize }),
  partSize: fc.integer({ min: PartPlan.minPartSize, max: PartPlan.maxPartSize }),
  options: text,
  uploadId: someText,
  created: fc.maxSafeNat(),
  parts: fc
    .uniqueArray(anyPart, { selector: (part) => part.number, maxLength: 5 })
    .map((parts) => parts.sort((a, b) => a.number - b.number))
})

const why = (json: unknown) =>
  Either.match(Checkpoint.decode(typeof json === "string" ? json : JSON.stringify(json)), {
    onLeft: (error) => error.message,
    onRight: () => "taken"
  })

/** Never a thrown error: a refusal is `Corrupt`, in one line of bounded length. */
const isTame = (json: string): boolean =>
  Either.match(Checkpoint.decode(json), {
    onLeft: ({ message, reason }) => reason === "Corrupt" && message.length < 350 && !message.includes("\n"),
    onRight: (checkpoint) => Checkpoint.decode(Checkpoint.encode(checkpoint))._tag === "Right"
  })

describe("Checkpoint.make and add", () => {
  it("begins with no part done", () => {
    assert.deepStrictEqual(begun.parts, [])
    assert.strictEqual(begun.version, 1)
  })

  it("keeps parts in the order of their numbers, whatever the order they were done in", () => {
    assert.deepStrictEqual(numbers(withParts(part(3), part(1), part(4), part(2)).parts), [1, 2, 3, 4])
  })

  it("replaces a part that was sent again", () => {
    const again = part(2, { etag: "again" })
    assert.deepStrictEqual(withParts(part(1), part(2), part(3), again).parts, [part(1), again, part(3)])
  })

  it("holds of each number the part that was done last, in order, whatever came before", () => {
    const done = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom("a", "b", "c")), { maxLength: 24 })
    fc.assert(
      fc.property(done, (done) => {
        const last = new Map(done.map(([number, etag]) => [number, part(number, { etag })]))
        const { parts } = withParts(...done.map(([number, etag]) => part(number, { etag })))
        return same(
          parts,
          [...last.values()].sort((a, b) => a.number - b.number)
        )
      }),
      runs
    )
  })

  it("changes no earlier checkpoint", () => {
    const one = withParts(part(1))
    Checkpoint.add(one, part(2))
    assert.deepStrictEqual(one.parts, [part(1)])
  })
})

describe("Checkpoint.encode and decode", () => {
  it("writes CRCs as decimal text, which JSON's numbers could not hold", () => {
    const json: unknown = JSON.parse(Checkpoint.encode(withParts(part(1))))
    assert.deepStrictEqual(json, {
      version: 1,
      ...facts,
      uploadId: "0004B9894A22E5B1888A1E29F8236E2D",
      created: 1_763_700_000_000,
      parts: [{ number: 1, size: 102_400, etag: "E1", crc64: "18446744073709551615" }]
    })
  })

  it("writes nothing that does not belong there, whatever else the object carries", () => {
    const withMore = { ...begun, secret: "s3cret", parts: [{ ...part(1), authorization: "s3cret" }] }
    assert.strictEqual(Checkpoint.encode(withMore), Checkpoint.encode(withParts(part(1))))
  })

  it("gives back what was written", () => {
    fc.assert(
      fc.property(anyCheckpoint, (checkpoint) => {
        return same(Checkpoint.decode(Checkpoint.encode(checkpoint)), Either.right(checkpoint))
      }),
      runs
    )
  })

  it("writes what the schema would write", () => {
    const bySchema = Schema.encodeSync(Schema.parseJson(Checkpoint.schema))
    fc.assert(
      fc.property(anyCheckpoint, (checkpoint) => {
        return same(JSON.parse(Checkpoint.encode(checkpoint)), JSON.parse(bySchema(checkpoint)))
      }),
      runs
    )
  })

  const good = JSON.parse(Checkpoint.encode(withParts(part(1), part(2)))) as Record<string, unknown> // we wrote an object

  it("says in one line where a text is corrupt, and how", () => {
    assert.deepStrictEqual(
      [
        why({ ...good, version: 2 }),
        why({ ...good, uploadId: undefined }),
        why({ ...good, size: -1 }),
        why({ ...good, partSize: 1 }),
        why({ ...good, parts: [{ number: 1, size: 1, etag: "E", crc64: "18446744073709551616" }] }),
        why({ ...good, parts: [{ number: 1, size: 1, etag: "E", crc64: "0x10" }] }),
        why({ ...good, parts: [{ number: 10_001, size: 1, etag: "E", crc64: "1" }] }),
        why("null"),
        why('{"version":1,')
      ],
      [
        "checkpoint: version: Expected 1, actual 2 (Corrupt)",
        "checkpoint: uploadId: is missing (Corrupt)",
        "checkpoint: size: Expected a number between 0 and 53687091200000, actual -1 (Corrupt)",
        "checkpoint: partSize: Expected a number between 102400 and 5368709120, actual 1 (Corrupt)",
        "checkpoint: parts: 0: crc64: Expected a bigint between 0n and 18446744073709551615n, actual 18446744073709551616n (Corrupt)",
        'checkpoint: parts: 0: crc64: Expected a string matching the pattern ^\\d{1,20}$, actual "0x10" (Corrupt)',
        "checkpoint: parts: 0: number: Expected a number between 1 and 10000, actual 10001 (Corrupt)",
        "checkpoint: Expected Checkpoint, actual null (Corrupt)",
        "checkpoint: it is not JSON: 13 characters (Corrupt)"
      ]
    )
  })

  it("refuses a part number that stands twice, or out of order", () => {
    const [one, two] = good["parts"] as [unknown, unknown] // two parts were written
    const message = "checkpoint: parts: Expected part numbers that rise strictly (Corrupt)"
    assert.deepStrictEqual(
      [why({ ...good, parts: [one, one] }), why({ ...good, parts: [two, one] })],
      [message, message]
    )
  })

  it("takes a text with fields that it does not know", () => {
    assert.strictEqual(why({ ...good, addedLater: { a: 1 } }), "taken")
  })

  it("is never thrown off by any text or any JSON", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json({ maxDepth: 5 })), isTame), runs)
  })

  it("is never thrown off by a checkpoint with anything in the place of a field", () => {
    const field = fc.constantFrom(...Object.keys(good), "__proto__", "constructor", "toJSON")
    fc.assert(
      fc.property(anyCheckpoint, field, fc.json(), (checkpoint, name, value) => {
        const fields: Record<string, unknown> = JSON.parse(Checkpoint.encode(checkpoint))
        delete fields[name]
        return isTame(`${JSON.stringify(fields).slice(0, -1)},${JSON.stringify(name)}:${value}}`)
      }),
      runs
    )
  })

  it("is never thrown off by a checkpoint that was cut short or has a byte changed", () => {
    fc.assert(
      fc.property(anyCheckpoint, fc.double({ min: 0, max: 1, noNaN: true }), fc.string(), (checkpoint, share, put) => {
        const json = Checkpoint.encode(checkpoint)
        const at = Math.floor(share * json.length)
        return isTame(json.slice(0, at)) && isTame(json.slice(0, at) + put + json.slice(at + 1))
      }),
      runs
    )
  })

  it("is never thrown off by depth or length", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    const objects = `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`
    const around = (field: string, value: string) =>
      JSON.stringify({ ...good, [field]: "@" }).replace('"@"', () => value)
    const texts = [
      "[".repeat(1_000_000),
      deep,
      objects,
      ...Object.keys(good).flatMap((field) => [around(field, deep), around(field, objects)]),
      around("parts", `[${"{},".repeat(100_000)}{}]`),
      around("size", "9".repeat(1_000_000)),
      around("parts", `[{"number":1,"size":1,"etag":"E","crc64":"${"9".repeat(1_000_000)}"}]`),
      around("version", JSON.stringify("x".repeat(1_000_000)))
    ]
    assert.deepStrictEqual(
      texts.filter((json) => !isTame(json)).map((json) => json.slice(0, 40)),
      []
    )
  })
})

describe("Checkpoint.identity", () => {
  it("is a text for people too", () => {
    assert.strictEqual(
      Checkpoint.identity(begun),
      '["https://media.oss-cn-hangzhou.aliyuncs.com","media","videos/holiday.mp4"]'
    )
  })

  it("is equal for equal destinations, whatever the source, and different for different ones", () => {
    const near = fc.string({ unit: fc.constantFrom('"', ",", "\\", "a"), maxLength: 4 })
    const destination = fc.record({ origin: near, bucket: near, key: near })
    fc.assert(
      fc.property(destination, destination, text, (a, b, fingerprint) => {
        const from: Checkpoint.Checkpoint = { ...begun, ...a, fingerprint }
        return (Checkpoint.identity(from) === Checkpoint.identity(b)) === same(a, b)
      }),
      runs
    )
  })
})

describe("Checkpoint.difference", () => {
  it("finds none in an upload of the same facts", () => {
    assert.isTrue(Option.isNone(Checkpoint.difference(withParts(part(1)), facts)))
  })

  it("names the fact that changed", () => {
    const changed = {
      ...facts,
      origin: "https://oss.example.com",
      bucket: "other",
      key: "other",
      fingerprint: "holiday.mp4:350000:1763700000001:42",
      size: 350_001,
      partSize: 204_800,
      options: "60303ae2"
    }
    const names = Object.keys(facts) as ReadonlyArray<keyof Checkpoint.Facts> // its keys are the type's
    assert.deepStrictEqual(
      // Options as plain values: to chai, `none` and `some` are deeply equal.
      names.map((name) => Option.getOrNull(Checkpoint.difference(begun, { ...facts, [name]: changed[name] }))),
      [...names]
    )
  })
})

describe("Checkpoint.missing", () => {
  it("counts a part when both know it and agree", () => {
    assert.deepStrictEqual(compare([part(1), part(2)], [part(1), part(2)]), {
      done: [1, 2],
      missing: [3, 4],
      foreign: []
    })
  })

  it("uses parts with gaps between them", () => {
    assert.deepStrictEqual(compare([part(1), part(4)], [part(1), part(4)]), {
      done: [1, 4],
      missing: [2, 3],
      foreign: []
    })
  })

  it("does not count a part that only the checkpoint knows", () => {
    assert.deepStrictEqual(compare([part(1), part(2)], [part(2)]), { done: [2], missing: [1, 3, 4], foreign: [] })
  })

  it("counts a part that only the server knows, when it tells the CRC", () => {
    assert.deepStrictEqual(compare([part(1)], [part(1), part(3), { ...part(4), crc64: undefined }]), {
      done: [1, 3],
      missing: [2, 4],
      foreign: [4]
    })
  })

  it("believes the server's CRC, not the checkpoint's, for it is the server's part that becomes the object's", () => {
    const [known, listed] = [part(2), part(2, { etag: "other", crc64: 7n })]
    const { done } = Checkpoint.missing(plan, withParts(known), [listed])
    assert.deepStrictEqual(done, [{ number: 2, size: 102_400, etag: "other", crc64: 7n }])
  })

  it("does not count a part of another size, nor one of another ETag whose CRC the server does not tell", () => {
    const listed = [part(1, { size: 102_399 }), { number: 2, size: 102_400, etag: "other" }]
    assert.deepStrictEqual(compare([part(1), part(2)], listed), { done: [], missing: [1, 2, 3, 4], foreign: [1, 2] })
  })

  it("counts a part whose CRC the server does not tell", () => {
    const listed = [
      { number: 1, size: 102_400, etag: "E1" },
      { ...part(2), crc64: undefined }
    ]
    assert.deepStrictEqual(compare([part(1), part(2)], listed), { done: [1, 2], missing: [3, 4], foreign: [] })
  })

  it("does not count a part whose size is not the planned one, even when both agree", () => {
    const short = part(1, { size: 42_800 })
    assert.deepStrictEqual(compare([short], [short]), { done: [], missing: [1, 2, 3, 4], foreign: [1] })
  })

  it("does not count a number that is listed twice with different facts, in either order", () => {
    const other = part(1, { etag: "other" })
    const expected = { done: [], missing: [1, 2, 3, 4], foreign: [1, 1] }
    assert.deepStrictEqual(compare([part(1)], [part(1), other]), expected)
    assert.deepStrictEqual(compare([part(1)], [other, part(1)]), expected)
  })

  it("counts a number once that two pages of the list both tell", () => {
    assert.deepStrictEqual(compare([part(1)], [part(1), part(1)]), { done: [1], missing: [2, 3, 4], foreign: [] })
  })

  it("calls a part foreign whose number the plan does not have", () => {
    assert.deepStrictEqual(compare([part(7)], [part(7)]), { done: [], missing: [1, 2, 3, 4], foreign: [7] })
  })

  it("has nothing to send when every part is there", () => {
    const all = [1, 2, 3, 4].map((number) => part(number))
    assert.deepStrictEqual(compare(all, all), { done: [1, 2, 3, 4], missing: [], foreign: [] })
  })

  it("asks no checkpoint that was cut otherwise for a CRC, although number, size and ETag agree", () => {
    // Cut by 102,400, part 2 is the last one, 60,000 bytes from offset 102,400 on. Suppose a checkpoint of a larger
    // part size knows a part 2 of 60,000 bytes as well: those lie elsewhere in the object.
    const two = part(2, { size: 60_000 })
    const silent = { ...two, crc64: undefined }
    const now = Either.getOrThrow(PartPlan.make(162_400, { partSize: 102_400 }))
    const other = (changed: Partial<Checkpoint.Checkpoint>) =>
      Checkpoint.missing(now, { ...begun, size: 162_400, parts: [two], ...changed }, [silent]).done.length
    assert.deepStrictEqual([other({}), other({ partSize: 204_800 }), other({ size: 264_800 })], [1, 0, 0])
  })

  it("compares 10,000 parts in the blink of an eye", () => {
    const large = Either.getOrThrow(PartPlan.make(10_000 * 102_400, { partSize: 102_400 }))
    const parts = [...PartPlan.parts(large)].map(({ number, size }) => ({ number, size, etag: "E", crc64: 1n }))
    const began = cpuMillis()
    const { missing } = Checkpoint.missing(large, { ...begun, size: large.size, parts }, parts)
    assert.deepStrictEqual(missing, [])
    assert.isBelow(cpuMillis() - began, 1_000) // 10 ms alone on the machine
  })
})

describe("Checkpoint.missing, whatever is in the checkpoint and in the list", () => {
  const last = 42_800
  /** Parts that mostly are as planned, so that many agree; some numbers lie outside the plan. */
  const nearPart = (count: number) =>
    fc
      .record({
        number: fc.integer({ min: 0, max: count + 1 }),
        size: fc.constantFrom("planned", "planned", "planned", 102_400, last),
        etag: fc.constantFrom("E", "E", "E", "F"),
        crc64: fc.constantFrom(1n, 1n, 1n, 2n)
      })
      .map(({ size, ...part }) => ({
        ...part,
        size: typeof size === "number" ? size : part.number === count ? last : 102_400
      }))
  const scene = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()).chain(([count, sameCut]) => {
    const size = (count - 1) * 102_400 + last
    return fc.record({
      plan: fc.constant(Either.getOrThrow(PartPlan.make(size, { partSize: sameCut ? 102_400 : 204_800 }))),
      checkpoint: fc
        .uniqueArray(nearPart(count), { selector: (part) => part.number })
        .map((parts): Checkpoint.Checkpoint => ({ ...begun, size, parts })),
      listed: fc.array(
        fc
          .tuple(nearPart(count), fc.boolean())
          .map(([part, silent]): Checkpoint.ListedPart => (silent ? { ...part, crc64: undefined } : part)),
        { maxLength: 12 }
      )
    })
  })
  const law = (
    name: string,
    holds: (result: Checkpoint.Comparison, given: typeof scene extends fc.Arbitrary<infer A> ? A : never) => boolean
  ) =>
    it(name, () => {
      fc.assert(
        fc.property(scene, (given) => holds(Checkpoint.missing(given.plan, given.checkpoint, given.listed), given)),
        runs
      )
    })

  law("done and missing are together the whole plan, each part once", ({ done, missing }, { plan }) => {
    const both = [...numbers(done), ...numbers(missing)].sort((a, b) => a - b)
    return both.length === plan.count && both.every((number, i) => number === i + 1)
  })

  law("done and missing are in order", ({ done, missing }) =>
    [numbers(done), numbers(missing)].every((list) => list.every((number, i) => i === 0 || list[i - 1]! < number))
  )

  law("missing parts are the plan's own", ({ missing }, { plan }) =>
    missing.every((part) => Option.exists(PartPlan.part(plan, part.number), (p) => same(p, part)))
  )

  law("done parts have the size of the plan, and the ETag and CRC of the list", ({ done }, { listed, plan }) =>
    done.every(
      (part) =>
        Option.exists(PartPlan.part(plan, part.number), ({ size }) => size === part.size) &&
        listed.some((told) => told.number === part.number && told.etag === part.etag) &&
        listed.every((told) => told.number !== part.number || (told.crc64 ?? part.crc64) === part.crc64)
    )
  )

  law(
    "a part is done if and only if all that is listed of it has the planned size, one ETag, and one known CRC",
    ({ done }, { checkpoint, listed, plan }) =>
      [...PartPlan.parts(plan)].every(({ number, size }) => {
        const local = checkpoint.parts.find((part) => part.number === number)
        const usable = checkpoint.partSize === plan.partSize && local?.size === size ? local : undefined
        const told = listed.filter((part) => part.number === number)
        const crcs = told.map((t) => t.crc64 ?? (t.etag === usable?.etag ? usable.crc64 : undefined))
        const proven =
          told.length > 0 &&
          told.every(
            (t, i) => t.size === size && t.etag === told[0]!.etag && crcs[i] !== undefined && crcs[i] === crcs[0]
          )
        return proven === done.some((part) => part.number === number)
      })
  )

  law("every listed part is either evidence for a done part or foreign", ({ done, foreign }, { listed }) =>
    listed.every((part) => foreign.includes(part) !== done.some(({ number }) => number === part.number))
  )

  law("the order of the list makes no difference", ({ done, missing }, { checkpoint, listed, plan }) => {
    const turned = Checkpoint.missing(plan, checkpoint, listed.toReversed())
    return same(numbers(turned.done), numbers(done)) && same(turned.missing, missing)
  })
})
