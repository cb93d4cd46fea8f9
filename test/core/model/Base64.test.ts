/** Base64 of text: as Node writes it, around its paddings and its limit, and for any text. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Base64 from "../../../core/model/Base64.ts"

const byNode = (text: string) => Buffer.from(text, "utf8").toString("base64")

describe("Base64.encode", () => {
  it("is what RFC 4648 gives as examples", () =>
    assert.deepStrictEqual(["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(Base64.encode), [
      "",
      "Zg==",
      "Zm8=",
      "Zm9v",
      "Zm9vYg==",
      "Zm9vYmE=",
      "Zm9vYmFy"
    ]))

  it("is the same on both sides of what its buffer holds", () => {
    const texts = [..."aé日😀"].flatMap((unit) =>
      [2043, 2044, 2045, 2046, 2047, 2048, 6144].map((length) => unit.repeat(length).slice(0, 2 * length))
    )
    assert.deepStrictEqual(texts.map(Base64.encode), texts.map(byNode))
  })

  it("is what Node makes of any text, whatever was encoded before", () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.string({ unit: "grapheme", maxLength: 200 })),
        (text) => Base64.encode(text) === byNode(text)
      ),
      { numRuns: 10_000 }
    ))
})
