/**
 * WebAssembly text into the file of base64 that the core carries.
 *
 * The same source gives the same bytes: the assembler (wabt) is pinned.
 */
import wabt from "wabt"

/** The module, assembled from its source. */
export const assemble = async (text: string): Promise<Uint8Array> => {
  const parsed = (await wabt()).parseWat("module.wat", text, { simd: true, bulk_memory: true })
  try {
    return parsed.toBinary({}).buffer
  } finally {
    parsed.destroy()
  }
}

/** What the file for these bytes has to hold. `of` is the module they are for, `builder` what writes the file. */
export const fileWith = (bytes: Uint8Array, of: string, builder: string): string => {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,112}/g) ?? []
  return `/**
 * The WASM of ${of} in base64. Written by ${builder} from the source in wat/; do not edit.
 */
export const base64 =
${lines.map((line) => `  "${line}"`).join(" +\n")}
`
}
