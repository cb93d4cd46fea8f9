/**
 * Bodies on their way to files: the bytes, the MD5 and the CRC-64 are those of the body, however it is cut, and however many
 * come at once.
 */
import { assert, it } from "@effect/vitest"
import { buildSync } from "esbuild"
import { execFileSync } from "node:child_process"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Stages from "../../../adapters/emulator/Stages.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"

const stage = 128 * 1024

const withFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-stages-"))
  try {
    return await use(folder)
  } finally {
    await Fs.rm(folder, { recursive: true, force: true })
  }
}

/** Sends `content` in pieces through stages into a file of that name; the pieces' memory is used again at once. */
const send = async (path: string, content: Uint8Array, piece: number) => {
  const handle = await Fs.open(path, "wx")
  const stages = Stages.make(handle)
  const memory = new Uint8Array(piece)
  try {
    for (let at = 0; at < content.length; at += piece) {
      const length = Math.min(piece, content.length - at)
      memory.set(content.subarray(at, at + length))
      await stages.add(memory.subarray(0, length))
    }
    const { size, md5, crc64 } = await stages.end()
    return { size, md5: md5.toString("hex"), crc64 }
  } finally {
    await stages.close()
    await handle.close()
  }
}

const expected = (content: Uint8Array) => ({
  size: content.length,
  md5: NodeCrypto.createHash("md5").update(content).digest("hex"),
  crc64: Crc64.of(content)
})

it("writes and sums up bodies of every length about that of its stages, in pieces of every size", () =>
  withFolder(async (folder) => {
    for (const size of [0, 1, stage - 1, stage, stage + 1, 2 * stage - 1, 2 * stage, 2 * stage + 1, 9 * stage + 77]) {
      for (const piece of [1000, 65_536, stage, 3 * stage + 5]) {
        const content = NodeCrypto.randomBytes(size)
        const path = Path.join(folder, `${size}-${piece}`)
        assert.deepStrictEqual(await send(path, content, piece), expected(content), `${size} in ${piece}`)
        assert.isTrue(content.equals(await Fs.readFile(path)), `${size} in ${piece}`)
      }
    }
  }))

/** Runs of zeros and of other bytes, by turns. */
const mixed = (lengths: ReadonlyArray<number>, first: "zeros" | "bytes"): Buffer =>
  Buffer.concat(
    lengths.map((length, i) =>
      (i % 2 === 0) === (first === "zeros") ? Buffer.alloc(length) : NodeCrypto.randomBytes(length)
    )
  )

it("sums up zeros wherever they stand, and gives them back", () =>
  withFolder(async (folder) => {
    const lengths = [0, 1, 4096, 65_536, stage, 3 * stage + 1, 9 * stage]
    let name = 0
    for (const a of lengths) {
      for (const b of lengths) {
        for (const first of ["zeros", "bytes"] as const) {
          const content = mixed([a, b, 5000, a, b], first)
          for (const piece of [4096, 3 * stage + 5]) {
            const path = Path.join(folder, `${name++}`)
            assert.deepStrictEqual(
              await send(path, content, piece),
              expected(content),
              `${a} ${b} ${first} in ${piece}`
            )
            assert.isTrue(content.equals(await Fs.readFile(path)), `${a} ${b} ${first} in ${piece}`)
          }
        }
      }
    }
  }))

it("takes no disk for zeros, and knows the MD5 of as many of them again", () =>
  withFolder(async (folder) => {
    const content = new Uint8Array(16 * 1024 * 1024)
    for (const [name, piece] of [
      ["first", 65_536],
      ["second", 65_536],
      ["in short pieces", 1000]
    ] as const) {
      assert.deepStrictEqual(await send(Path.join(folder, name), content, piece), expected(content))
      const { blocks, size } = await Fs.stat(Path.join(folder, name))
      assert.strictEqual(size, content.length)
      assert.isBelow(blocks * 512, 1024 * 1024)
    }
  }))

it("keeps bodies apart that come at once", () =>
  withFolder(async (folder) => {
    const contents = Array.from({ length: 20 }, (_, i) => NodeCrypto.randomBytes(i * 100_003))
    const sums = await Promise.all(contents.map((content, i) => send(Path.join(folder, `${i}`), content, 60_000 + i)))
    assert.deepStrictEqual(sums, contents.map(expected))
  }))

it("says that a file cannot be written, and goes on with others", () =>
  withFolder(async (folder) => {
    const readOnly = Path.join(folder, "read-only")
    await Fs.writeFile(readOnly, "")
    const handle = await Fs.open(readOnly, "r")
    const stages = Stages.make(handle)
    const content = NodeCrypto.randomBytes(5 * stage)
    const sum = async () => {
      await stages.add(content)
      return await stages.end()
    }
    const error = await sum().catch((cause: unknown) => cause)
    assert.match(String(error), /EBADF/)
    await stages.close()
    await handle.close()
    assert.deepStrictEqual(await send(Path.join(folder, "other"), content, 65_536), expected(content))
  }))

it("keeps the process alive until a body is done, and no longer", () =>
  withFolder(async (folder) => {
    const stages = new URL("../../../adapters/emulator/Stages.ts", import.meta.url).pathname
    const program = `
      import * as Fs from "node:fs/promises"
      import * as Stages from ${JSON.stringify(stages)}
      const handle = await Fs.open(${JSON.stringify(Path.join(folder, "body"))}, "w")
      const stages = Stages.make(handle)
      await stages.add(new Uint8Array(40 * 1024 * 1024))
      console.log((await stages.end()).md5.toString("hex"))
      await stages.close()
      await handle.close()
      const done = performance.now()
      process.on("exit", () => console.log(performance.now() - done))
    `
    const outfile = Path.join(folder, "program.mjs")
    buildSync({
      stdin: { contents: program, resolveDir: folder, loader: "ts" },
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20"
    })
    const [md5, lingered] = execFileSync(process.execPath, [outfile], { encoding: "utf8" }).split("\n")
    assert.strictEqual(md5, expected(new Uint8Array(40 * 1024 * 1024)).md5)
    assert.isBelow(Number(lingered), 4000)
  }))
