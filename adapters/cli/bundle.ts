/**
 * `npm run bundle`: the CLI as plain JavaScript in `dist/cli`, with its libraries inside.
 *
 * One file for each command and for what they share, so that each loads no more than it needs. The licences of what is
 * inside go along. Run by the build; no part of the CLI itself.
 */
import { build } from "esbuild"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { join } from "node:path"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The folders of the packages that files come from: `node_modules/effect`. */
const packagesOf = (files: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []))].sort()

const licenceOf = (folder: string): string => {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    readonly name: string
    readonly version: string
    readonly license?: string
  } // every package has one
  const file = readdirSync(join(root, folder)).find((file) => /^licen[cs]e/i.test(file))
  const text = file === undefined ? "" : `\n\n${readFileSync(join(root, folder, file), "utf8").trim()}`
  return `${name} ${version} (${license ?? "no licence stated"})${text}`
}

/** Writes the CLI to a folder, whatever is in it, and answers the path of its program. */
export const bundle = async (outdir: string): Promise<string> => {
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { "effect-oss": "adapters/cli/main.ts" },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "[name]-[hash]",
    platform: "node",
    format: "esm",
    target: "node20",
    // A tenth less CPU for every command, and two thirds of the size.
    minify: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    // What CommonJS libraries ask for by `require` is Node's own.
    banner: {
      js: 'import{createRequire as __makeRequire}from"node:module";const require=__makeRequire(import.meta.url);'
    }
  })
  const licences = packagesOf(Object.keys(metafile.inputs)).map(licenceOf)
  writeFileSync(join(outdir, "LICENSES.txt"), `${licences.join(`\n\n${"-".repeat(72)}\n\n`)}\n`)
  return join(outdir, "effect-oss.js")
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle(join(root, "dist/cli"))
}
