/**
 * The page's script and style. The script is bundled when the server starts, as a build step would do before.
 */
import * as esbuild from "esbuild"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

export interface Asset {
  readonly path: `/${string}`
  readonly type: string
  readonly content: Uint8Array
}

export type Assets = ReadonlyArray<Asset>

const file = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url))

export const load = async (): Promise<Assets> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [file("main.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false
  })
  return [
    { path: "/page.js", type: "text/javascript; charset=utf-8", content: outputFiles[0]!.contents },
    { path: "/page.css", type: "text/css; charset=utf-8", content: await readFile(file("page.css")) },
    { path: "/icon.svg", type: "image/svg+xml", content: await readFile(file("icon.svg")) }
  ]
}
