/** FileSource: what a file was when it was described is what is read, or nothing is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import FsPromises, * as Fs from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import * as FileSource from "../../../adapters/node/FileSource.ts"
import { SourceError } from "../../../core/model/OssError.ts"
import { chunkMemory, type ChunkMemory } from "../../../core/ports/Source.ts"

const chunkSize = 1024 * 1024

const pattern = (length: number, seed = 0): Buffer => {
  const content = Buffer.alloc(length)
  for (let i = 0; i < length; i++) content[i] = seed + i * 31 + (i >> 8)
  return content
}

/** A file in a folder of its own, last written to in 1970, so that any later write shows in its time. */
const file = (content: Uint8Array): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "file-source-"))),
    (folder) => Effect.promise(() => Fs.rm(folder, { recursive: true }))
  ).pipe(
    Effect.flatMap((folder) =>
      Effect.promise(async () => {
        const path = Path.join(folder, "video.bin")
        await Fs.writeFile(path, content)
        await Fs.utimes(path, 1, 1)
        return path
      })
    )
  )

const open = (content: Uint8Array) =>
  Effect.gen(function* () {
    const path = yield* file(content)
    const source = yield* FileSource.make(path)
    return { path, source, reader: yield* source.open }
  })

const reasonOf = (act: Promise<unknown>): Promise<string> =>
  act.then(
    () => "no failure",
    (cause: unknown) => (cause instanceof SourceError ? cause.reason : String(cause))
  )

/** All chunks, copied as they come. */
const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const chunk of chunks) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}

const changes: ReadonlyArray<readonly [string, (path: string) => Promise<unknown>]> = [
  ["was appended to", (path) => Fs.appendFile(path, "x")],
  ["was cut", (path) => Fs.truncate(path, 10)],
  ["was written to without growing", async (path) => Fs.writeFile(path, pattern((await Fs.stat(path)).size, 7))],
  [
    "was replaced by another of the same size and time",
    async (path) => {
      await Fs.writeFile(`${path}.new`, pattern((await Fs.stat(path)).size, 7))
      await Fs.utimes(`${path}.new`, 1, 1)
      await Fs.rename(`${path}.new`, path)
    }
  ],
  ["was removed", (path) => Fs.rm(path)],
  [
    "gave way to a folder",
    async (path) => {
      await Fs.rm(path)
      await Fs.mkdir(path)
    }
  ]
]

