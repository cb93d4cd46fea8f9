/**
 * HMAC-SHA256 of short texts by WebAssembly, with keys prepared once: what a signature costs beside writing its text.
 *
 * Synchronous, no I/O. Hosts have HMACs of their own, but ask for a call, an object and the key's two blocks each time; see
 * decisions/0011 for the figures. A prepared key is 128 bytes on the JavaScript heap, and passes through one memory of 64 KiB
 * that all keys share. Constant time: no branch and no address depends on a key or a text, only on the text's length.
 * The module (wat/) is compiled by the first `make`, not at import. Lengths in bytes.
 * Sources: FIPS 180-4 (SHA-256); RFC 2104 (HMAC).
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layout from "./sha256/Layout.ts"
import { base64 } from "./sha256/WasmBytes.ts"

/**
 * The longest text that is taken, in UTF-16 code units, if its UTF-8 form has at most 1024 bytes. Beyond, hosts are faster:
 * on an EPYC with SHA instructions the two meet at 800 bytes, on a Xeon without them later.
 */
export const longest = 1024

/** The longest key that can be prepared. (HMAC hashes longer ones first.) */
export const longestKey = Layout.BLOCK

/**
 * The HMAC of `head` and `text` in a row as 64 lower-case hexadecimal digits; undefined where they are too long. They are
 * hashed as UTF-8. The last head is remembered in its hashed form, so what many texts begin with costs nothing again.
 */
export type Hmac = (head: string, text: string) => string | undefined

/** Prepares a key of at most `longestKey` bytes. It is read before the call returns, and not kept. */
export type Prepare = (key: Uint8Array) => Hmac

/** The functions of the module; see wat/Module.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly key: () => void
  readonly absorb: (length: number) => void
  readonly hmac: (whole: number, length: number) => void
}

/** Undefined where WebAssembly may not be compiled (some edge runtimes, a page whose policy forbids it). */
export const make = (): Prepare | undefined => {
  const bytes = Either.getOrThrow(Encoding.decodeBase64(base64)) as Uint8Array<ArrayBuffer> // made by the decoder
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes))
    return run(instance.exports as unknown as Exports) // wat/ exports just these: a test assembles it and compares the bytes
  } catch {
    return undefined
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What texts begin with, hashed: the states after its whole blocks, and its rest. Lengths in bytes. */
interface Head {
  readonly text: string
  readonly prepared: Int32Array
  readonly length: number
  readonly rest: number
  /** Where the text has to go: the memory behind the rest. */
  readonly input: Uint8Array
}

const run = (wasm: Exports): Prepare => {
  const { buffer } = wasm.memory
  const input = new Uint8Array(buffer, Layout.INPUT_AT, Layout.INPUT)
  const digits = new Uint8Array(buffer, Layout.DIGITS_AT, Layout.DIGITS)
  const current = new Int32Array(buffer, Layout.PREPARED_AT, Layout.PREPARED / 4)

  /** The head, from the key's states; undefined where it does not fit. */
  const absorb = (key: Int32Array, text: string): Head | undefined => {
    if (text.length > longest) return undefined
    current.set(key)
    const { read, written } = encoder.encodeInto(text, input)
    if (read < text.length) return undefined
    const rest = written % Layout.BLOCK
    if (written > rest) wasm.absorb(written - rest)
    input.copyWithin(0, written - rest, written)
    return { text, prepared: current.slice(), length: written, rest, input: input.subarray(rest) }
  }

  return (key) => {
    input.fill(0, key.byteLength, Layout.BLOCK)
    input.set(key)
    wasm.key()
    const states = current.slice()
    let last = absorb(states, "")
    return (headText, text) => {
      const head = last?.text === headText ? last : absorb(states, headText)
      if (head === undefined || text.length > longest) return undefined
      last = head
      current.set(head.prepared)
      const { read, written } = encoder.encodeInto(text, head.input)
      if (read < text.length) return undefined
      wasm.hmac(head.length + written, head.rest + written)
      return decoder.decode(digits)
    }
  }
}
