/** Callbacks that wait, in files. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FsOutbox from "../../../adapters/fs/FsOutbox.ts"
import { contract } from "../../contracts/Outbox.contract.ts"
import { undelivered } from "../../support/SampleUndelivered.ts"

const root = await Fs.mkdtemp(join(tmpdir(), "effect-oss-outbox-"))
afterAll(() => Fs.rm(root, { recursive: true }))

let count = 0
const fresh = () => join(root, String(++count), "outbox")

contract("FsOutbox.layer", () => FsOutbox.layer({ directory: fresh() }))

describe("FsOutbox", () => {
  it.live("outlives the process: what one put, another finds", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* FsOutbox.make({ directory }).put(undelivered(1))
      assert.deepStrictEqual(yield* FsOutbox.make({ directory }).list, [undelivered(1)])
    })
  )

  it.live("lets nobody else read: tokens may be in it", () =>
    Effect.gen(function* () {
      const directory = fresh()
      yield* FsOutbox.make({ directory }).put(undelivered(1))
      const modes = yield* Effect.promise(async () => {
        const [file] = await Fs.readdir(directory)
        return [await Fs.stat(directory), await Fs.stat(join(directory, file!))].map(({ mode }) => mode & 0o777)
      })
      assert.deepStrictEqual(modes, [0o700, 0o600])
    })
  )

  it.live("leaves out what is no entry, and what a crash left, and leaves it where it is", () =>
    Effect.gen(function* () {
      const directory = fresh()
      const outbox = FsOutbox.make({ directory })
      yield* outbox.put(undelivered(1))
      yield* Effect.promise(async () => {
        await Fs.writeFile(join(directory, "x.json"), "{")
        await Fs.writeFile(join(directory, "y.json"), `{"version":2}`)
        await Fs.writeFile(join(directory, "z.json.tmp"), "{")
      })
      const listed = yield* Effect.provide(outbox.list, Logger.remove(Logger.defaultLogger))
      assert.deepStrictEqual(listed, [undelivered(1)])
      assert.lengthOf(yield* Effect.promise(() => Fs.readdir(directory)), 4)
    })
  )

  it.live("fails with StoreError where it cannot write, and says where", () =>
    Effect.gen(function* () {
      const file = join(root, "a-file")
      yield* Effect.promise(() => Fs.writeFile(file, ""))
      const error = yield* Effect.flip(FsOutbox.make({ directory: file }).put(undelivered(1)))
      assert.strictEqual(error._tag, "StoreError")
      assert.include(error.message, file)
    })
  )
})
