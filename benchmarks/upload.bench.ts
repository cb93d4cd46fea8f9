/**
 * Whole uploads, each contestant in a process of its own, in turns: throughput, CPU time and peak memory, against a sink in
 * another process on the same machine. Medians over the rounds; ratios are what to read.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Bytes from "../core/model/Bytes.ts"
import * as Crc64 from "../core/model/Crc64.ts"
import type { Measured } from "./upload/client.ts"
import type { Order } from "./upload/contestants.ts"

export interface Row {
  readonly contestant: string
  readonly mibPerSecond: number
  readonly cpuSeconds: number
  readonly peakMiB: number
  /** Peak above what the process held before the upload. */
  readonly aboveMiB: number
  /** Throughput and CPU, as multiples of the first contestant's. */
  readonly speed: number
  readonly cpu: number
}

export interface Outcome {
  readonly bout: string
  readonly rounds: number
  readonly rows: ReadonlyArray<Row>
}

interface Bout extends Pick<Order, "size" | "partSize" | "concurrency" | "times" | "warmUps"> {
  readonly name: string
  readonly rounds: number
  readonly contestants: ReadonlyArray<string>
  readonly buffer?: "part" | "chunk"
}

const here = fileURLToPath(new URL(".", import.meta.url))

/** Scripts as single files, beside the peers' packages so that those are found. */
const bundle = async (name: string): Promise<string> => {
  const outfile = join(here, "node_modules", ".cache", `${name}.mjs`)
  mkdirSync(join(here, "node_modules", ".cache"), { recursive: true })
  const entryPoints = [join(here, "upload", `${name}.ts`)]
  await build({
    entryPoints,
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error"
  })
  return outfile
}

/** A file on a memory file system where there is one, so that no disk is measured. Answers its CRC-64. */
const makeFile = (path: string, size: number, sparse: boolean): bigint => {
  const file = openSync(path, "w")
  const hasher = Crc64.make()
  const piece = new Uint8Array(Bytes.MiB(1))
  for (let i = 0; i < piece.length; i++) piece[i] = Math.imul(i, 2654435761) >>> 24
  if (sparse) piece.fill(0)
  for (let at = 0; at < size; at += piece.length) {
    const content = piece.subarray(0, Math.min(piece.length, size - at))
    hasher.update(content)
    if (!sparse) writeSync(file, content)
  }
  ftruncateSync(file, size)
  closeSync(file)
  return hasher.digest()
}

const startSink = (script: string, crc64: bigint) =>
  new Promise<{ readonly port: number; readonly stop: () => void }>((resolve) => {
    const sink = spawn(process.execPath, [script], {
      env: { ...process.env, CRC64: String(crc64) },
      stdio: ["ignore", "pipe", "inherit"]
    })
    createInterface({ input: sink.stdout }).once("line", (line) =>
      resolve({ port: Number(line), stop: () => void sink.kill() })
    )
  })

