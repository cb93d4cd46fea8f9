/** FileSystemSource: what a file was when it was described is what is read, or nothing is. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as FileSystemSource from "../../../adapters/platform/FileSystemSource.ts"
import { SourceError } from "../../../core/model/OssError.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "file-system-source-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true }))
)

/** A file last written to in 1970, so that any later write shows in its time. */
const file = Effect.flatMap(folder, (folder) =>
  Effect.promise(async () => {
    const path = Path.join(folder, "video.bin")
    await Fs.writeFile(path, Buffer.alloc(600_000, "a"))
    await Fs.utimes(path, 1, 1)
    return path
  })
)

const changes: ReadonlyArray<readonly [string, (path: string) => Promise<unknown>]> = [
  ["was appended to", (path) => Fs.appendFile(path, "x")],
  ["was cut", (path) => Fs.truncate(path, 10)],
  ["was written to without growing", (path) => Fs.writeFile(path, Buffer.alloc(600_000, "b"))],
  ["was removed", (path) => Fs.rm(path)]
]

const make = (path: string) => Effect.provide(FileSystemSource.make(path), NodeFileSystem.layer)

describe("FileSystemSource", () => {
  for (const [what, change] of changes) {
    it.scopedLive(`fails with Changed when the file ${what} before, or while its last chunk is still to come`, () =>
      Effect.gen(function* () {
        const path = yield* file
        const source = yield* make(path)
        const reader = yield* source.open
        const outcome = yield* Effect.promise(async () => {
          let given = 0
          try {
            for await (const chunk of reader.chunks(0, source.size)) {
              if (given === 0) await change(path)
              given += chunk.length
            }
          } catch (cause) {
            return { given, reason: cause instanceof SourceError ? cause.reason : String(cause) }
          }
          return { given, reason: "none" }
        })
        assert.isBelow(outcome.given, source.size)
        assert.strictEqual(outcome.reason, "Changed")
        assert.strictEqual((yield* Effect.flip(reader.unchanged)).reason, "Changed")
        assert.strictEqual((yield* Effect.flip(source.open)).reason, "Changed")
      })
    )
  }

  it.scopedLive("says NotFound where there is no file, and in words that a folder is not to be uploaded", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const missing = yield* Effect.flip(make(`${path}/gone`))
      assert.deepStrictEqual([missing.reason, missing.message], ["NotFound", `${path}/gone: there is no such file`])
      const error = yield* Effect.flip(make(path))
      assert.deepStrictEqual([error.reason, error.message], ["Read", `${path}: is a directory`])
    })
  )
})
