/**
 * The whole trial: `tsx test/cluster/chaos.ts`. Prints a report, and ends with 1 when anything in it is wrong.
 *
 * CHAOS_OBJECTS (2,000), CHAOS_HUGE_MIB (5,120), CHAOS_LARGEST_MIB (64), CHAOS_RUNNERS (3), CHAOS_KILL_SECONDS (4; 0: none).
 */
import * as Effect from "effect/Effect"
import * as Chaos from "./fleet/Chaos.ts"
import * as Postgres from "./Postgres.ts"

const MiB = 1024 * 1024
const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise)

if (!Postgres.isHere) {
  process.stderr.write(`${Postgres.skipped}\n`)
  process.exit(0)
}

// Ended from outside, it takes its processes with it.
const ended = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort())

const options: Chaos.Options = {
  database: "pg",
  runners: number("CHAOS_RUNNERS", 3),
  objects: number("CHAOS_OBJECTS", 2000),
  largest: number("CHAOS_LARGEST_MIB", 64) * MiB,
  huge: number("CHAOS_HUGE_MIB", 5120) * MiB,
  partSize: 2 * MiB,
  killEvery: number("CHAOS_KILL_SECONDS", 4),
  restartDatabase: process.env["CHAOS_RESTART"] !== "0",
  onProgress: ({ bytes, objects }, kills) =>
    process.stderr.write(
      `${objects.stored} of ${objects.total} objects, ${Math.round(bytes / MiB)} MiB, ${objects.failed} failed, ${kills} kills\n`
    )
}
const { times, ...report } = await Effect.runPromise(Effect.scoped(Chaos.run(options)), { signal: ended.signal })
const faults = Chaos.faults(options, { ...report, times })
process.stdout.write(`${JSON.stringify({ ...report, faults }, null, 2)}\n`)
process.exit(faults.length === 0 ? 0 : 1)
