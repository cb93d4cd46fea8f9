/**
 * The page's script and style. The script is bundled when the server starts, as a build step would do before.
 */
import * as esbuild from "esbuild"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

export interface Asset {
  readonly type: string
  readonly content: string | Uint8Array
}

const file = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url))

/** By path. */
export const load = async (): Promise<ReadonlyMap<string, Asset>> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [file("main.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false
  })
  return new Map<string, Asset>([
    ["/page.js", { type: "text/javascript; charset=utf-8", content: outputFiles[0]!.contents }],
    ["/icon.svg", { type: "image/svg+xml", content: await readFile(file("icon.svg")) }],
    ["/page.css", { type: "text/css; charset=utf-8", content: await readFile(file("page.css")) }]
  ])
}