describe("FileSource", () => {
  it.scoped("tells the name as given, the size, and a fingerprint that lasts", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(12_345))
      const relative = Path.relative(process.cwd(), path)
      const source = yield* FileSource.make(relative)
      assert.deepStrictEqual([source.name, source.size], [relative, 12_345])
      assert.strictEqual((yield* FileSource.make(path)).fingerprint, source.fingerprint)
      assert.include(source.fingerprint, `${path}:12345:1000000000:`)
    })
  )

  for (const [what, change] of changes.slice(0, 4)) {
    it.scoped(`has another fingerprint after the file ${what}`, () =>
      Effect.gen(function* () {
        const path = yield* file(pattern(1000))
        const before = yield* FileSource.make(path)
        yield* Effect.promise(() => change(path))
        assert.notStrictEqual((yield* FileSource.make(path)).fingerprint, before.fingerprint)
      })
    )
  }

  it.scoped("says NotFound where there is no file", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(1))
      for (const missing of [`${path}.gone`, `${path}/below`]) {
        const error = yield* Effect.flip(FileSource.make(missing))
        assert.deepStrictEqual([error.reason, error.message], ["NotFound", `${missing}: there is no such file`])
      }
    })
  )

  it.scoped("says in words that a folder or a device is not to be uploaded", () =>
    Effect.gen(function* () {
      const folder = Path.dirname(yield* file(pattern(1)))
      const error = yield* Effect.flip(FileSource.make(folder))
      assert.deepStrictEqual([error.reason, error.message], ["Read", `${folder}: is a directory`])
      const device = yield* Effect.flip(FileSource.make("/dev/null"))
      assert.include(device.message, process.platform === "win32" ? "" : "no regular file")
    })
  )

  it.scoped("reads any range, in one piece and in chunks", () =>
    Effect.gen(function* () {
      const content = pattern(3 * chunkSize + 17)
      const { reader } = yield* open(content)
      const range = fc
        .tuple(fc.nat(content.length), fc.nat(content.length))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(range, async ([from, to]) => {
            const target = Buffer.alloc(to - from)
            await Effect.runPromise(reader.read(from, target))
            const expected = content.subarray(from, to)
            return target.equals(expected) && (await collect(reader.chunks(from, to - from))).equals(expected)
          }),
          { numRuns: 200 }
        )
      )
    })
  )

  it.scoped("gives no chunk of an empty file", () =>
    Effect.gen(function* () {
      const { reader, source } = yield* open(Buffer.alloc(0))
      assert.strictEqual(source.size, 0)
      assert.strictEqual((yield* Effect.promise(() => collect(reader.chunks(0, 0)))).length, 0)
      yield* reader.read(0, Buffer.alloc(0))
    })
  )

  it.scoped("keeps a chunk as it is until the second next() after it, and then uses its memory again", () =>
    Effect.gen(function* () {
      const content = pattern(10 * chunkSize + 5)
      const { reader } = yield* open(content)
      const memory = new Set<number>()
      let before: Uint8Array | undefined
      let at = 0
      for (const iterator = reader.chunks(0, content.length)[Symbol.asyncIterator](); ;) {
        const next = yield* Effect.promise(() => iterator.next())
        // Time for a read ahead to do its harm.
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        if (before !== undefined) assert.isTrue(content.subarray(at - before.length, at).equals(before))
        if (next.done === true) break
        before = next.value
        at += next.value.length
        memory.add(next.value.byteOffset)
      }
      assert.deepStrictEqual([at, memory.size], [content.length, 3])
    })
  )

  it.scoped("reads into memory that it is lent, again and again, but not while a read into it is under way", () =>
    Effect.gen(function* () {
      const content = pattern(8 * chunkSize)
      const { reader } = yield* open(content)
      const memory = chunkMemory()
      const names = new Map<ArrayBufferLike, number>()
      const nameOf = (buffer: ArrayBufferLike) => names.get(buffer) ?? (names.set(buffer, names.size), names.size - 1)
      const used = (offset: number, length: number) =>
        Effect.promise(async () => {
          const chunks = new Set<string>()
          for await (const { buffer, byteOffset } of reader.chunks(offset, length, memory)) {
            chunks.add(`${nameOf(buffer)} at ${byteOffset}`)
          }
          return [...chunks]
        })
      const first = yield* used(0, 4 * chunkSize)
      assert.lengthOf(first, 3)
      assert.deepEqual(yield* used(chunkSize, 5 * chunkSize), first)
      assert.include(first, (yield* used(0, 100))[0])

      const begun = reader.chunks(0, 3 * chunkSize, memory)[Symbol.asyncIterator]()
      const { value } = yield* Effect.promise(() => begun.next())
      const beside = yield* used(0, 4 * chunkSize)
      assert.isTrue(beside.every((chunk) => !first.includes(chunk)))
      assert.isTrue(content.subarray(0, chunkSize).equals(value as Uint8Array)) // it was not done

      yield* Effect.promise(async () => begun.return?.())
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      assert.deepEqual(yield* used(0, 4 * chunkSize), first)
    })
  )

  it.scoped("gives chunks as small as they are asked for, and takes no more memory than for three", () =>
    Effect.gen(function* () {
      const { reader } = yield* open(pattern(10_500))
      const memory = chunkMemory(1000)
      const sizes = yield* Effect.promise(async () => {
        const sizes: Array<number> = []
        for await (const chunk of reader.chunks(0, 10_500, memory)) sizes.push(chunk.length)
        return sizes
      })
      assert.deepEqual(sizes, [...Array.from({ length: 10 }, () => 1000), 500])
      assert.deepEqual(
        memory.buffers.map(({ byteLength }) => byteLength),
        [1000, 1000, 1000]
      )
    })
  )

  it.scoped("starts afresh with each call of chunks, and serves several at once", () =>
    Effect.gen(function* () {
      const content = pattern(5 * chunkSize)
      const { reader } = yield* open(content)
      const all = yield* Effect.promise(() =>
        Promise.all([0, 1, 2, 3].map(() => collect(reader.chunks(chunkSize, 3 * chunkSize))))
      )
      assert.isTrue(all.every((one) => one.equals(content.subarray(chunkSize, 4 * chunkSize))))
    })
  )

  it.scoped("finds an untouched file unchanged", () =>
    Effect.gen(function* () {
      const { reader } = yield* open(pattern(1000))
      yield* Effect.promise(() => collect(reader.chunks(0, 1000)))
      yield* reader.unchanged
    })
  )

  for (const [what, change] of changes) {
    it.scoped(`says Changed once the file ${what}`, () =>
      Effect.gen(function* () {
        const content = pattern(4 * chunkSize)
        const { path, reader, source } = yield* open(content)
        const given: Array<number> = []
        const upload = async () => {
          for await (const chunk of reader.chunks(0, content.length)) {
            if (given.push(chunk.length) === 1) await change(path)
          }
        }
        // The last chunk is held back, so that the server never has a whole object.
        assert.strictEqual(yield* Effect.promise(() => reasonOf(upload())), "Changed")
        assert.isAtMost(given.length, 3)
        assert.strictEqual((yield* Effect.flip(reader.unchanged)).reason, "Changed")
        const later = yield* Effect.flip(Effect.scoped(source.open))
        assert.strictEqual(later.reason, what === "was removed" ? "NotFound" : "Changed")
      })
    )
  }

  it.scoped("looks whether the file has changed once a second while memory is lent, and each time without", () =>
    Effect.gen(function* () {
      const { path, reader } = yield* open(pattern(1000))
      const lent = chunkMemory()
      const read = (memory?: ChunkMemory) => Effect.promise(() => reasonOf(collect(reader.chunks(0, 1000, memory))))
      assert.deepEqual([yield* read(), yield* read(lent)], ["no failure", "no failure"])
      yield* Effect.promise(() => Fs.appendFile(path, "x"))
      assert.deepEqual([yield* read(lent), yield* read()], ["no failure", "Changed"])
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1100)))
      assert.strictEqual(yield* read(lent), "Changed")
    })
  )

  it.scoped("says Changed for a range that ends beyond the file, and where it ends", () =>
    Effect.gen(function* () {
      const { path, reader } = yield* open(pattern(1000))
      const error = yield* Effect.flip(reader.read(900, Buffer.alloc(101)))
      assert.deepStrictEqual(
        [error.reason, error.message],
        ["Changed", `${path}: ends at byte 1000, 1 bytes too early`]
      )
      assert.strictEqual(yield* Effect.promise(() => reasonOf(collect(reader.chunks(900, 101)))), "Changed")
    })
  )

  it.scoped("can be left in the middle, with a read ahead that has failed", () =>
    Effect.gen(function* () {
      const { reader } = yield* open(pattern(chunkSize))
      const iterator = reader.chunks(0, 2 * chunkSize)[Symbol.asyncIterator]()
      const first = yield* Effect.promise(() => iterator.next())
      assert.strictEqual(first.value?.length, chunkSize)
      // A rejection that nobody listens to would end the process by now.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 30)))
      yield* Effect.promise(async () => iterator.return?.())
    })
  )

  it.scoped("says Changed when it opened another file that was there for a moment", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(1000))
      const source = yield* FileSource.make(path)
      const original = FsPromises.open
      FsPromises.open = async (...args) => {
        await Fs.rename(path, `${path}.aside`)
        await Fs.writeFile(path, pattern(1000, 7))
        const handle = await original(...args)
        await Fs.rename(`${path}.aside`, path)
        return handle
      }
      syncBuiltinESMExports()
      const error = yield* Effect.flip(Effect.scoped(source.open)).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            FsPromises.open = original
            syncBuiltinESMExports()
          })
        )
      )
      assert.strictEqual(error.reason, "Changed")
    })
  )

  it.scoped("an interrupted read has ended before the interruption has", () =>
    Effect.gen(function* () {
      const content = Buffer.alloc(64 * 1024 * 1024, 1)
      const { reader } = yield* open(content)
      const target = Buffer.alloc(content.length)
      const fiber = yield* Effect.fork(reader.read(0, target))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      target.fill(0)
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 100)))
      assert.strictEqual(target.indexOf(1), -1)
    })
  )

  it.scoped("closes the file with the scope", () =>
    Effect.gen(function* () {
      const path = yield* file(pattern(1000))
      const source = yield* FileSource.make(path)
      const reader = yield* Effect.scoped(source.open)
      const error = yield* Effect.flip(reader.read(0, Buffer.alloc(1)))
      assert.deepStrictEqual([error.reason, error.source], ["Read", path])
    })
  )
})
