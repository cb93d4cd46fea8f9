/**
 * CRC-64/XZ by WebAssembly: copies the bytes to where the module wants them, and calls what is fastest for their length.
 *
 * Synchronous, no I/O. One memory of 576 KiB serves all hashers: a call reads its register, runs to its end, writes it back.
 * The module (wat/) is compiled by the first `make`: not at import, and not at all where only short inputs are met.
 * All lengths in bytes. The limits between the ways were measured on an EPYC (Zen 3) and a Xeon (Cascade Lake); each way is
 * right on both sides of its limits, so elsewhere they cost speed at worst.
 */
import * as Layout from "./Layout.ts"
import type { Register } from "./Register.ts"
import * as Slices from "./Slices.ts"
import { base64 } from "./WasmBytes.ts"

/** Below, TypeScript: the copy and the call cost more than they save, and the module needs 8 bytes. */
export const SHORTEST = 64
/** From so many bytes on: the narrow multiple, the wide one, a block. Below: tables alone. */
export const NARROW_FROM = 512
export const WIDE_FROM = 4096
export const BLOCK_FROM = 51200

/** The functions of the module; see wat/Module.ts and wat/Cyclic.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly initialize: () => void
  readonly slices: (length: number) => void
  readonly narrow: (length: number) => void
  readonly wide: (length: number) => void
  readonly block: (length: number) => void
  readonly chunk: (index: number) => void
  readonly finish: (chunks: number) => void
}

/**
 * What Slices.update does, faster; undefined where WebAssembly may not be compiled (some edge runtimes, a page whose policy
 * forbids it) or vectors are not known.
 */
export const make = (): typeof Slices.update | undefined => {
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(decode(base64)))
    return run(instance.exports as unknown as Exports) // wat/ exports just these: a test assembles it and compares the bytes
  } catch {
    return undefined
  }
}

const run = (wasm: Exports) => {
  wasm.initialize()
  const memory = new Uint8Array(wasm.memory.buffer)
  const view = new DataView(wasm.memory.buffer)
  const rowsOf = keepRows()

  /** Up to a block, by the way its length calls for. */
  const short = (bytes: Uint8Array): void => {
    const length = bytes.byteLength
    memory.set(bytes, Layout.INPUT_END - length)
    if (length < NARROW_FROM) wasm.slices(length)
    else if (length < WIDE_FROM) wasm.narrow(length)
    else if (length < BLOCK_FROM) wasm.wide(length)
    else wasm.block(length)
  }

  /** `count` chunks from `start` on. */
  const chunks = (bytes: Uint8Array, start: number, count: number): void => {
    const rowAt = rowsOf(bytes)
    let at = start
    for (let chunk = 0; chunk < count; chunk++) {
      for (let row = 0; row < Layout.ROWS_PER_CHUNK; row++, at += Layout.ROW)
        memory.set(rowAt(at), Layout.ROWS_AT + row * Layout.ROW_STRIDE)
      wasm.chunk(chunk)
    }
    wasm.finish(count)
  }

  return (register: Register, bytes: Uint8Array): void => {
    const length = bytes.byteLength
    view.setInt32(Layout.REGISTER_AT, register.low, true)
    view.setInt32(Layout.REGISTER_AT + 4, register.high, true)
    let at = 0
    while (length - at >= Layout.CHUNK) {
      const count = Math.min(Layout.CHUNKS, Math.floor((length - at) / Layout.CHUNK))
      chunks(bytes, at, count)
      at += count * Layout.CHUNK
    }
    while (length - at >= SHORTEST) {
      const size = Math.min(Layout.BLOCK, length - at)
      short(size === length ? bytes : part(bytes, at, size))
      at += size
    }
    register.low = view.getInt32(Layout.REGISTER_AT, true)
    register.high = view.getInt32(Layout.REGISTER_AT + 4, true)
    if (at < length) Slices.update(register, part(bytes, at, length - at))
  }
}

/** The largest memory whose rows are kept, in bytes: 1,024 rows, about 100 KiB. */
const KEPT_UP_TO = 32 * 1024 * 1024

/**
 * Gives the rows of some bytes, by where they begin. Those of memory that is met again are kept as long as it: for the buffers
 * that parts are read into, they were a quarter of all that an upload leaves to the garbage collector.
 */
const keepRows = () => {
  const kept = new WeakMap<ArrayBufferLike, Array<Uint8Array> | undefined>()
  return (bytes: Uint8Array): ((at: number) => Uint8Array) => {
    const { buffer, byteOffset } = bytes
    const rows = kept.get(buffer)
    const isKept = buffer.byteLength <= KEPT_UP_TO && byteOffset % Layout.ROW === 0
    if (rows === undefined && isKept) kept.set(buffer, kept.has(buffer) ? [] : undefined)
    return rows === undefined || !isKept
      ? (at) => part(bytes, at, Layout.ROW)
      : (at) => (rows[(byteOffset + at) / Layout.ROW] ??= part(bytes, at, Layout.ROW))
  }
}

/** Not `subarray`: on a Buffer that makes another Buffer, which takes twice as long. */
const part = (bytes: Uint8Array, at: number, length: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + at, length)

/**
 * The bytes of a base64 text. The core has no `atob`, and `effect/Encoding` adds 0.7 kB to what pages load. A table, as this
 * runs once and so before any compiler has looked at it.
 */
const decode = (text: string): Uint8Array<ArrayBuffer> => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  const values = new Uint8Array(128)
  for (let value = 0; value < 64; value++) values[digits.charCodeAt(value)] = value
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  for (let i = 0, at = 0; i < text.length; i += 4) {
    const three =
      (values[text.charCodeAt(i)]! << 18) |
      (values[text.charCodeAt(i + 1)]! << 12) |
      (values[text.charCodeAt(i + 2)]! << 6) |
      values[text.charCodeAt(i + 3)]!
    // What is written past the end is dropped.
    bytes[at++] = three >> 16
    bytes[at++] = three >> 8
    bytes[at++] = three
  }
  return bytes
}
