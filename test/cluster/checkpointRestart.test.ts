/** What waits for a database that goes down and comes up again: leases, saves and permits outlive its restart. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlBudget from "../../adapters/cluster/budget/SqlBudget.ts"
import * as SqlCheckpointStore from "../../adapters/cluster/SqlCheckpointStore.ts"
import { checkpoint, identity } from "../support/SampleCheckpoint.ts"
import * as Databases from "./Databases.ts"
import * as Postgres from "./Postgres.ts"

describe.skipIf(!Databases.hasPostgres)("a database that is restarted", () => {
  it.live("costs an upload nothing but the wait: its lease, its checkpoint and its saves", () =>
    Effect.gen(function* () {
      const { address, restart } = yield* Postgres.make({})
      yield* Effect.gen(function* () {
        const store = yield* SqlCheckpointStore.make({ lease: 60_000 })
        const handle = yield* store.acquire(identity)
        yield* handle.save(checkpoint(1))
        const down = yield* Effect.fork(restart(2000))
        yield* Effect.sleep(300)
        yield* handle.save(checkpoint(2))
        yield* Fiber.join(down)
        assert.strictEqual((yield* Effect.flip(Effect.scoped(store.acquire(identity)))).reason, "Locked")
        assert.deepStrictEqual(Option.getOrThrow(yield* handle.load), checkpoint(2))
      }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Databases.client(address))))
    }).pipe(Effect.scoped)
  )

  it.live("holds requests up and loses none, and no permit", () =>
    Effect.gen(function* () {
      const { address, restart } = yield* Postgres.make({})
      yield* Effect.gen(function* () {
        const { withPermit } = yield* SqlBudget.make({
          concurrency: 3,
          bytesPerSecond: 1_000_000,
          interval: 100,
          lease: 1000
        })
        let [inside, most, done] = [0, 0, 0]
        const request = Effect.acquireUseRelease(
          Effect.sync(() => (most = Math.max(most, ++inside))),
          () => Effect.sleep(20),
          () => Effect.sync(() => void (inside--, done++))
        )
        const work = yield* Effect.fork(
          Effect.forEach(Array.from({ length: 200 }), () => withPermit("media", 20_000)(request), {
            concurrency: "unbounded",
            discard: true
          })
        )
        yield* Effect.sleep(1000)
        yield* restart(3000)
        yield* Fiber.join(work)
        assert.deepStrictEqual([done, inside], [200, 0])
        assert.isAtMost(most, 3)
      }).pipe(Effect.scoped, Effect.provide(Layer.fresh(Databases.client(address))))
    }).pipe(Effect.scoped)
  )
})
