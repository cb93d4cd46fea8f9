/** Checkpoints in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CheckpointStore, layerMemory } from "../../../core/ports/CheckpointStore.ts"
import { contract } from "../../contracts/CheckpointStore.contract.ts"
import { checkpoint, identity } from "../../support/SampleCheckpoint.ts"

contract("CheckpointStore.layerMemory", () => layerMemory)

const newStore = <A, E>(use: Effect.Effect<A, E, CheckpointStore>) => Effect.provide(use, layerMemory)

describe("CheckpointStore.layerMemory", () => {
  it.effect("is empty each time it is built", () =>
    Effect.gen(function* () {
      const acquire = Effect.flatMap(CheckpointStore, (store) => store.acquire(identity))
      yield* newStore(Effect.scoped(Effect.flatMap(acquire, (handle) => handle.save(checkpoint(1)))))
      const found = yield* newStore(Effect.scoped(Effect.flatMap(acquire, (handle) => handle.load)))
      assert.isTrue(Option.isNone(found))
    })
  )
})
