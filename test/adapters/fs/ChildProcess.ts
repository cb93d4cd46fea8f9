/** Processes that run program.ts, or another: bundled once, because compiling it in each would take most of the time. */
import { build } from "esbuild"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"

/** Bundles a program into the folder and answers its path. */
export const bundle = async (into: string, source = "program.ts"): Promise<string> => {
  const outfile = join(into, "program.mjs")
  await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    logLevel: "error"
  })
  return outfile
}

export interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  /** Every line it has told. */
  readonly told: ReadonlyArray<string>
  /** Waits until it has told so many lines, and answers the last of them. */
  readonly line: (count: number) => Promise<string>
  readonly say: (line: string) => void
  /** How it ended: an exit code, or the name of a signal. All that it told has come by then. */
  readonly ended: Promise<number | string>
}

export const start = (program: string, args: ReadonlyArray<string>, shell = 'exec "$@"'): Child => {
  const child = spawn("sh", ["-c", shell, "sh", process.execPath, program, ...args], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const told: Array<string> = []
  const waiting = new Set<() => void>()
  const wake = () => waiting.forEach((look) => look())
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(line)
    wake()
  })
  let over = false
  const ended = once(child, "close").then(([code, signal]: Array<number | string | null>) => {
    over = true
    wake()
    return code ?? signal ?? 0
  })
  return {
    process: child,
    told,
    line: (count) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = told[count - 1]
          if (line === undefined && !over) return
          waiting.delete(look)
          if (line === undefined) reject(new Error(`the child ended after ${told.length} lines: ${told.at(-1)}`))
          else resolve(line)
        }
        waiting.add(look)
        look()
      }),
    say: (line) => void child.stdin.write(`${line}\n`),
    ended
  }
}
