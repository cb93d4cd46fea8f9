/**
 * What runners add, and what an object costs: `tsx test/cluster/throughput.ts`. Needs Linux with cgroups to write to, as root.
 *
 * Each runner is held to a fifth of a core, so that more of them are more although the machine is the same. Compare the rows of
 * one run only.
 */
import * as Effect from "effect/Effect"
import * as Chaos from "./fleet/Chaos.ts"
import * as Postgres from "./Postgres.ts"

if (!Postgres.isHere) {
  process.stderr.write(`${Postgres.skipped}\n`)
  process.exit(0)
}

const MiB = 1024 * 1024

// A group of its own for each process, in which 20 of 100 milliseconds are its (cgroups of version 1).
const held = [
  "sh",
  "-c",
  'group=/sys/fs/cgroup/cpu/fleet-$$; mkdir $group && echo 20000 > $group/cpu.cfs_quota_us && echo $$ > $group/tasks; exec "$@"',
  "sh"
]

const run = (runners: number, objects: number, size: number, onProgress?: Chaos.Options["onProgress"]) =>
  Effect.runPromise(
    Effect.scoped(
      Chaos.run({
        database: "pg",
        runners,
        objects,
        largest: size,
        alike: true,
        huge: 0,
        partSize: MiB,
        killEvery: 0,
        restartDatabase: false,
        holding: held,
        ...(onProgress === undefined ? {} : { onProgress })
      })
    )
  )

for (const runners of [1, 2, 3]) {
  // From the first to the last look that finds it at work: to start takes a runner that is held down some time.
  const looks: Array<{ readonly at: number; readonly stored: number }> = []
  await run(runners, 200, 16 * 1024, ({ objects: { stored } }) => {
    if (stored > 0 && stored < 200) looks.push({ at: performance.now(), stored })
  })
  const [first, last] = [looks[0], looks.at(-1)]
  const rate = first && last ? ((last.stored - first.stored) / (last.at - first.at)) * 1000 : NaN
  process.stdout.write(`${runners} runners: ${rate.toFixed(1)} objects of 16 KiB a second\n`)
}
for (const parts of [1, 4, 16, 64]) {
  const { messages } = await run(2, 20, parts * MiB)
  process.stdout.write(
    `${parts} parts: ${((messages - 4) / 20).toFixed(2)} messages an object, beside 1 for each page\n`
  )
}
process.exit(0)
