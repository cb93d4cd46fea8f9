/**
 * Other people's packages: installed beside the benchmarks, on request, and loaded by name.
 *
 * They are no dependency of this repository, and its types must check without them: so they are imported through a variable,
 * and each subject states by a small interface what it calls.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL(".", import.meta.url))

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

// Every package.json read here is the repository's own, or npm's.
const manifest = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as Manifest

const pins = (): ReadonlyArray<[name: string, version: string]> =>
  Object.entries(manifest("package.json").dependencies ?? {})

const installed = (name: string): string | undefined => {
  try {
    return manifest(`node_modules/${name}/package.json`).version
  } catch {
    return undefined
  }
}

/** Brings the pinned versions into benchmarks/node_modules, unless they are there. npm's own words go to stderr. */
export const install = (): void => {
  if (pins().every(([name, version]) => installed(name) === version)) return
  // By --prefix: under `npm run`, a working directory alone would not keep npm from the repository's own node_modules.
  const options = ["--prefix", folder, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
  const { status } = spawnSync("npm", ["install", ...options], { cwd: folder, stdio: ["ignore", 2, 2] })
  if (status !== 0) throw new Error(`npm could not install the peers named in ${folder}package.json`)
}

/** The versions in use. */
export const versions = (withPeers: boolean): Readonly<Record<string, string>> => ({
  "effect-oss": manifest("../package.json").version ?? "",
  effect: manifest("../node_modules/effect/package.json").version ?? "",
  ...(withPeers ? Object.fromEntries(pins().map(([name]) => [name, installed(name) ?? "missing"])) : {})
})

/** A peer's module. `A` is the caller's claim; what it is wrong about, the first call shows. */
export const load = async <A>(name: string): Promise<A> => {
  const module: unknown = await import(name)
  return module as A // see above
}
