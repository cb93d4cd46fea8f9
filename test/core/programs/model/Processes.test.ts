/**
 * Real processes, killed (SIGKILL) at a random moment, against an emulator on a socket that makes trouble. `PROCESS_RUNS` says
 * how many. Moments depend on the machine, so a seed replays the schedule of a failing run, not its outcome: `PROCESS_SEED`.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as OssEmulator from "../../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../../core/model/Bytes.ts"
import * as Crc64 from "../../../../core/model/Crc64.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as Emulated from "../../../support/Emulated.ts"
import type { Order, Report } from "./client.ts"
import * as Contract from "./contract.ts"

const runs = Number(process.env["PROCESS_RUNS"] ?? 8)
const seed = Number(process.env["PROCESS_SEED"] ?? 1)
const partSize = Bytes.KiB(100)

const schedule = fc.record({
  method: fc.constantFrom<Order["method"]>(
    "simple",
    "multipart",
    "resumable",
    "resumable",
    "resumable",
    "form",
    "presigned"
  ),
  size: fc.constantFrom(1_000, partSize + 1, 10 * partSize, 30 * partSize + 7),
  /** Milliseconds after the first request: when the process dies, and its successors. */
  kills: fc.array(fc.integer({ min: 0, max: 250 }), { minLength: 1, maxLength: 4 }),
  chaosPercent: fc.constantFrom(0, 3, 10)
})

/** The client as one file, which starts faster than its sources. */
const bundle = async (folder: string): Promise<string> => {
  const outfile = Path.join(folder, "client.mjs")
  const entry = fileURLToPath(new URL("./client.ts", import.meta.url))
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" })
  return outfile
}

/** Runs a client, and kills it `killAfter` milliseconds after `begun`. Answers its report, `undefined` if it was killed. */
const live = (script: string, order: Order, begun: () => Promise<void>, killAfter: number | undefined) =>
  new Promise<Report | undefined>((resolve, reject) => {
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ORDER: JSON.stringify(order) },
      stdio: ["ignore", "pipe", "inherit"]
    })
    let text = ""
    child.stdout.on("data", (chunk) => (text += String(chunk)))
    if (killAfter !== undefined) {
      void begun().then(() => setTimeout(() => child.kill("SIGKILL"), killAfter))
    }
    child.on("error", reject)
    child.on("close", () => resolve(text === "" ? undefined : (JSON.parse(text) as Report)))
  })

it.scopedLive(
  `a process killed at any moment leaves nothing wrong, and a resumable upload gets through: ${runs} runs`,
  () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-model-"))),
        (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
      )
      const script = yield* Effect.promise(() => bundle(folder))
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const told = new Map<string, number>()
      const receiver = CallbackReceiver.make(Contract.make("http://x"), ({ object }) =>
        Effect.sync(() => {
          told.set(object, (told.get(object) ?? 0) + 1)
          return { ok: true }
        })
      )
      const server = yield* Emulated.server(emulator, { "/uploaded": receiver })
      const newest = Effect.map(emulator.requests, (requests) => requests.at(-1)?.requestId)
      let killed = 0

      for (const [i, { chaosPercent, kills, method, size }] of fc.sample(schedule, { seed, numRuns: runs }).entries()) {
        const key = `${method}-${i}`
        const path = Path.join(folder, key)
        const content = new Uint8Array(size).map((_, at) => Math.imul(at + i, 2654435761) >>> 24)
        yield* Effect.promise(() => Fs.writeFile(path, content))
        const { accessKeyId, accessKeySecret } = emulator.credentials
        const order: Order = {
          method,
          key,
          path,
          checkpoints: Path.join(folder, "checkpoints"),
          endpoint: emulator.endpoint,
          region: emulator.region,
          accessKeyId,
          accessKeySecret: Redacted.value(accessKeySecret),
          application: server.url,
          partSize
        }
        const faults = ["drop", "loseAnswer", "error", "errorAfter", "slow", "truncate"] as const
        yield* emulator.inject({ operation: "UploadPart", key, fault: "slow", delay: 20, times: 1000 })
        yield* emulator.faults.chaos({ seed: seed + i, rate: chaosPercent / 100, faults })
        const begun = async () => {
          const before = Effect.runSync(newest)
          while (Effect.runSync(newest) === before) await new Promise((resolve) => setTimeout(resolve, 1))
        }
        // Killed again and again; at the end, if it is resumable, it is let through.
        const reports: Array<Report | undefined> = []
        for (const killAfter of kills) {
          reports.push(yield* Effect.promise(() => live(script, order, begun, killAfter)))
          if (reports.at(-1) === undefined) killed++
          if (method !== "resumable" || reports.at(-1) !== undefined) break
        }
        yield* emulator.faults.clear
        if (method === "resumable" || reports.length === 0) {
          reports.push(yield* Effect.promise(() => live(script, order, begun, undefined)))
        }

        const what = `seed ${seed}, run ${i}: ${method} of ${size} bytes, killed after ${kills} ms: ${JSON.stringify(reports)}`
        const stored = Option.getOrUndefined(yield* emulator.object(key))
        const last = reports.at(-1)
        assert.isTrue(stored === undefined || Buffer.from(stored).equals(content), `${what}: torn`)
        if (last?.tag === "Success" || last?.tag === "CallbackFailed") {
          assert.strictEqual(last.crc64, String(Crc64.of(content)), what)
          assert.isDefined(stored, what)
          assert.isAtLeast(told.get(key) ?? 0, 1, what)
        }
        if (method === "resumable") {
          assert.include(["Success", "CallbackFailed"], last?.tag, what)
          const left = (yield* emulator.uploads()).filter(({ parts, upload }) => upload.key === key && parts.size > 0)
          assert.deepEqual(left, [], `${what}: an upload with parts is left behind`)
        }
      }
      console.log(`${runs} runs, ${killed} killed`)
    }),
  3_600_000
)
