/**
 * HMAC-SHA256 of short texts by WebAssembly, with keys prepared once: what a signature costs beside writing its text.
 *
 * Synchronous, no I/O. Hosts have HMACs of their own, but ask for a call, an object and the key's two blocks each time; see
 * decisions/0011 for the figures. A prepared key is 64 bytes on the JavaScript heap, and passes through one memory of 64 KiB
 * that all keys share. Constant time: no branch and no address depends on a key or a text, only on the text's length.
 * The module (wat/) is compiled by the first `make`, not at import. Lengths in bytes.
 * Sources: FIPS 180-4 (SHA-256); RFC 2104 (HMAC).
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layout from "./sha256/Layout.ts"
import { base64 } from "./sha256/WasmBytes.ts"

/** The longest text that a prepared key takes, in UTF-16 code units: in UTF-8, none of these is longer than its memory. */
export const longest = Math.floor(Layout.INPUT / 3)

/** The longest key that can be prepared, in bytes. (HMAC hashes longer ones first.) */
export const longestKey = Layout.BLOCK

/** The HMAC of a text of at most `longest` units as 64 lower-case hexadecimal digits. The text is hashed as UTF-8. */
export type Hmac = (text: string) => string

/** Prepares a key of at most `longestKey` bytes. It is read before the call returns, and not kept. */
export type Prepare = (key: Uint8Array) => Hmac

/** The functions of the module; see wat/Module.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly key: () => void
  readonly hmac: (length: number) => void
}

/** Undefined where WebAssembly may not be compiled (some edge runtimes, a page whose policy forbids it). */
export const make = (): Prepare | undefined => {
  const bytes = Either.getOrThrow(Encoding.decodeBase64(base64)) as Uint8Array<ArrayBuffer> // made by the decoder
  try {
    // wat/ exports just these; a test assembles it and compares the bytes.
    return run(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports)
  } catch {
    return undefined
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const run = (wasm: Exports): Prepare => {
  const { buffer } = wasm.memory
  const input = new Uint8Array(buffer, Layout.INPUT_AT, Layout.INPUT)
  const digits = new Uint8Array(buffer, Layout.DIGITS_AT, Layout.DIGITS)
  const current = new Int32Array(buffer, Layout.KEY_AT, Layout.KEY / 4)
  return (key) => {
    input.fill(0, key.byteLength, Layout.BLOCK)
    input.set(key)
    wasm.key()
    const prepared = current.slice()
    return (text) => {
      current.set(prepared)
      wasm.hmac(encoder.encodeInto(text, input).written)
      return decoder.decode(digits)
    }
  }
}
