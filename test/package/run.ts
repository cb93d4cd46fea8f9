/**
 * `npm run test:package [-- --built]`: the package as its users get it. Packs it, installs the tarball into folders of its own,
 * and has several kinds of projects, on several versions of Node.js, use every subpath. `--built`: `dist` is up to date.
 *
 * What this machine cannot do is skipped, loudly. The last line counts; it ends with 1 when anything failed.
 */
import { build } from "esbuild"
import * as Path from "node:path"
import * as Bundles from "./Bundles.ts"
import * as Compiler from "./Compiler.ts"
import * as Contents from "./Contents.ts"
import * as Machine from "./Machine.ts"
import * as Readme from "./Readme.ts"

const { here, run, write } = Machine
const { entries, manifest } = Contents
const bin = (name: string) => Path.join(Machine.root, "node_modules/.bin", name)
const consumers = Path.join(Machine.root, "test/package/consumer")
const read = (name: string) => Machine.read(Path.join(consumers, name))

const count = { passed: 0, failed: 0, skipped: 0 }
const started = performance.now()
const say = (text: string) => console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`)

/** Runs a check, which rejects, or answers sentences, when something is wrong. */
const check = async (claim: string, verify: () => Promise<ReadonlyArray<string> | void>): Promise<void> => {
  try {
    const complaints = (await verify()) ?? []
    if (complaints.length > 0) throw new Error(complaints.join("\n"))
    count.passed++
    say(`ok      ${claim}`)
  } catch (error) {
    count.failed++
    say(`FAILED  ${claim}\n${error instanceof Error ? error.message : String(error)}`)
  }
}

const skip = (claim: string, why: string): void => {
  count.skipped++
  say(`SKIPPED ${claim}: ${why}`)
}

/** The kinds of projects there are. What TypeScript makes of the first is JavaScript of ES modules. */
const kinds = [
  { name: "TypeScript, NodeNext", folder: "nodenext", module: "NodeNext" },
  { name: "JavaScript, require", folder: "commonjs", module: "CommonJS" },
  { name: "TypeScript, bundler", folder: "bundler", module: "ESNext" }
] as const

/** A program that imports these subpaths, and fails for one that has nothing to offer. */
const importing = (names: ReadonlyArray<string>) =>
  [
    ...names.map((name, index) => `import * as Entry${index} from "${name}"`),
    `const all = { ${names.map((name, index) => `"${name}": Entry${index}`).join(", ")} }`,
    "const empty = Object.entries(all).filter(([, entry]) => Object.keys(entry).length === 0)",
    'if (empty.length > 0) throw new Error(empty.map(([name]) => `${name} exports nothing`).join("\\n"))',
    "console.log(`${Object.keys(all).length} subpaths`)"
  ].join("\n")

interface Program {
  readonly name: string
  readonly code: string
  /** What it writes when it is run. */
  readonly writes: string
  /** Further files of the ES modules, to be compiled with it. */
  readonly beside?: Readonly<Record<string, string>>
}

/** Compiles the program as these kinds of projects, in folders of `installed`, and runs what came out on each Node.js. */
const use = async (
  installed: string,
  { beside = {}, code, name, writes }: Program,
  as: ReadonlyArray<(typeof kinds)[number]>,
  nodes: ReadonlyArray<Machine.Node>
): Promise<void> => {
  for (const kind of as) {
    const isBundler = kind.module === "ESNext"
    const project = Path.join(installed, `${name}-${kind.folder}`)
    const files = { "main.ts": code, ...(kind === kinds[0] ? beside : {}) }
    const { module } = kind
    const type = module === "CommonJS" ? "commonjs" : "module"
    write(project, { "package.json": JSON.stringify({ private: true, type }), ...files })
    if (module === "CommonJS") write(project, { "main.js": Compiler.toCommonJs(code) })
    else {
      await check(`${name}, ${kind.name}: compiles, and the package's declarations`, async () =>
        Compiler.complaints(project, Object.keys(files), module)
      )
    }
    const file = Path.join(project, isBundler ? "main.mjs" : "main.js")
    if (isBundler) {
      await check(`${name}, ${kind.name}: can be bundled`, async () => {
        // The banner is for CommonJS modules in the bundle that ask for built-in ones.
        const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
        const how = { bundle: true, format: "esm", platform: "node", banner: { js }, logLevel: "error" } as const
        await build({ ...how, entryPoints: [Path.join(project, "main.ts")], outfile: file })
      })
    }
    await Promise.all(
      (isBundler ? [here] : nodes).map((node) =>
        check(`${name}, ${kind.name}: runs on Node.js ${node.version}`, async () => {
          // Node.js 20 and 22 warn that require() of ES modules is experimental.
          const output = await run(node.path, [file], { env: { NODE_NO_WARNINGS: "1" } })
          return output === writes ? [] : [`wrote ${output}`]
        })
      )
    )
  }
}

