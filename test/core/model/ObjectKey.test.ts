import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"

const reason = (key: string) =>
  Either.match(ObjectKey.make(key), { onLeft: (error) => error.message, onRight: () => "" })

describe("ObjectKey", () => {
  it("refuses what OSS refuses, and says why in bytes", () => {
    assert.strictEqual(reason(""), "key: must be 1 to 1023 bytes of UTF-8, got an empty text")
    assert.strictEqual(reason("a".repeat(1024)), "key: must be 1 to 1023 bytes of UTF-8, got 1024 bytes")
    assert.strictEqual(reason("日".repeat(342)), "key: must be 1 to 1023 bytes of UTF-8, got 1026 bytes")
    assert.strictEqual(reason("/a"), 'key: must not begin with "/" or "\\", got "/"')
    assert.strictEqual(reason("\\a"), 'key: must not begin with "/" or "\\", got "\\"')
    assert.strictEqual(reason("a\ud800b"), "key: must be well-formed Unicode, got a lone surrogate")
  })

  it("keeps every other key as it is", () => {
    for (const key of ["a b", "a+b", "100%", "~", "!*'()", "🎉", "a/../b", "a//b", "a/", "日".repeat(341)]) {
      assert.strictEqual(Either.getOrThrow(ObjectKey.make(key)), key)
    }
  })
})

describe("Utf8", () => {
  it("byteLength is the length of the encoded bytes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        return Utf8.byteLength(text) === Utf8.encode(text).length
      }),
      { numRuns: 10_000 }
    )
  })

  it("isWellFormed agrees with encodeURIComponent, which throws on lone surrogates", () => {
    const units = FastCheck.array(FastCheck.oneof(FastCheck.integer({ min: 0xd700, max: 0xe000 }), FastCheck.nat(0x7f)))
    FastCheck.assert(
      FastCheck.property(units, (codes) => {
        const text = String.fromCharCode(...codes)
        let fine = true
        try {
          encodeURIComponent(text)
        } catch {
          fine = false
        }
        return Utf8.isWellFormed(text) === fine
      }),
      { numRuns: 10_000 }
    )
  })
})
