/**
 * A runner that always has work for one bucket: tells on stdout when each request begins and ends, in milliseconds since
 * 1970, as `+time` and `-time`.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Budget } from "../../adapters/cluster/budget/Budget.ts"
import * as SqlBudget from "../../adapters/cluster/budget/SqlBudget.ts"
import * as Databases from "./Databases.ts"

const [address = "", concurrency = "", bytesPerSecond = "", workers = "", bytes = "", millis = ""] =
  process.argv.slice(2)
const tell = (sign: string) =>
  Effect.sync(() => process.stdout.write(`${sign}${(performance.timeOrigin + performance.now()).toFixed(1)}\n`))

const budget = SqlBudget.layer({
  concurrency: Number(concurrency),
  ...(bytesPerSecond === "none" ? {} : { bytesPerSecond: Number(bytesPerSecond) }),
  interval: 200,
  lease: 1500
}).pipe(Layer.provide(Databases.client(address)))

const work = Effect.gen(function* () {
  const { withPermit } = yield* Budget
  const request = withPermit(
    "media",
    Number(bytes)
  )(Effect.zipRight(tell("+"), Effect.ensuring(Effect.sleep(Number(millis)), tell("-"))))
  yield* Effect.all(
    Array.from({ length: Number(workers) }, () => Effect.forever(request)),
    { concurrency: "unbounded" }
  )
})

await Effect.runPromise(Effect.provide(work, budget))
