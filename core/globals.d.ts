/**
 * The few globals beyond ECMAScript 2022 that the core uses. Node 20+, Deno, Bun, workers and browsers all have them.
 *
 * Only core/tsconfig.json reads this file. Anything else a host offers stays a compile error in the core.
 * Sources: Encoding Standard (encoding.spec.whatwg.org); WebAssembly JavaScript Interface (w3.org/TR/wasm-js-api).
 */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number }
}

declare class TextDecoder {
  constructor(label?: "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(input?: Uint8Array): string
}

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
}
