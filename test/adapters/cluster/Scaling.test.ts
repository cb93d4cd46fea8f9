/** The plan for a thousand runners: its arithmetic, and that queueing in simulated time comes to the same. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Model from "../../../benchmarks/cluster/Model.ts"

const tuned = { intervals: Model.large, shards: 3000, databaseFactor: 32 }
const heldBackBy = (plan: Model.Plan) => Model.bounds(plan)[0]!.by

describe("the plan for many runners", () => {
  it("finds what holds a fleet back first", () => {
    assert.deepStrictEqual(
      [
        Model.plan(1),
        Model.plan(200),
        Model.plan(1000),
        Model.plan(1000, tuned),
        Model.plan(1000, { ...tuned, shards: 10 }),
        Model.plan(1000, { ...tuned, size: 64 * 1024, databaseFactor: 64 })
      ].map(heldBackBy),
      ["runners", "database", "database", "bucket bandwidth", "shards", "bucket requests"]
    )
  })

  it("has no time for uploads where a thousand runners ask as often as ten do", () => {
    assert.isAbove(Model.talk(Model.plan(1000)).all, 1)
    assert.strictEqual(Model.bounds(Model.plan(1000))[0]!.rate, 0)
    assert.isBelow(Model.talk(Model.plan(1000, tuned)).all, 0.1)
  })

  it("counts the requests of an object", () => {
    const MiB = 1024 * 1024
    const sizes = [1, 8 * MiB, 8 * MiB + 1, 80 * MiB]
    assert.deepStrictEqual(
      sizes.map((size) => Model.requestsOf(Model.plan(1, { size }))),
      [1, 1, 4, 12]
    )
  })

  for (const [name, plan] of [
    ["its runners", Model.plan(10)],
    ["the database", Model.plan(1000, { ...tuned, databaseFactor: 1 })],
    ["the requests of a bucket", Model.plan(1000, { ...tuned, size: 64 * 1024, databaseFactor: 64 })],
    ["the bandwidth of a bucket", Model.plan(1000, tuned)]
  ] as const) {
    it.effect(`comes to the same by queueing in simulated time, held back by ${name}`, () =>
      Effect.gen(function* () {
        const rate = yield* Model.simulate(plan, { groups: 4, rounds: 6, step: 1000 })
        assert.approximately(rate / Model.bounds(plan)[0]!.rate, 1, 0.1)
      })
    )
  }
})
