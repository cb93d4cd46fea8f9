/** What pages load: each entry, bundled and minified by esbuild, in bytes of gzip. */
import { assert, describe, it } from "@effect/vitest"
import * as esbuild from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const entries: ReadonlyArray<readonly [name: string, code: string, limit: number | undefined]> = [
  [
    "Promise entry: upload, uploadForm, uploadPresigned",
    'export { upload, uploadForm, uploadPresigned, UploadFailed } from "./adapters/browser/index.ts"',
    15_000
  ],
  [
    "Effect entry: BrowserUpload, and Effect to run it",
    'import { BrowserUpload } from "./adapters/browser/index.ts"\nimport * as Effect from "effect/Effect"\nexport const run = (grant, file, options) => Effect.runPromise(BrowserUpload.upload(grant, file, options))',
    60_000
  ],
  // For comparison: the core's own, which also run on servers.
  [
    "Upload.form and Upload.presigned over FetchTransport",
    'export { form, presigned } from "./core/programs/Upload.ts"\nexport { layer } from "./adapters/fetch/FetchTransport.ts"\nexport { make } from "./adapters/fetch/BlobSource.ts"',
    undefined
  ]
]

const measure = async (code: string): Promise<number> => {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

describe("what a page loads", () => {
  for (const [name, code, limit] of entries) {
    it(`${name}${limit === undefined ? "" : `: at most ${limit} bytes`}`, async () => {
      const size = await measure(code)
      console.log(`${name}: ${size} bytes`)
      assert.isAtMost(size, limit ?? Infinity)
    })
  }
})
