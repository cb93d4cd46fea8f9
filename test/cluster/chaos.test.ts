/**
 * A fleet that is killed at random uploads everything right. `chaos.ts` is the whole trial; this is a small one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Chaos from "./fleet/Chaos.ts"
import * as Postgres from "./Postgres.ts"

if (!Postgres.isHere) process.stderr.write(`${Postgres.skipped}\n`)

const MiB = 1024 * 1024
const objects = Number(process.env["CHAOS_OBJECTS"] ?? 40)

const isRight = (report: Chaos.Report, count: number) => {
  assert.deepInclude(report, { wrong: [], untold: [], pendingUploads: 0, deadLetters: [] })
  assert.deepStrictEqual(report.log.needless, [], "sent again although its runner had lived to know that it arrived")
  assert.strictEqual(report.progress.objects.stored, count)
}

describe("a fleet", () => {
  it.skipIf(!Postgres.isHere)(
    "of three runners on Postgres, killed and its database restarted, uploads every object right",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Chaos.run({
            database: "pg",
            runners: 3,
            objects,
            largest: 16 * MiB,
            huge: 0,
            partSize: MiB,
            killEvery: 6,
            restartDatabase: true
          })
        )
      ).then((report) => {
        isRight(report, objects)
        assert.isAtLeast(report.callbacks, objects)
      }),
    600_000
  )

  it(
    "of one runner on SQLite, killed again and again, uploads every object right",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Chaos.run({
            database: "sqlite",
            runners: 1,
            objects: 10,
            largest: 16 * MiB,
            huge: 0,
            partSize: MiB,
            killEvery: 6,
            restartDatabase: false
          })
        )
      ).then((report) => isRight(report, 10)),
    600_000
  )
})
