/**
 * Assembles the WASM of Crc64 and writes it into core/model/crc64/WasmBytes.ts: `npx tsx test/core/model/crc64/build.ts`.
 *
 * The same source gives the same bytes: the assembler (wabt) is pinned. Crc64Wasm.test.ts compares them.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { argv } from "node:process"
import { fileURLToPath } from "node:url"
import wabt from "wabt"
import { text } from "../../../../core/model/crc64/wat/Module.ts"

const file = fileURLToPath(new URL("../../../../core/model/crc64/WasmBytes.ts", import.meta.url))

/** The module, assembled from its source. */
export const assemble = async (): Promise<Uint8Array> => {
  const parsed = (await wabt()).parseWat("crc64.wat", text, { simd: true, bulk_memory: true })
  try {
    return parsed.toBinary({}).buffer
  } finally {
    parsed.destroy()
  }
}

/** What WasmBytes.ts has to hold for these bytes. */
export const fileWith = (bytes: Uint8Array): string => {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,112}/g) ?? []
  return `/**
 * The WASM of Crc64 in base64. Written by test/core/model/crc64/build.ts from the source in wat/; do not edit.
 */
export const base64 =
${lines.map((line) => `  "${line}"`).join(" +\n")}
`
}

/** The file as it is. */
export const committed = (): string => readFileSync(file, "utf8")

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, fileWith(await assemble()))
