/** OpenFile: a number of an open file is never used once it may be another file's. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as OpenFile from "../../../adapters/node/OpenFile.ts"

const content = Buffer.alloc(32 * 1024 * 1024, "0123456789")

const use = async <A>(test: (file: OpenFile.OpenFile) => Promise<A>): Promise<A> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "open-file-"))
  try {
    await Fs.writeFile(Path.join(folder, "file"), content)
    return await test(OpenFile.make(await Fs.open(Path.join(folder, "file"))))
  } finally {
    await Fs.rm(folder, { recursive: true })
  }
}

const fill = (file: OpenFile.OpenFile, offset: number, target: Uint8Array) =>
  new Promise<{ readonly error: Error | undefined; readonly filled: number }>((resolve) =>
    file.fill(offset, target, (error, filled) => resolve({ error, filled }))
  )

it("fills what it is given, and tells how far where the file ends", () =>
  use(async (file) => {
    const target = Buffer.alloc(1000)
    assert.deepStrictEqual(await fill(file, 777, target), { error: undefined, filled: 1000 })
    assert.isTrue(target.equals(content.subarray(777, 1777)))
    assert.deepStrictEqual(await fill(file, content.length - 10, target), { error: undefined, filled: 10 })
    assert.deepStrictEqual(await fill(file, content.length, target), { error: undefined, filled: 0 })
    assert.deepStrictEqual(await fill(file, 0, Buffer.alloc(0)), { error: undefined, filled: 0 })
    await file.close()
  }))

it("closes after the reads under way, and begins none after that", () =>
  use(async (file) => {
    const [one, two] = [Buffer.alloc(content.length), Buffer.alloc(content.length)]
    const ended: Array<string> = []
    const reads = [one, two].map(async (target, i) => {
      const { error, filled } = await fill(file, 0, target)
      ended.push(`read ${i}`)
      assert.deepStrictEqual([error, filled], [undefined, content.length])
    })
    const closed = file.close().then(() => ended.push("closed"))
    const late = await fill(file, 0, Buffer.alloc(10))
    assert.match(String(late.error), /closed/)
    await Promise.all([...reads, closed])
    assert.strictEqual(ended[2], "closed")
    assert.isTrue(one.equals(content) && two.equals(content))
  }))

it("tells what went wrong", () =>
  use(async (file) => {
    const { error } = await fill(file, -5, Buffer.alloc(10))
    assert.match(String(error), /out of range/)
    await file.close()
  }))
