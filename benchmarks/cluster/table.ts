/** The table of adapters/cluster/SCALING.md: `tsx benchmarks/cluster/table.ts`. */
import * as Effect from "effect/Effect"
import * as TestContext from "effect/TestContext"
import * as Model from "./Model.ts"

const objects = 100_000_000
const KiB = 1024
const MiB = 1024 * KiB

const tuned = { intervals: Model.large, shards: 3000, databaseFactor: 32 }
const steps: ReadonlyArray<readonly [name: string, plan: Model.Plan]> = [
  ["1 runner", Model.plan(1)],
  ["10 runners", Model.plan(10)],
  ["100 runners", Model.plan(100)],
  ["300 runners", Model.plan(300)],
  ["1,000 runners, nothing set", Model.plan(1000)],
  ["1,000, asking less often", Model.plan(1000, { intervals: Model.large })],
  ["1,000, and a database 32 times as fast", Model.plan(1000, { ...tuned, shards: 300 })],
  ["1,000, and 3,000 shards", Model.plan(1000, tuned)],
  ["1,000, and 8 buckets, each with a quota of its own", Model.plan(1000, { ...tuned, buckets: 8 })],
  ["1,000, objects of 64 KiB, 1 bucket", Model.plan(1000, { ...tuned, size: 64 * KiB })],
  ["1,000, objects of 64 MiB, 1 bucket", Model.plan(1000, { ...tuned, size: 64 * MiB, messagesPerObject: 12 })]
]

const number = (value: number) => Math.round(value).toLocaleString("en-US")
const hours = (rate: number) => (rate < 0.01 ? "never" : number(objects / rate / 3600))

const table = Effect.forEach(steps, ([name, plan]) =>
  Effect.map(
    // A database that is all talk would let the simulation stand still.
    Model.talk(plan).all < 1 ? Model.simulate(plan, { groups: 24, rounds: 12, step: 1000 }) : Effect.succeed(0),
    (simulated) => {
      const [first, second] = Model.bounds(plan)
      const talk = `${number(Model.talk(plan).all * 100)} %`
      return [name, talk, number(first!.rate), number(simulated), hours(first!.rate), first!.by, second!.by]
    }
  )
).pipe(Effect.provide(TestContext.TestContext))

const head = ["fleet", "talk", "objects/s", "simulated", "hours for 100 M", "held back by", "then by"]
const rows = [head, head.map(() => "---"), ...(await Effect.runPromise(table))]
process.stdout.write(`${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`)
