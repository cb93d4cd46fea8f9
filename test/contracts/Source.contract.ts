/** What the port `Source` promises, as one suite for everything that bytes can come from. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SourceError } from "../../core/model/OssError.ts"
import { chunkMemory, type Source } from "../../core/ports/Source.ts"

const pattern = (length: number): Uint8Array => {
  const content = new Uint8Array(length)
  for (let i = 0; i < length; i++) content[i] = i * 31 + (i >> 8)
  return content
}

const size = 1_000_003
const content = pattern(size)

/** Ranges at the edges of chunks of 256 KiB, and of the source. */
const ranges: ReadonlyArray<readonly [offset: number, length: number]> = [
  [0, size],
  [0, 0],
  [0, 1],
  [size - 1, 1],
  [size, 0],
  [262_143, 2],
  [262_144, 262_144],
  [5, 524_288],
  [700_000, 300_003]
]

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const chunk of chunks) parts.push(Buffer.from(chunk)) // copied: its memory is used again
  return Buffer.concat(parts)
}

const equals = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** `describeBytes` gives a source that holds these bytes, for the length of a scope. */
export const sourceContract = (
  name: string,
  describeBytes: (content: Uint8Array) => Effect.Effect<Source, unknown, Scope.Scope>
): void => {
  const opened = Effect.flatMap(describeBytes(content), ({ open }) => open)

  describe(`${name} keeps the contract of Source:`, () => {
    it.scopedLive("tells its size, and the same fingerprint as long as it is the same", () =>
      Effect.gen(function* () {
        const source = yield* describeBytes(content)
        assert.strictEqual(source.size, size)
        const { fingerprint } = source
        yield* (yield* source.open).read(0, new Uint8Array(10))
        yield* (yield* source.open).unchanged
        assert.strictEqual(source.fingerprint, fingerprint)
        assert.notStrictEqual((yield* describeBytes(pattern(9))).fingerprint, fingerprint)
      })
    )

    it.scopedLive("reads any range, and gives it in chunks, as often as asked", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        for (const [offset, length] of [...ranges, ...ranges]) {
          const expected = content.subarray(offset, offset + length)
          const target = new Uint8Array(length)
          yield* reader.read(offset, target)
          assert.isTrue(equals(target, expected), `read ${offset}, ${length}`)
          const chunks = yield* Effect.promise(() => collect(reader.chunks(offset, length)))
          assert.isTrue(equals(chunks, expected), `chunks ${offset}, ${length}`)
        }
      })
    )

    it.scopedLive("serves many readings at once", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        const found = yield* Effect.forEach(
          ranges,
          ([offset, length]) => Effect.promise(() => collect(reader.chunks(offset, length))),
          { concurrency: "unbounded" }
        )
        assert.isTrue(
          found.every((bytes, i) => equals(bytes, content.subarray(ranges[i]![0], ranges[i]![0] + ranges[i]![1])))
        )
      })
    )

    it.scopedLive("gives the same chunks into memory that it is lent, one after another and at once", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        const memory = chunkMemory()
        const right = ([offset, length]: readonly [number, number]) =>
          Effect.promise(async () =>
            equals(await collect(reader.chunks(offset, length, memory)), content.subarray(offset, offset + length))
          )
        assert.notInclude(yield* Effect.forEach(ranges, right), false)
        assert.notInclude(yield* Effect.forEach(ranges, right, { concurrency: "unbounded" }), false)
      })
    )

    it.scopedLive("reads into memory of its own, if it has better than others", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        for (const length of [1, 1000, size]) {
          const memory = reader.allocate?.(length) ?? new Uint8Array(length)
          yield* reader.read(size - length, memory)
          assert.isTrue(equals(memory, content.subarray(size - length)))
        }
      })
    )

    it.scopedLive("gives the same bytes in smaller chunks", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        for (const chunkSize of [1, 1000, 4096, size, 2 ** 40]) {
          const [offset, length] = chunkSize === 1 ? [size - 300, 300] : [0, size]
          const chunks = reader.chunks(offset, length, chunkMemory(chunkSize))
          const whole = yield* Effect.promise(() => collect(chunks))
          assert.isTrue(equals(whole, content.subarray(offset, offset + length)))
        }
      })
    )

    it.scopedLive("leaves a chunk as it is until the second next() after it", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        const right = yield* Effect.promise(async () => {
          let [at, before] = [0, new Uint8Array(0)]
          for await (const chunk of reader.chunks(0, size)) {
            if (!equals(before, content.subarray(at - before.length, at))) return false
            before = chunk as Uint8Array<ArrayBuffer> // no source here shares its memory between threads
            at += chunk.length
          }
          return at === size
        })
        assert.isTrue(right)
      })
    )

    it.scopedLive("fails with Changed rather than give less than was asked for", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        const error = yield* Effect.flip(reader.read(size - 5, new Uint8Array(6)))
        assert.instanceOf(error, SourceError)
        assert.strictEqual(error.reason, "Changed")
      })
    )

    it.scopedLive("can be left in the midst of its chunks", () =>
      Effect.gen(function* () {
        const reader = yield* opened
        yield* Effect.promise(async () => {
          for await (const chunk of reader.chunks(0, size)) if (chunk.length > 0) break
        })
        yield* reader.unchanged
      })
    )

    it.scopedLive("may be empty", () =>
      Effect.gen(function* () {
        const source = yield* describeBytes(new Uint8Array(0))
        const reader = yield* source.open
        yield* reader.read(0, new Uint8Array(0))
        assert.strictEqual((yield* Effect.promise(() => collect(reader.chunks(0, 0)))).length, 0)
        yield* reader.unchanged
      })
    )
  })
}
