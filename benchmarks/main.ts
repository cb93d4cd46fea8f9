/**
 * `npm run bench -- [crc64] [signature] [callback] [upload] [--json] [--smoke] [--peers]`: runs the named subjects, or all.
 *
 * Results go to stdout, as tables or as one JSON document; all else to stderr. Exits with 2 for an unknown name or option.
 */
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import * as Callback from "./callback.bench.ts"
import * as Crc64 from "./crc64.bench.ts"
import * as Harness from "./Harness.ts"
import * as Peers from "./Peers.ts"
import * as Signature from "./signature.bench.ts"
import * as Upload from "./upload.bench.ts"

const subjects = new Map([
  ["crc64", Crc64.bouts],
  ["signature", Signature.bouts],
  ["callback", Callback.bouts]
])
/** Not a subject as the others are: its contestants are processes. */
const uploads = "upload"
const all = [...subjects.keys(), uploads]
const usage = `npm run bench -- [${all.join("] [")}] [--json] [--smoke] [--peers]`

const say = (line: string) => process.stderr.write(`${line}\n`)

const refuse = (complaint: string): never => {
  say(`${complaint}\n${usage}`)
  process.exit(2)
}

const parse = () => {
  try {
    const boolean = { type: "boolean", default: false } as const
    const options = { json: boolean, smoke: boolean, peers: boolean }
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

const duration = (ns: number): string => {
  if (ns < 1e3) return `${ns.toPrecision(3)} ns`
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`
  return `${(ns / 1e6).toPrecision(3)} ms`
}

const show = ({ bout, results, timesAsFast }: Harness.Outcome): string => {
  const width = Math.max(...results.map(({ contestant }) => contestant.length))
  const lines = results.map(({ contestant, medianNs, mibPerSecond, ratio }) => {
    const rate = mibPerSecond === undefined ? "" : `  ${mibPerSecond.toFixed(0).padStart(6)} MiB/s`
    const compared = `${Number(ratio.toPrecision(3))}`.padStart(6)
    return `  ${contestant.padEnd(width)}  ${duration(medianNs).padStart(8)}${rate}  × ${compared}`
  })
  const verdict = timesAsFast === undefined ? [] : [`  ${timesAsFast.times} times as fast as ${timesAsFast.as}`]
  return [bout, ...lines, ...verdict, ""].join("\n")
}

const main = async (): Promise<void> => {
  const { positionals, values } = parse()
  const names = positionals.length === 0 ? all : positionals
  const chosen = names
    .filter((name) => name !== uploads)
    .map((name) => subjects.get(name) ?? refuse(`no benchmark "${name}": choose of ${all.join(", ")}`))
  const settings = { smoke: values.smoke, peers: values.peers && !values.smoke }
  if (settings.peers) Peers.install()
  else
    say("Without peers: only our own contestants, and what Node has, take part. --peers installs and runs the others.")

  const outcomes: Array<Harness.Outcome> = []
  for (const bouts of chosen) {
    for (const bout of await bouts(settings)) {
      const outcome = await Harness.run(bout, settings.smoke ? Harness.smoke : Harness.full)
      outcomes.push(outcome)
      if (!values.json) process.stdout.write(`${show(outcome)}\n`)
    }
  }
  const ofUploads = names.includes(uploads)
    ? await Upload.run(settings, (outcome) => {
        if (!values.json) process.stdout.write(`${Upload.show(outcome)}\n`)
      })
    : []
  if (!values.json) return
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length }
  const document = {
    date: new Date().toISOString(),
    machine: { ...machine, platform: process.platform, arch: process.arch },
    node: process.version,
    packages: Peers.versions(settings.peers),
    smoke: settings.smoke,
    outcomes,
    uploads: ofUploads
  }
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`)
}

await main()
