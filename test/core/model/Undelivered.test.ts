import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { isDeepStrictEqual } from "node:util"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as Undelivered from "../../../core/model/Undelivered.ts"
import { undelivered } from "../../support/SampleUndelivered.ts"

const runs = { numRuns: 10_000 }
const text = fc.string({ unit: "binary", maxLength: 12 })
const key = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .map(ObjectKey.make)
  .filter(Either.isRight)
  .map(({ right }) => right)

const any = fc.record({
  urls: fc.array(text, { maxLength: 5 }),
  host: fc.option(text, { nil: undefined }),
  body: text,
  since: fc.maxSafeNat(),
  stored: fc.record({ key, size: fc.maxSafeNat(), crc64: fc.bigInt(0n, 2n ** 64n - 1n), etag: text })
})
const entryOf = (given: typeof any extends fc.Arbitrary<infer A> ? A : never): Undelivered.Undelivered => {
  const sample = undelivered(1)
  return { ...sample, ...given, stored: { ...sample.stored, ...given.stored } }
}
/** Never thrown: an entry that is written as it was read, or a sentence. */
const isTame = (json: string): boolean =>
  Either.match(Undelivered.decode(json), {
    onLeft: (sentence) => sentence === "it is no undelivered callback of version 1",
    onRight: (entry) => Either.isRight(Undelivered.decode(Undelivered.encode(entry)))
  })

describe("Undelivered", () => {
  it("is read back as it was written", () =>
    fc.assert(
      fc.property(any, (given) => {
        const entry = entryOf(given)
        return isDeepStrictEqual(Either.getOrThrow(Undelivered.decode(Undelivered.encode(entry))), entry)
      }),
      runs
    ))

  it("refuses what cannot be", () => {
    const good = JSON.parse(Undelivered.encode(undelivered(1))) as Record<string, unknown> // we wrote an object
    const stored = good["stored"] as Record<string, unknown> // and this within it
    const bad: ReadonlyArray<Record<string, unknown>> = [
      { ...good, version: 2 },
      { ...good, id: "A".repeat(64) },
      { ...good, since: -1 },
      { ...good, since: 1.5 },
      { ...good, contentType: "text/plain" },
      { ...good, stored: { ...stored, crc64: "0x10" } },
      { ...good, stored: { ...stored, crc64: "" } },
      { ...good, stored: { ...stored, crc64: "18446744073709551616" } },
      { ...good, stored: { ...stored, size: -1 } },
      { ...good, stored: { ...stored, key: "" } },
      { ...good, stored: { ...stored, key: "/a" } }
    ]
    assert.deepStrictEqual(
      bad.filter((fields) => Either.isRight(Undelivered.decode(JSON.stringify(fields)))),
      []
    )
    assert.isTrue(Either.isRight(Undelivered.decode(JSON.stringify(good))))
  })

  it("is never thrown off by a text that was cut, changed, or nests without end", () => {
    const json = Undelivered.encode(undelivered(1))
    fc.assert(
      fc.property(fc.nat(json.length), fc.nat(9), fc.oneof(text, fc.json({ maxDepth: 3 })), (at, cut, put) =>
        isTame(json.slice(0, at) + put + json.slice(at + cut))
      ),
      runs
    )
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    assert.isTrue([deep, json.replace('"urls":', `"urls":${deep},"x":`), "9".repeat(1_000_000)].every(isTame))
  })
})
