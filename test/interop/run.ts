/**
 * `npm run test:interop -- [client …]`: official clients against the emulator, and a table of how each scenario went.
 *
 * Ends with 1 when anything failed, or when a client that a name on the command line asked for could not be run; with 2 for
 * an unknown name. A client whose toolchain this machine lacks is skipped, and that is said loudly. Toolchains and versions:
 * Client.ts; scenarios: Scenario.ts.
 */
import Table from "cli-table3"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as Application from "./Application.ts"
import * as Client from "./Client.ts"
import * as Scenario from "./Scenario.ts"

type Results = Map<string, Scenario.Result>

const cache = fileURLToPath(new URL("../../node_modules/.cache/effect-oss-interop/", import.meta.url))
const say = (text: string) => process.stderr.write(`${text}\n`)

const permanent = { accessKeyId: "interop", accessKeySecret: Redacted.make("interop-secret") }
const temporary = {
  accessKeyId: "STS.interop",
  accessKeySecret: Redacted.make("sts-secret"),
  securityToken: Redacted.make("CAIS+token/with=signs")
}

const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-oss-interop-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

/** Runs a program to its end, ten minutes at most, and answers what it wrote to stdout. */
const execute = ({ command, env }: Client.Command, more: Readonly<Record<string, string>>) =>
  Effect.async<string>((resume) => {
    const [file = "", ...args] = command
    const child = spawn(file, args, { env: { ...process.env, ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] })
    const timer = setTimeout(() => child.kill("SIGKILL"), 600_000)
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
    child.stderr.on("data", (text: Buffer) => {
      if (process.env["VERBOSE"] !== undefined) process.stderr.write(text)
    })
    child.on("close", (code) => {
      clearTimeout(timer)
      resume(Effect.succeed(code === 0 ? out : `${out}\nprogram\tfailed\tended with ${code}\n`))
    })
  })

const parse = (out: string): Results =>
  new Map(
    out.split("\n").flatMap((line) => {
      const [name = "", outcome, detail = ""] = line.split("\t")
      return outcome === "ok" || outcome === "failed" || outcome === "cannot" ? [[name, { outcome, detail }]] : []
    })
  )

const failed = (detail: string): Scenario.Result => ({ outcome: "failed", detail })

/** What only the server sees: that resuming sent no part twice. */
const partsSentTwice = (oss: OssEmulator.Service, key: string) =>
  Effect.map(oss.requests, (requests) => {
    const sent = requests.filter((request) => request.key === key && request.operation === "UploadPart")
    const stored = sent.filter(({ status }) => status === 200).map(({ partNumber }) => partNumber)
    return sent.length === stored.length ? ["no part was refused"] : stored.filter((n, i) => stored.indexOf(n) !== i)
  })

const runClient = (
  client: Client.Client,
  folder: string,
  only: string | undefined
): Effect.Effect<Results, never, Scope.Scope> =>
  Effect.gen(function* () {
    const oss = yield* Effect.orDie(OssEmulator.make({ bucket: "interop-bucket", credentials: [permanent, temporary] }))
    const application = yield* Application.start(oss.publicKeyPem)
    const prefix = "interop/"
    const resumed = `${prefix}resume`
    // A refusal that no client repeats by itself.
    yield* oss.inject({
      fault: "error",
      operation: "UploadPart",
      key: resumed,
      partNumber: 2,
      status: 403,
      code: "AccessDenied"
    })
    const out = yield* execute(client.run(folder), {
      ENDPOINT: oss.endpoint,
      BUCKET: oss.bucket,
      REGION: oss.region,
      KEY_ID: permanent.accessKeyId,
      KEY_SECRET: Redacted.value(permanent.accessKeySecret),
      STS_ID: temporary.accessKeyId,
      STS_SECRET: Redacted.value(temporary.accessKeySecret),
      STS_TOKEN: Redacted.value(temporary.securityToken),
      CALLBACK_OK: `${application.url}/ok`,
      CALLBACK_FAIL: `${application.url}/fail`,
      ODD_KEYS: JSON.stringify(Scenario.oddKeys),
      PREFIX: prefix,
      SCRATCH: yield* scratchFolder,
      ...(only === undefined ? {} : { ONLY: only })
    })
    const results = parse(out)
    const twice = yield* partsSentTwice(oss, resumed)
    if (results.get("resume")?.outcome === "ok" && twice.length > 0) {
      results.set("resume", failed(`sent twice: ${twice.join(", ")}`))
    }
    for (const name of only?.split(",") ?? Scenario.names) {
      if (!results.has(name)) results.set(name, failed("no report"))
    }
    return results
  })

const marks = { ok: "ok", failed: "FAILED", cannot: "–" } as const

const table = (columns: ReadonlyArray<readonly [Client.Client, Results]>): string => {
  const head = ["", ...columns.map(([{ name, version }]) => `${name}\n${version}`)]
  const shown = new Table({ head, style: { head: [], border: [] } })
  const rows = new Set([...Scenario.names, ...columns.flatMap(([, results]) => [...results.keys()])])
  for (const row of rows) {
    shown.push([row, ...columns.map(([, results]) => marks[results.get(row)?.outcome ?? "cannot"])])
  }
  return shown.toString()
}

const notes = (columns: ReadonlyArray<readonly [Client.Client, Results]>, outcome: Scenario.Outcome): string =>
  columns
    .flatMap(([{ name }, results]) =>
      [...results].flatMap(([scenario, result]) =>
        result.outcome === outcome && result.detail !== "" ? [`  ${name}: ${scenario}: ${result.detail}`] : []
      )
    )
    .join("\n")

const main = Effect.gen(function* () {
  const asked = process.argv.slice(2)
  const unknown = asked.filter((name) => !Client.all.some((client) => client.name === name))
  if (unknown.length > 0) {
    say(`no client ${unknown.join(", ")}: choose of ${Client.all.map(({ name }) => `"${name}"`).join(", ")}`)
    return 2
  }
  const columns: Array<readonly [Client.Client, Results]> = []
  const skipped: Array<string> = []
  for (const client of Client.all.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
    const lacking = Client.missing(client)
    if (lacking.length > 0) {
      skipped.push(`${client.name} ${client.version}: this machine has no ${lacking.join(", ")}`)
      continue
    }
    say(`${client.name} ${client.version} …`)
    const folder = Client.install(client, cache)
    columns.push([client, yield* Effect.scoped(runClient(client, folder, process.env["ONLY"]))])
  }
  console.log(table(columns))
  const remarks = notes(columns, "ok")
  if (remarks !== "") console.log(`Remarks:\n${remarks}`)
  const cannot = notes(columns, "cannot")
  if (cannot !== "") console.log(`What clients cannot do (–):\n${cannot}`)
  const failures = notes(columns, "failed")
  if (failures !== "") console.log(`FAILED:\n${failures}`)
  if (skipped.length > 0) console.log(`${"!".repeat(20)} SKIPPED ${"!".repeat(20)}\n  ${skipped.join("\n  ")}`)
  const outcomes = columns.flatMap(([, results]) => [...results.values()].map(({ outcome }) => outcome))
  const count = (wanted: Scenario.Outcome) => outcomes.filter((outcome) => outcome === wanted).length
  console.log(`${count("ok")} passed, ${count("failed")} failed, ${count("cannot") + skipped.length} skipped`)
  return count("failed") > 0 || columns.length === 0 || (asked.length > 0 && skipped.length > 0) ? 1 : 0
})

process.exitCode = await Effect.runPromise(main)
