/** BlobSource: reads what the Blob holds, at any offset, and never less than was asked for. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as BlobSource from "../../../adapters/fetch/BlobSource.ts"
import { SourceError } from "../../../core/model/OssError.ts"

const content = Uint8Array.from({ length: 600_000 }, (_, i) => i * 31 + (i >> 8))
const open = Effect.flatMap(Effect.succeed(BlobSource.make(new Blob([content]))), ({ open }) => open)

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Array<Uint8Array> = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** A Blob as browsers show a file that has changed on disk. */
const gone = (name: string) =>
  Object.assign(new Blob([content]), {
    slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", name)) })
  })

describe("BlobSource", () => {
  it("tells a file's name and size, and a fingerprint of name, size, type and time", () => {
    const file = (name: string, bytes: number, lastModified: number, type = "image/png") =>
      BlobSource.make(new File([new Uint8Array(bytes)], name, { lastModified, type }))
    const source = file("cat.png", 7, 1000)
    assert.deepStrictEqual([source.name, source.size], ["cat.png", 7])
    assert.strictEqual(source.fingerprint, 'blob:["cat.png",7,"image/png",1000]')
    const others = [file("dog.png", 7, 1000), file("cat.png", 8, 1000), file("cat.png", 7, 1001)]
    assert.strictEqual(new Set([source, ...others].map((one) => one.fingerprint)).size, 4)
  })

  it.scoped("reads any piece", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const piece = fc.tuple(fc.nat(content.length), fc.nat(1000))
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(piece, async ([offset, length]) => {
            const size = Math.min(length, content.length - offset)
            const target = new Uint8Array(size)
            await Effect.runPromise(reader.read(offset, target))
            return Buffer.from(target).equals(content.subarray(offset, offset + size))
          }),
          { numRuns: 2_000 }
        )
      )
    })
  )

  it.scoped("gives chunks that make the whole, afresh each time", () =>
    Effect.gen(function* () {
      const reader = yield* open
      for (let time = 0; time < 2; time++) {
        const whole = yield* Effect.promise(() => collect(reader.chunks(3, content.length - 5)))
        assert.isTrue(whole.equals(content.subarray(3, -2)))
      }
      yield* reader.unchanged
    })
  )

  it.scoped("is Changed past its end", () =>
    Effect.gen(function* () {
      const reader = yield* open
      const error = yield* Effect.flip(reader.read(content.length - 1, new Uint8Array(2)))
      assert.strictEqual(error.reason, "Changed")
    })
  )

  for (const [name, reason] of [
    ["NotReadableError", "Changed"],
    ["NotFoundError", "Changed"],
    ["SecurityError", "Read"]
  ] as const) {
    it.scoped(`calls a browser's ${name} ${reason}`, () =>
      Effect.gen(function* () {
        const reader = yield* BlobSource.make(gone(name), "cat.png").open
        const read = yield* Effect.flip(reader.read(0, new Uint8Array(2)))
        const look = yield* Effect.flip(reader.unchanged)
        const chunks = yield* Effect.promise(() => collect(reader.chunks(0, 10)).catch((cause: unknown) => cause))
        assert.instanceOf(chunks, SourceError)
        assert.deepStrictEqual([read.reason, look.reason, chunks.reason], [reason, reason, reason])
        assert.include(read.message, "cat.png")
      })
    )
  }
})
