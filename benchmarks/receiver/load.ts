/**
 * `npx tsx benchmarks/receiver/load.ts [seconds] [connections]`: requests per second of a receiver, against those of a bare
 * node:http handler that does one `crypto.verify`, each in a process of its own, in turns.
 *
 * Connections are kept, and each has one request under way; the figure is the median over the rounds of what the two did
 * in the same one. The machine's noise falls on both.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const [seconds = 1, connections = 32] = process.argv.slice(2).map(Number)
const rounds = 7

interface Target {
  readonly port: number
  readonly request: string
}

const folder = await mkdtemp(join(tmpdir(), "effect-oss-load-"))
const program = join(folder, "server.mjs")
await build({
  entryPoints: [fileURLToPath(new URL("server.ts", import.meta.url))],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  outfile: program,
  logLevel: "error"
})

const start = async (which: "ours" | "bare") => {
  const child = spawn(process.execPath, [program, which], { stdio: ["pipe", "pipe", "inherit"] })
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string] // lines are texts
  return { child, target: JSON.parse(line) as Target } // server.ts says so
}

/** How many requests were answered with 200, per second. */
const load = async ({ port, request }: Target): Promise<number> => {
  const end = performance.now() + seconds * 1000
  let answered = 0
  const one = async () => {
    const socket = Net.connect(port, "127.0.0.1").setNoDelay()
    await once(socket, "connect")
    await new Promise<void>((resolve, reject) => {
      socket.on("data", (chunk: Buffer) => {
        // Answers are short: each comes in one piece.
        if (!chunk.toString("latin1", 0, 12).startsWith("HTTP/1.1 200")) reject(new Error(chunk.toString()))
        answered++
        if (performance.now() < end) socket.write(request)
        else socket.end(resolve)
      })
      socket.on("error", reject)
      socket.write(request)
    })
  }
  await Promise.all(Array.from({ length: connections }, one))
  return answered / seconds
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

const [ours, bare] = [await start("ours"), await start("bare")]
try {
  const rates: Array<{ readonly ours: number; readonly bare: number }> = []
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const rate = { ours: await load(ours.target), bare: await load(bare.target) }
    if (round > 0) rates.push(rate)
  }
  const table = {
    "effect-oss receiver, requests/s": Math.round(median(rates.map((rate) => rate.ours))),
    "node:http and crypto.verify, requests/s": Math.round(median(rates.map((rate) => rate.bare))),
    ratio: Number(median(rates.map((rate) => rate.ours / rate.bare)).toFixed(2))
  }
  process.stdout.write(`${JSON.stringify(table, null, 2)}\n`)
} finally {
  for (const { child } of [ours, bare]) child.stdin.end()
  await rm(folder, { recursive: true })
}
