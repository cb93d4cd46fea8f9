/**
 * A fleet that is killed at random uploads everything right. `chaos.ts` is the whole trial; this is a small one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Chaos from "./fleet/Chaos.ts"
import * as Databases from "./Databases.ts"

const MiB = 1024 * 1024
const objects = Number(process.env["CHAOS_OBJECTS"] ?? 40)

const isRight = (options: Chaos.Options) =>
  Effect.runPromise(Effect.scoped(Chaos.run(options))).then((report) => {
    assert.deepStrictEqual(Chaos.faults(options, report), [])
    return report
  })

describe("a fleet", () => {
  it.skipIf(!Databases.hasPostgres)(
    "of three runners on Postgres, killed and its database restarted, uploads every object right",
    () =>
      isRight({
        database: "pg",
        runners: 3,
        objects,
        largest: 16 * MiB,
        huge: 0,
        partSize: MiB,
        killEvery: 3,
        restartDatabase: true
      }),
    600_000
  )

  it.skipIf(!Databases.hasSqlite)(
    "of one runner on SQLite, killed again and again, uploads every object right",
    () =>
      isRight({
        database: "sqlite",
        runners: 1,
        objects,
        largest: 16 * MiB,
        huge: 0,
        partSize: MiB,
        killEvery: 3,
        restartDatabase: false
      }),
    600_000
  )
})
