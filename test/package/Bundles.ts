/**
 * `sideEffects: false` holds: what is imported and not used leaves nothing in a bundle, and importing does nothing.
 */
import { build } from "esbuild"
import { entries } from "./Contents.ts"
import { run, type Node } from "./Machine.ts"

/** Bytes of the bundle of this code, minified. `folder` is where the package is installed. */
const bundled = async (folder: string, code: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "silent"
  })
  return outputFiles[0]!.contents.length
}

/** Bytes of what an unused import leaves: names of built-in modules at most. */
const maxNothing = 200

/** What is wrong, in sentences. The packages that entries stand on must be installed. */
export const complaints = async (folder: string, node: Node): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const entry of entries) {
    for (const code of [`import "${entry}"`, `import * as All from "${entry}"`]) {
      const size = await bundled(folder, code)
      if (size > maxNothing) found.push(`${code} leaves ${size} bytes in a bundle`)
    }
    // It must neither write, nor keep the process alive, nor leave anything in the global object.
    const script = [
      "const names = () => Object.getOwnPropertyNames(globalThis).filter((name) => !name.startsWith('effect/'))",
      "const before = names()",
      `await import(${JSON.stringify(entry)})`,
      "const left = names().filter((name) => !before.includes(name))",
      "await new Promise((resolve) => setTimeout(resolve, 50))", // the loader closes its files
      "const alive = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap')",
      "console.log(JSON.stringify([left, alive]))"
    ].join("\n")
    const output = await run(node.path, ["--input-type=module", "--eval", script], { cwd: folder })
    if (output !== "[[],[]]\n") found.push(`importing ${entry} is not without effects: ${output}`)
  }
  const one = await bundled(folder, 'import { Bytes } from "effect-oss"\nconsole.log(Bytes.MiB(1))')
  if (one > 2000) found.push(`one small function of effect-oss brings ${one} bytes along`)
  return found
}
