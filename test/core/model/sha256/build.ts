/**
 * Assembles the WASM of Sha256 and writes it into core/model/sha256/WasmBytes.ts: `npx tsx test/core/model/sha256/build.ts`.
 *
 * Sha256Wasm.test.ts compares them.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { argv } from "node:process"
import { fileURLToPath } from "node:url"
import { text } from "../../../../core/model/sha256/wat/Module.ts"
import * as WasmBuild from "../../../support/WasmBuild.ts"

const file = fileURLToPath(new URL("../../../../core/model/sha256/WasmBytes.ts", import.meta.url))

/** The module, assembled from its source. */
export const assemble = (): Promise<Uint8Array> => WasmBuild.assemble(text)

/** What WasmBytes.ts has to hold for these bytes. */
export const fileWith = (bytes: Uint8Array): string =>
  WasmBuild.fileWith(bytes, "Sha256", "test/core/model/sha256/build.ts")

/** The file as it is. */
export const committed = (): string => readFileSync(file, "utf8")

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, fileWith(await assemble()))
