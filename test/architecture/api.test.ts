/**
 * The public names of each subpath. A change of the public surface must show in review: run vitest with `-u` to accept it.
 */
import { expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly exports: Readonly<Record<string, { readonly default: string }>>
}

const subpaths = Object.entries(exports).filter(([subpath]) => subpath !== "./package.json")

for (const [subpath, { default: built }] of subpaths) {
  it(`effect-oss${subpath.slice(1)} exports these names`, async () => {
    const source = built.replace(/^\.\/dist\//, root).replace(/\.js$/, ".ts")
    const module: Readonly<Record<string, unknown>> = await import(source)
    const names = Object.entries(module).flatMap(([name, value]) =>
      typeof value === "object" && value !== null ? Object.keys(value).map((member) => `${name}.${member}`) : [name]
    )
    await expect(names.sort().join("\n") + "\n").toMatchFileSnapshot(`api/${subpath.slice(2) || "index"}.txt`)
  })
}
