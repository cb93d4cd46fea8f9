/**
 * What runners add, and what an object costs: `tsx test/cluster/throughput.ts`, or with `scaling` or `cost` one of both.
 *
 * For scaling each runner is held to a fifth of a core, so that more of them are more although the machine is the same; it
 * needs Linux with cgroups of version 1 to write to, as root. Configurations take turns, and medians are compared: compare the
 * rows of one run only. On a busy machine give it priority (nice -n -10), or the emulator and Postgres hold the fleet back.
 * THROUGHPUT_ROUNDS (3), THROUGHPUT_OBJECTS (600), THROUGHPUT_PAGE_SIZE and THROUGHPUT_PAGES_AT_ONCE (the adapter's).
 */
import * as Effect from "effect/Effect"
import { loadavg } from "node:os"
import * as Chaos from "./fleet/Chaos.ts"
import * as Postgres from "./Postgres.ts"

if (!Postgres.isHere) {
  process.stderr.write(`${Postgres.skipped}\n`)
  process.exit(0)
}

const MiB = 1024 * 1024
const KiB = 1024
const [what] = process.argv.slice(2)
const number = (name: string) => (process.env[name] === undefined ? undefined : Number(process.env[name]))
const say = (line: string) => process.stdout.write(`${line}\n`)

// Ended from outside, it takes its processes with it.
const ended = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort())

// A group of its own for each process, in which 20 of 100 milliseconds are its (cgroups of version 1).
const held = [
  "sh",
  "-c",
  'group=/sys/fs/cgroup/cpu/fleet-$$; mkdir $group && echo 20000 > $group/cpu.cfs_quota_us && echo $$ > $group/tasks; exec "$@"',
  "sh"
]

const run = (runners: number, objects: number, size: number, more: Partial<Chaos.Options> = {}) =>
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
        measured: true,
        ...more
      })
    ),
    { signal: ended.signal }
  )

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? NaN

/** Objects a second, from the end of the first quarter, in which processes warm up, to the last that the application is told of. */
const scaling = async () => {
  const objects = number("THROUGHPUT_OBJECTS") ?? 600
  const rates = new Map<number, Array<number>>()
  for (let round = 0; round < (number("THROUGHPUT_ROUNDS") ?? 3); round++) {
    for (const runners of [1, 2, 3]) {
      const { times } = await run(runners, objects, 16 * KiB, {
        holding: held,
        pageSize: number("THROUGHPUT_PAGE_SIZE"),
        pagesAtOnce: number("THROUGHPUT_PAGES_AT_ONCE")
      })
      const warm = Math.floor(objects / 4)
      const rate = ((objects - warm) / ((times.at(-1) ?? NaN) - (times[warm - 1] ?? NaN))) * 1000
      rates.set(runners, [...(rates.get(runners) ?? []), rate])
      say(`  ${runners} runners: ${rate.toFixed(1)} objects of 16 KiB a second, load ${loadavg()[0]?.toFixed(1)}`)
    }
  }
  const [one = NaN, two = NaN, three = NaN] = [1, 2, 3].map((runners) => median(rates.get(runners) ?? []))
  const ratios = [one, two, three].map((rate) => `${rate.toFixed(1)} (${(rate / one).toFixed(2)})`)
  say(`medians of ${objects} objects; 1, 2, 3 runners: ${ratios.join(", ")}`)
}

/** Messages and statements for each object, by parts of 1 MiB and by objects. */
const cost = async () => {
  say("objects | parts | messages | statements: engine, transactions, book | talk by the clock, each process a second")
  for (const [objects, parts] of [
    [100, 1],
    [1000, 1],
    [20, 4],
    [20, 16],
    [20, 64],
    [100, 4],
    [1000, 4]
  ] as const) {
    const { messages, statements } = await run(2, objects, parts === 1 ? 16 * KiB : parts * MiB)
    if (statements === undefined) continue
    const { book, engine, idle, seconds, talk, transactions } = statements
    const each = [messages, engine, transactions, book].map((count) => (count / objects).toFixed(2))
    const [messagesEach, ...statementsEach] = each
    // Two runners and the feeder.
    const talked = (talk / seconds / 3).toFixed(1)
    say(`${objects} | ${parts} | ${messagesEach} | ${statementsEach.join(", ")} | ${talked} (idle ${idle.toFixed(1)})`)
  }
}

if (what !== "cost") await scaling()
if (what !== "scaling") await cost()
process.exit(0)