/** The peers at the lowest versions that package.json allows, or at the newest. */
const peers = (end: "lowest" | "newest") =>
  Object.entries(manifest.peerDependencies).map(([name, range]) =>
    end === "lowest" ? `${name}@${range.replace("^", "")}` : `${name}@${range}`
  )

const standsAlone = entries.filter((entry) => !["effect-oss/platform", "effect-oss/cluster"].includes(entry))

const main = async (scratch: string): Promise<void> => {
  if (!process.argv.includes("--built")) await run("npm", ["run", "--silent", "build"])
  const packed = await Contents.pack(scratch)
  await check("the tarball has what users need, and no more", async () => Contents.complaints(packed))

  const nodes: Array<Machine.Node> = [here]
  for (const major of [22, 24]) {
    const node = await Machine.node(major)
    if (node === undefined) skip(`Node.js ${major}`, "the npm package node does not have it for this machine")
    else if (node !== here) nodes.push(node)
  }

  const alone = Path.join(scratch, "alone")
  await check("installs as the README says, and brings no optional peer", async () => {
    await Machine.install(alone, [...Readme.packages(packed.tarball), "@types/node@20"])
    return Machine.list(Path.join(alone, "node_modules"), "@effect").map((name) => `it brings @effect/${name}`)
  })
  const aloneProgram = {
    name: "alone",
    code: read("alone.ts") + importing(standsAlone),
    writes: `${standsAlone.length} subpaths\nbrowser fetch fs node\n`,
    beside: Readme.files
  }
  const examples = check("the examples of each command's help run, from the tarball", async () => {
    const EFFECT_OSS_PROGRAM = Path.join(alone, "node_modules/effect-oss", manifest.bin["effect-oss"]!)
    const config = ["--config", "test/vitest.config.ts", "test/adapters/cli/examples.test.ts"]
    await run(bin("vitest"), ["run", ...config], { env: { EFFECT_OSS_PROGRAM } })
  })
  await use(alone, aloneProgram, kinds, nodes)

  const newest = nodes.at(-1)!
  await check(`the README's first code, copied into an empty folder, runs on Node.js ${newest.version}`, async () => {
    const folder = Path.join(alone, "first-code")
    write(folder, { ...Readme.files, "package.json": JSON.stringify({ private: true, type: "module" }) })
    // Node.js reads TypeScript since 22.18.
    const file = newest === here ? bin("tsx") : newest.path
    const output = await run(file, [Readme.program], { cwd: folder, env: { NODE_NO_WARNINGS: "1" } })
    return output.trim().endsWith("video-of-u_42") ? [] : [`wrote ${output}`]
  })

  for (const node of nodes) {
    await check(`the command starts on Node.js ${node.version}`, async () => {
      const help = await run(node.path, [Path.join(alone, "node_modules/.bin/effect-oss"), "--help"])
      return help.includes("usage: effect-oss COMMAND") ? [] : [`wrote ${help}`]
    })
  }
  const withPeers = {
    name: "with peers",
    code: read("platform.ts") + importing(entries),
    writes: `${entries.length} subpaths\nplatform\n`
  }
  const lowest = Path.join(scratch, "lowest")
  await check("installs with the lowest peers", () =>
    Machine.install(lowest, [packed.tarball, ...peers("lowest"), "@types/node@20"])
  )
  await use(lowest, withPeers, kinds.slice(0, 2), [here])
  await check("an import that is not used costs nothing, and does nothing", () => Bundles.complaints(lowest, here))

  if (await Machine.isOutdated(lowest)) {
    const latest = Path.join(scratch, "newest")
    await check("installs with the newest peers", () =>
      Machine.install(latest, [packed.tarball, ...peers("newest"), "@types/node@20"])
    )
    await use(latest, withPeers, kinds.slice(0, 2), [newest])
  } else skip("with the newest peers", "the newest are the lowest, and those were used above")
  await examples
  // Its only example. The others were left out of it, because it takes ten seconds.
  await check("the demo runs, from the tarball", async () => {
    const output = await run(here.path, [Path.join(alone, "node_modules/.bin/effect-oss"), "demo", "--json"])
    const methods = new Set(
      output
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { method: string }).method)
    ) // as its help says
    return methods.size === 5 ? [] : [`wrote ${output}`]
  })
}

await Machine.withScratch(main)
say(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed > 0 ? 1 : 0
