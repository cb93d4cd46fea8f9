/** What is in the tarball, and what must not be. Pure, but for `pack`. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root, run } from "./Machine.ts"

export interface Packed {
  readonly tarball: string
  readonly files: ReadonlyArray<string>
  /** Bytes of the tarball. */
  readonly size: number
}

interface Manifest {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

export const manifest = JSON.parse(Fs.readFileSync(Path.join(root, "package.json"), "utf8")) as Manifest // the project's own

/** `effect-oss`, `effect-oss/node` and so on. */
export const entries = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== "./package.json")
  .map((subpath) => manifest.name + subpath.slice(1))

export const pack = async (folder: string): Promise<Packed> => {
  const [packed] = JSON.parse(
    await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder])
  ) as [{ readonly filename: string; readonly size: number; readonly files: ReadonlyArray<{ readonly path: string }> }] // as `npm pack --json` answers for one package
  return {
    tarball: Path.join(folder, packed.filename),
    files: packed.files.map(({ path }) => path),
    size: packed.size
  }
}

/** What users need: the build, what its maps point to, and the guides. */
const wanted = [
  /^(package\.json|README\.md|README\.zh-CN\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/(core|adapters)\/.*\.(js|d\.ts)(\.map)?$/,
  /^dist\/cli\/([\w-]+\.js|LICENSES\.txt)$/,
  /^(core|adapters)\/.*\.(ts|md)$/
]

/** The most that the tarball may weigh, in bytes. */
const maxSize = 1_600_000

/** What is wrong with the contents, in sentences. */
export const complaints = ({ files, size }: Packed): ReadonlyArray<string> => {
  const has = new Set(files)
  const targets = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : [target.types, target.default]
    )
  ].map((path) => Path.normalize(path))
  const sourceOf = (file: string) => file.replace(/^dist\//, "").replace(/\.(js|d\.ts)\.map$/, ".ts")
  return [
    ...files
      .filter((file) => !wanted.some((pattern) => pattern.test(file)))
      .map((file) => `${file} is of no use to users`),
    ...files
      .filter((file) => file.startsWith("adapters/cli/"))
      .map((file) => `${file} is bundled, and not needed again`),
    ...targets.filter((file) => !has.has(file)).map((file) => `package.json promises ${file}, which is missing`),
    ...files
      .filter((file) => file.endsWith(".map") && !has.has(sourceOf(file)))
      .map((file) => `${file} points to ${sourceOf(file)}, which is missing`),
    ...(size > maxSize ? [`the tarball has ${size} bytes, more than ${maxSize}`] : [])
  ]
}
