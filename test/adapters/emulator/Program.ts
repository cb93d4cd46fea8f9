/**
 * The emulator as a program, bundled once so that it starts in a fraction of a second.
 */
import { buildSync } from "esbuild"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"

/** Runs a test with the bundle and a folder of its own, which is removed afterwards. */
export const use = async <A>(test: (program: string, folder: string) => Promise<A>): Promise<A> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-program-"))
  try {
    const program = Path.join(folder, "emulator.mjs")
    buildSync({
      entryPoints: [new URL("../../../adapters/emulator/main.ts", import.meta.url).pathname],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20"
    })
    return await test(program, folder)
  } finally {
    await Fs.rm(folder, { recursive: true, force: true })
  }
}
