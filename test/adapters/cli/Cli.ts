/**
 * The command as users run it: bundled, in a process of its own, in a folder and a home of its own, against an emulator.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { spawn, type ChildProcess } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"
import { bundle } from "../../../adapters/cli/bundle.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** What a run has come to. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves when standard error matches; rejects when the command ends before. */
  readonly saw: (pattern: RegExp, stream?: "stdout" | "stderr") => Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
}

export interface Settings {
  /** Given on standard input. */
  readonly input?: string | Uint8Array
  /** Over what every run gets; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Cli {
  /** The folder in which commands run. */
  readonly folder: string
  readonly emulator: OssEmulator.Service
  readonly start: (args: ReadonlyArray<string>, settings?: Settings) => Running
  readonly run: (args: ReadonlyArray<string>, settings?: Settings) => Promise<Ended>
  /** Runs with `--json`, and reads what came. */
  readonly json: (args: ReadonlyArray<string>, settings?: Settings) => Promise<Ended & { readonly value: unknown }>
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>
  /** The program, `…/effect-oss.js`, and the environment to run it with. */
  readonly program: string
  readonly environment: Readonly<Record<string, string>>
}

/** A file whose bytes do not repeat. */
export const content = (size: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(size / 4))
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761)
  return new Uint8Array(words.buffer, 0, size)
}

const watch = (child: ChildProcess): Running => {
  const text = { stdout: "", stderr: "" }
  const listeners = new Set<() => void>()
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk
      for (const listener of listeners) listener()
    })
  }
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...text })))
  const saw = (pattern: RegExp, stream: "stdout" | "stderr" = "stderr") =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(text[stream])
        if (found === null) return
        listeners.delete(look)
        resolve(found)
      }
      listeners.add(look)
      look()
      void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code} before ${pattern}: ${stderr}`)))
    })
  return { child, saw, ended }
}

/** What every run's environment holds: nothing of the machine's but how to find programs. */
const environmentOf = (folder: string, emulator: OssEmulator.Service): Readonly<Record<string, string>> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: Path.join(folder, "home"),
  OSS_REGION: emulator.region,
  OSS_ENDPOINT: emulator.endpoint,
  OSS_ACCESS_KEY_ID: emulator.credentials.accessKeyId,
  OSS_ACCESS_KEY_SECRET: Redacted.value(emulator.credentials.accessKeySecret)
})

/** The command and an emulator for the length of a test file; to be used inside tests only. */
export const install = (options: OssEmulator.ServerOptions = {}): Cli => {
  const scope = Effect.runSync(Scope.make())
  let ready: Cli | undefined
  beforeAll(async () => {
    const base = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-cli-"))
    const folder = Path.join(base, "work")
    await Fs.mkdir(Path.join(folder, "home"), { recursive: true })
    await Fs.copyFile(Path.join(root, "package.json"), Path.join(base, "package.json"))
    // Named by who has installed the package from its tarball.
    const program = process.env["EFFECT_OSS_PROGRAM"] ?? (await bundle(Path.join(base, "dist", "cli")))
    const emulator = await Effect.runPromise(Scope.extend(OssEmulator.make(options), scope))
    const environment = environmentOf(folder, emulator)
    const start: Cli["start"] = (args, { env = {}, input } = {}) => {
      const merged = { ...environment, ...env }
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        env: Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)),
        stdio: ["pipe", "pipe", "pipe"]
      })
      child.stdin.on("error", () => {}) // a command need not read its input
      child.stdin.end(input)
      return watch(child)
    }
    const run: Cli["run"] = (args, settings) => start(args, settings).ended
    ready = {
      folder,
      emulator,
      program,
      environment,
      start,
      run,
      json: async (args, settings) => {
        const ended = await run([...args, "--json"], settings)
        if (!/^\{.*\}\n$/.test(ended.stdout)) throw new Error(`not one line of JSON: ${ended.stdout}\n${ended.stderr}`)
        return { ...ended, value: JSON.parse(ended.stdout) }
      },
      write: async (name, content) => {
        const path = Path.join(folder, name)
        await Fs.mkdir(Path.dirname(path), { recursive: true })
        await Fs.writeFile(path, content)
        return path
      }
    }
  }, 60_000)
  afterAll(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    if (ready !== undefined) await Fs.rm(Path.dirname(ready.folder), { recursive: true, force: true })
  })
  // Everything is there before the first test, and nothing before.
  return new Proxy({} as Cli, {
    get: (_, name) => {
      if (ready === undefined) throw new Error("the command is installed before the first test, and not earlier")
      return ready[name as keyof Cli]
    }
  })
}
