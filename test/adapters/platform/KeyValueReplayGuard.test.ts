/** Replays, remembered in a KeyValueStore. */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueReplayGuard from "../../../adapters/platform/KeyValueReplayGuard.ts"
import { contract } from "../../contracts/ReplayGuard.contract.ts"

contract("KeyValueReplayGuard.layer", () => Layer.provide(KeyValueReplayGuard.layer, KeyValueStore.layerMemory))

it.effect("remembers for the guards that come after it, and tells what is not its own", () =>
  Effect.gen(function* () {
    const lease = Duration.seconds(60)
    const first = yield* KeyValueReplayGuard.make
    const claim = yield* first.claim("a", lease)
    if (claim._tag === "Claimed") yield* claim.confirm("told", Duration.hours(1))
    const second = yield* KeyValueReplayGuard.make
    assert.deepStrictEqual(yield* second.claim("a", lease), { _tag: "Done", answer: "told" })
    yield* (yield* KeyValueStore.KeyValueStore).set("b", "something else")
    const error = yield* Effect.flip(second.claim("b", lease))
    assert.strictEqual(error.message, "ReplayGuard: b holds something else (Corrupt)")
  }).pipe(Effect.provide(KeyValueStore.layerMemory))
)
