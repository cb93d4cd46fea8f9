/**
 * CRC-64/XZ by WebAssembly: copies the bytes to where the module can read them, unless they lie there, and calls what is fastest
 * for their length.
 *
 * Synchronous, no I/O. One memory of 640 KiB serves all hashers: a call reads its register, runs to its end, writes it back.
 * The module (wat/) is compiled by the first that needs it: not at import, and not at all where only short inputs are met.
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
/** From so many bytes on there is something to gain by lying in the memory of the WASM. */
export const IN_PLACE_FROM = Layout.CHUNK

/** The functions of the module; see wat/Module.ts and wat/Cyclic.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly initialize: () => void
  readonly slices: (length: number) => void
  readonly narrow: (length: number) => void
  readonly wide: (length: number) => void
  readonly block: (length: number) => void
  readonly chunk: (at: number, index: number) => void
  readonly finish: (chunks: number) => void
}

/** What Slices.update does. */
type Update = typeof Slices.update

/**
 * What Slices.update does, faster; undefined where WebAssembly may not be compiled (some edge runtimes, a page whose policy
 * forbids it) or vectors are not known.
 */
export const make = (): Update | undefined => {
  const wasm = instantiate(0)
  return wasm === undefined ? undefined : updateBy(wasm)
}

/** Each memory takes about 10 GiB of addresses, whatever its length: some 13,000 are all that a process has room for. */
let mostMemories = 64
const LONGEST_MEMORY = 2 ** 30

/**
 * `length` bytes, all zero, in the memory of a module of their own: what lies there is summed up `inPlace`. They are freed with
 * the last view of them. undefined above 1 GiB, while 64 such memories are in use, and where there can be none.
 */
export const memory = (length: number): Uint8Array<ArrayBuffer> | undefined => {
  if (length > LONGEST_MEMORY || memories >= mostMemories) return undefined
  // A chunk is read a little past its end.
  const wasm = instantiate(Math.ceil((length + 16) / Layout.WASM_PAGE))
  if (wasm === undefined) {
    // Where addresses are scarce it takes V8 0.1 s to find that out.
    mostMemories = memories
    return undefined
  }
  const buffer = wasm.memory.buffer as ArrayBuffer // it is not shared
  updates.set(buffer, updateBy(wasm))
  freed ??= new FinalizationRegistry(() => void memories--)
  freed.register(buffer, undefined)
  memories++
  return new Uint8Array(buffer, Layout.PAGES * Layout.WASM_PAGE, length)
}

let memories = 0
let freed: FinalizationRegistry<undefined> | undefined
const updates = new WeakMap<ArrayBufferLike, Update>()

/** The `update` of bytes that lie in a `memory`. */
export const inPlace = (bytes: Uint8Array): Update | undefined => updates.get(bytes.buffer)

/** Compiled once, if it may be. */
let compiled: { readonly module: WebAssembly.Module | undefined } | undefined

const compile = (): WebAssembly.Module | undefined => {
  try {
    return new WebAssembly.Module(decode(base64))
  } catch {
    return undefined
  }
}

const instantiate = (morePages: number): Exports | undefined => {
  compiled ??= { module: compile() }
  if (compiled.module === undefined) return undefined
  try {
    const { exports } = new WebAssembly.Instance(compiled.module)
    const wasm = exports as unknown as Exports // wat/ exports just these: a test assembles it and compares the bytes
    if (morePages > 0) wasm.memory.grow(morePages)
    wasm.initialize()
    return wasm
  } catch {
    return undefined
  }
}

const updateBy = (wasm: Exports): Update => {
  const memory = new Uint8Array(wasm.memory.buffer)
  const view = new DataView(wasm.memory.buffer)

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
    const isHere = bytes.buffer === memory.buffer
    for (let chunk = 0, at = start; chunk < count; chunk++, at += Layout.CHUNK) {
      if (!isHere) memory.set(part(bytes, at, Layout.CHUNK), Layout.CHUNK_AT)
      wasm.chunk(isHere ? bytes.byteOffset + at : Layout.CHUNK_AT, chunk)
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
