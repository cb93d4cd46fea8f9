/**
 * The WASM of Crc64 as a thing: built from its source, compiled when needed, done without where it may not be compiled.
 */
import { assert, describe, it } from "@effect/vitest"
import { afterEach, vi } from "vitest"
import * as build from "./crc64/build.ts"
import * as ByteTable from "./crc64/ByteTable.ts"

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7)

/** A Crc64 that has not met any bytes yet. */
const fresh = async () => {
  vi.resetModules()
  return await import("../../../core/model/Crc64.ts")
}

/** Counts the modules compiled from now on; `allowed` says whether they may be. */
const watchCompiling = (allowed: boolean) => {
  const compiled = { count: 0 }
  const Module = WebAssembly.Module
  class Watched extends Module {
    constructor(bytes: BufferSource) {
      compiled.count++
      if (!allowed) throw new Error("Wasm code generation disallowed by embedder")
      super(bytes)
    }
  }
  vi.stubGlobal("WebAssembly", { ...WebAssembly, Instance: WebAssembly.Instance, Module: Watched })
  return compiled
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("the WASM of Crc64", () => {
  it("is what its source says, byte for byte", async () => {
    assert.strictEqual(build.committed(), build.fileWith(await build.assemble()))
  })
  it("has at most 4096 bytes: older browsers compile no more than that at once on a page", async () => {
    assert.isAtMost((await build.assemble()).byteLength, 4096)
  })
  it("is not compiled at import, nor for a few bytes, and once for many", async () => {
    const compiled = watchCompiling(true)
    const Crc64 = await fresh()
    const atImport = compiled.count
    Crc64.of(content.subarray(0, 63))
    const afterFew = compiled.count
    for (let i = 0; i < 3; i++) Crc64.make().update(content)
    assert.deepStrictEqual([atImport, afterFew, compiled.count], [0, 0, 1])
  })
  it("is done without where it may not be compiled", async () => {
    const compiled = watchCompiling(false)
    const Crc64 = await fresh()
    const crcs = [Crc64.of(content), Crc64.of(content)]
    assert.deepStrictEqual([crcs, compiled.count], [[ByteTable.of(content), ByteTable.of(content)], 1])
  })
  it("is shared where there is room for one only, which is tried once", async () => {
    let instances = 0
    const Instance = WebAssembly.Instance
    class One extends Instance {
      constructor(module: WebAssembly.Module) {
        if (++instances > 1) throw new RangeError("could not allocate memory")
        super(module)
      }
    }
    vi.stubGlobal("WebAssembly", { ...WebAssembly, Module: WebAssembly.Module, Instance: One })
    const Crc64 = await fresh()
    const buffers = [1, 2, 3].map(() => Crc64.buffers(1, content.length)[0]!)
    assert.deepStrictEqual(
      buffers.map(({ buffer }) => buffer.byteLength),
      [1, 2, 3].map(() => content.length)
    )
    buffers[0]?.set(content)
    assert.deepStrictEqual([Crc64.of(buffers[0]!), instances], [ByteTable.of(content), 2])
  })
  it("is done without where there is no WebAssembly at all", async () => {
    vi.stubGlobal("WebAssembly", undefined)
    const Crc64 = await fresh()
    assert.strictEqual(Crc64.of(content), ByteTable.of(content))
  })
})