const runClient = (script: string, order: Order) =>
  new Promise<Measured>((resolve, reject) => {
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ORDER: JSON.stringify(order), NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "inherit"]
    })
    let text = ""
    child.stdout.on("data", (chunk) => (text += String(chunk)))
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(text) as Measured) : reject(new Error(`${order.contestant} ended with ${code}`))
    )
  })

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const runBout = async (bout: Bout, scripts: { readonly sink: string; readonly client: string }): Promise<Outcome> => {
  const memory = statSync("/dev/shm", { throwIfNoEntry: false })?.isDirectory() === true ? "/dev/shm" : tmpdir()
  const folder = mkdtempSync(join(memory, "effect-oss-bench-"))
  let stop = () => {}
  try {
    const file = join(folder, "file")
    const sparse = bout.size > Bytes.GiB(1)
    const sink = await startSink(scripts.sink, makeFile(file, bout.size, sparse))
    stop = sink.stop
    const runs = new Map<string, Array<Measured>>(bout.contestants.map((contestant) => [contestant, []]))
    for (let round = 0; round < bout.rounds; round++) {
      for (const [contestant, measured] of runs) {
        measured.push(await runClient(scripts.client, { ...bout, contestant, port: sink.port, file }))
      }
    }
    const mib = (bytes: number) => bytes / Bytes.MiB(1)
    const rows = [...runs].map(([contestant, measured]) => ({
      contestant,
      mibPerSecond: (mib(bout.size) * bout.times) / median(measured.map(({ seconds }) => seconds)),
      cpuSeconds: median(measured.map(({ cpu }) => cpu)),
      peakMiB: mib(median(measured.map(({ rss }) => rss))),
      aboveMiB: mib(median(measured.map(({ rss, rssBefore }) => rss - rssBefore)))
    }))
    const first = rows[0]!
    return {
      bout: bout.name,
      rounds: bout.rounds,
      rows: rows.map((row) => ({
        ...row,
        speed: row.mibPerSecond / first.mibPerSecond,
        cpu: row.cpuSeconds / first.cpuSeconds
      }))
    }
  } finally {
    stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const bouts = (smoke: boolean, peers: boolean): ReadonlyArray<Bout> => {
  const others = peers ? ["ali-oss", "@aws-sdk/lib-storage", "minio"] : []
  const size = smoke ? Bytes.MiB(4) : Bytes.GiB(1)
  const rounds = smoke ? 1 : 7
  /** For what varies most from round to round. */
  const moreRounds = smoke ? 1 : 15
  const parts = { size, rounds, concurrency: 5, times: 1, warmUps: 0 }
  return [
    {
      ...parts,
      name: `${Bytes.format(size)} in parts of 10 MiB, 5 at once`,
      partSize: Bytes.MiB(10),
      contestants: ["effect-oss", "bare node:http", ...others]
    },
    {
      ...parts,
      // Of a process just started, most of it compiling.
      rounds: moreRounds,
      name: `${Bytes.format(size)} in parts of 1 MiB, 5 at once`,
      partSize: Bytes.MiB(1),
      contestants: ["effect-oss", "bare node:http", ...others.filter((name) => name === "ali-oss")]
    },
    {
      ...parts,
      name: `${Bytes.format(size)} in parts of 1 MiB, 5 at once, warm after ${smoke ? 1 : 3} of them`,
      partSize: Bytes.MiB(1),
      warmUps: smoke ? 1 : 3,
      contestants: ["effect-oss", "bare node:http", ...others.filter((name) => name === "ali-oss")]
    },
    {
      name: "1 KiB by a simple upload, warm",
      size: Bytes.KiB(1),
      partSize: Bytes.MiB(1),
      concurrency: 1,
      rounds: moreRounds,
      // V8 goes on compiling to about the 6,000th.
      warmUps: smoke ? 10 : 10_000,
      times: smoke ? 10 : 10_000,
      contestants: ["effect-oss, simple", "bare node:http, signed"]
    }
  ]
}

/** How cost grows: time and memory from 1 MiB to 10 GiB, and from 1 to 10,000 parts. Only ours. */
const growth = (smoke: boolean): ReadonlyArray<Bout> => {
  const ours = { concurrency: 5, times: 1, rounds: smoke ? 1 : 3, warmUps: 0, contestants: ["effect-oss"] }
  const sizes = smoke ? [1] : [1, 10, 100, 1024, 10 * 1024]
  const counts = smoke ? [1, 10] : [1, 10, 100, 1_000, 10_000]
  return [
    ...sizes.map((mib) => {
      const size = Bytes.MiB(mib)
      return { ...ours, name: `${Bytes.format(size)} in parts of 8 MiB`, size, partSize: Bytes.MiB(8) }
    }),
    ...counts.map((count) => ({
      ...ours,
      name: `${count} parts of 100 KiB`,
      size: count * Bytes.KiB(100),
      partSize: Bytes.KiB(100)
    })),
    ...(["part", "chunk"] as const).map((buffer) => {
      const size = smoke ? Bytes.MiB(16) : Bytes.GiB(8)
      const name = `${Bytes.format(size)} in parts of 8 MiB, 4 at once, held by ${buffer}`
      return { ...ours, name, size, partSize: Bytes.MiB(8), concurrency: 4, buffer }
    })
  ]
}

/** Runs all bouts; `tell` is given each outcome as it comes. */
export const run = async (
  settings: { readonly smoke: boolean; readonly peers: boolean },
  tell: (outcome: Outcome) => void
): Promise<ReadonlyArray<Outcome>> => {
  const scripts = { sink: await bundle("sink"), client: await bundle("client") }
  const outcomes: Array<Outcome> = []
  for (const bout of [...bouts(settings.smoke, settings.peers), ...growth(settings.smoke)]) {
    const outcome = await runBout(bout, scripts)
    outcomes.push(outcome)
    tell(outcome)
  }
  return outcomes
}

/** An outcome as a table. */
export const show = ({ bout, rounds, rows }: Outcome): string => {
  const width = Math.max(...rows.map(({ contestant }) => contestant.length))
  const lines = rows.map(({ aboveMiB, contestant, cpu, cpuSeconds, mibPerSecond, peakMiB, speed }) =>
    [
      `  ${contestant.padEnd(width)}`,
      `${mibPerSecond.toPrecision(3).padStart(6)} MiB/s × ${speed.toFixed(2)}`,
      `${cpuSeconds.toFixed(2).padStart(6)} s CPU × ${cpu.toFixed(2)}`,
      `${peakMiB.toFixed(0).padStart(5)} MiB at most, ${aboveMiB.toFixed(0)} above the start`
    ].join("  ")
  )
  return [`${bout} (${rounds} rounds)`, ...lines, ""].join("\n")
}
