/**
 * The fleet's programs, bundled so that they start fast, and their processes.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { build } from "esbuild"
import * as Fs from "node:fs"
import { spawn, type ChildProcess } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Databases from "../Databases.ts"
import { end } from "../Postgres.ts"
import type { Setting } from "./Setting.ts"

const here = fileURLToPath(new URL(".", import.meta.url))
// Within node_modules, so that what is not bundled is found from there.
const out = fileURLToPath(new URL(`../node_modules/.fleet/${process.pid}/`, import.meta.url))

// Never loaded where it is missing.
const missing = Databases.hasSqlite ? [] : ["@effect/sql-sqlite-node"]

/** Bundles both programs, for the length of the scope. */
export const bundle: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() =>
    build({
      entryPoints: [`${here}runner.ts`, `${here}feeder.ts`],
      outdir: out,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true, // what is loaded when it is asked for stays apart
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["better-sqlite3", "pg-native", "pg-cloudflare", "msgpackr-extract", ...missing],
      banner: {
        js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);'
      },
      logLevel: "error"
    })
  ),
  () => Effect.sync(() => Fs.rmSync(out, { recursive: true, force: true }))
)

/** A command that holds what follows it down, such as `taskset -c 0`; or nothing. */
export type Holding = ReadonlyArray<string>

// A pipe that nobody reads would stop its writer, so what a runner says goes to a file, or nowhere.
const said = process.env["FLEET_LOG"]

/** Starts a program. What a runner says is appended to the file FLEET_LOG, if that is set. */
export const start = (name: "runner" | "feeder", setting: Setting, holding: Holding = []): ChildProcess => {
  const [command = process.execPath, ...args] = [...holding, process.execPath]
  // What ends by itself prints a summary.
  const isHeard = name === "feeder" || setting.database.startsWith("sqlite:")
  const file = said === undefined ? "ignore" : Fs.openSync(said, "a")
  const child = spawn(command, [...args, `${out}${name}.mjs`, JSON.stringify(setting)], {
    // Its standard input ends with this process, however that ends; the program then ends too.
    stdio: ["pipe", isHeard ? "pipe" : file, file]
  })
  if (typeof file === "number") Fs.closeSync(file)
  return child
}

/** A runner that is there for the length of the scope, and can be killed and started again. */
export const runner = (setting: Setting, holding?: Holding): Effect.Effect<Runner, never, Scope.Scope> =>
  Effect.gen(function* () {
    let child = start("runner", setting, holding)
    const isAlive = () => child.exitCode === null && child.signalCode === null
    yield* Effect.addFinalizer(() => Effect.suspend(() => end(child, "SIGKILL")))
    return {
      kill: Effect.suspend(() => end(child, "SIGKILL")),
      ensure: Effect.sync(() => {
        if (!isAlive()) child = start("runner", setting, holding)
      })
    }
  })

export interface Runner {
  /** kill -9. */
  readonly kill: Effect.Effect<void>
  /** Starts it again, unless it is alive: two at one address would drive each other out of the cluster. */
  readonly ensure: Effect.Effect<void>
}

/** Runs what ends by itself; answers what it printed. Killed with the fiber. */
export const run = (
  name: "runner" | "feeder",
  setting: Setting
): Effect.Effect<{ readonly code: number | null; readonly text: string }> =>
  Effect.async((resume) => {
    const child = start(name, setting)
    let text = ""
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()))
    child.once("exit", (code) => resume(Effect.succeed({ code, text })))
    return end(child, "SIGKILL")
  })
