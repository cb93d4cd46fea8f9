/**
 * `npm run example:cluster`: a batch on a cluster, from one script.
 *
 * Starts a Postgres from Debian's packages, the emulator and two runner processes, uploads a batch, shows its progress, and
 * ends all of them. Without Postgres it takes SQLite and one runner. Change nothing but the emulator's address and the keys,
 * and it uploads to OSS.
 */
import * as Effect from "effect/Effect"
import * as Chaos from "../fleet/Chaos.ts"
import * as Databases from "../Databases.ts"

const MiB = 1024 * 1024
const database = Databases.hasPostgres ? "pg" : "sqlite"
if (!Databases.hasPostgres && !Databases.hasSqlite) process.exit(1) // both were said to be missing
if (!Databases.hasPostgres) process.stderr.write("SQLite and one runner take its place\n")

// Ended from outside, it takes its processes with it.
const ended = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort())

let shown = ""
const report = await Effect.runPromise(
  Effect.scoped(
    Chaos.run({
      database,
      runners: 2,
      objects: 50,
      largest: 32 * MiB,
      huge: 0,
      partSize: MiB,
      killEvery: 0,
      restartDatabase: false,
      onProgress: ({ bytes, objects }) => {
        const line = `${objects.stored} of ${objects.total} objects stored, ${(bytes / MiB).toFixed(1)} MiB\n`
        if (line !== shown) process.stdout.write(line)
        shown = line
      }
    })
  ),
  { signal: ended.signal }
)

const { callbackFailed, failed, stored } = report.progress.objects
process.stdout.write(
  `${stored} objects stored in ${report.seconds.toFixed(1)} s, ${failed} failed; ` +
    `the application was told ${report.callbacks} times, ${callbackFailed} callbacks failed; ` +
    `${report.wrong.length} objects are not what was sent, ${report.pendingUploads} uploads are left pending\n`
)
process.exit(failed + report.wrong.length + report.pendingUploads === 0 ? 0 : 1)
