/**
 * What the package's tests need of the machine: to run programs, folders of their own, npm, and further versions of Node.js.
 *
 * Times are in milliseconds. Node.js 22 and 24 come from the npm package `node`, once, into node_modules/.cache.
 */
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = Path.join(root, "node_modules/.cache/effect-oss-nodes")

/** Runs a program to its end, five minutes at most, and answers what it wrote to stdout; else rejects with all it wrote. */
export const run = (
  file: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {}
): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env }
    // Under `npm run`, npm would otherwise take this repository for the project to install into.
    for (const name of Object.keys(env)) if (/^npm_(?!config_(registry|cache|userconfig))/.test(name)) delete env[name]
    const settings = { cwd: options.cwd ?? root, env, timeout: 300_000, maxBuffer: 2 ** 26 }
    execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${[Path.basename(file), ...args].join(" ")}\n${stdout}${stderr}`))
    })
  })

/** Installs into a folder, which need not exist. */
export const install = async (folder: string, packages: ReadonlyArray<string>): Promise<void> => {
  await Fs.promises.mkdir(folder, { recursive: true })
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
  await run("npm", ["install", "--prefix", folder, ...quiet, ...packages], { cwd: folder })
}

/** Whether newer versions of what was installed into a folder are within its ranges. */
export const isOutdated = async (folder: string): Promise<boolean> => {
  // It ends with 1 for what is outdated also beyond the ranges.
  const output = await run("npm", ["outdated", "--json", "--prefix", folder], { cwd: folder }).catch((error: Error) =>
    error.message.slice(error.message.indexOf("{"), error.message.lastIndexOf("}") + 1)
  )
  const found = JSON.parse(output || "{}") as Readonly<Record<string, { current?: string; wanted?: string }>> // as npm documents
  return Object.values(found).some(({ current, wanted }) => current !== wanted)
}

/** Writes files into a folder, which need not exist. */
export const write = (folder: string, files: Readonly<Record<string, string>>): void => {
  Fs.mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) Fs.writeFileSync(Path.join(folder, name), content)
}

export const read = (file: string): string => Fs.readFileSync(file, "utf8")

/** The names in a folder; none where there is none. */
export const list = (...path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const folder = Path.join(...path)
  return Fs.existsSync(folder) ? Fs.readdirSync(folder) : []
}

export interface Node {
  /** As it says itself: `v22.1.0`. */
  readonly version: string
  readonly path: string
}

/** A folder for everything, for the length of `use`. */
export const withScratch = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  // By its real name, because Node.js and TypeScript follow links.
  const folder = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-oss-package-")))
  try {
    return await use(folder)
  } finally {
    Fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** This Node.js. */
export const here: Node = { version: process.version, path: process.execPath }

/** A Node.js of this major version: this one, or one from npm; undefined where it cannot be had. */
export const node = async (major: number): Promise<Node | undefined> => {
  if (process.version.startsWith(`v${major}.`)) return here
  const folder = Path.join(cache, String(major))
  const path = Path.join(folder, "node_modules/node/bin/node")
  try {
    if (!Fs.existsSync(path)) await install(folder, [`node@${major}`])
    return { version: (await run(path, ["--version"])).trim(), path }
  } catch {
    return undefined
  }
}
