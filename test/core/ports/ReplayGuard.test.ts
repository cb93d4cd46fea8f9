/** Replays, remembered in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ReplayGuard from "../../../core/ports/ReplayGuard.ts"
import { contract } from "../../contracts/ReplayGuard.contract.ts"

contract("ReplayGuard.layerMemory", ReplayGuard.layerMemory)

describe("ReplayGuard.makeMemory", () => {
  const lease = Duration.seconds(60)

  const handle = (guard: ReplayGuard.Service, id: string, keepFor: Duration.DurationInput) =>
    Effect.gen(function* () {
      const claim = yield* guard.claim(id, lease)
      if (claim._tag === "Claimed") yield* claim.confirm(undefined, Duration.decode(keepFor))
      return claim._tag
    })

  it.effect("forgets the oldest when it is full, and never what is running", () =>
    Effect.gen(function* () {
      const guard = ReplayGuard.makeMemory({ capacity: 2 })
      yield* guard.claim("running", lease)
      for (const id of ["a", "b", "c"]) yield* handle(guard, id, "1 hour")
      const found = yield* Effect.all(["running", "b", "c", "a"].map((id) => guard.claim(id, lease)))
      assert.deepStrictEqual(
        found.map(({ _tag }) => _tag),
        ["Running", "Done", "Done", "Claimed"]
      )
    })
  )
})
