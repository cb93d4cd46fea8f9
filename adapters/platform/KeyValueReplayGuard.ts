/**
 * What has been handled before, in a `KeyValueStore` of @effect/platform: files, SQL, Redis, whatever the store is over.
 *
 * Claims of one process come one after the other. A `KeyValueStore` has no compare-and-set, so two processes that claim the
 * same ID within the time of one write may both be let through: handlers must bear that, or one process takes the callbacks.
 * What is no longer remembered is overwritten when it is claimed again, and is otherwise left to the store to expire.
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { StoreError } from "../../core/model/OssError.ts"
import { ReplayGuard, type Claim, type Service } from "../../core/ports/ReplayGuard.ts"

/** What is stored under an ID; times in milliseconds since 1970. */
const Entry = Schema.parseJson(
  Schema.Union(
    Schema.TaggedStruct("Running", { until: Schema.Number, owner: Schema.Number }),
    Schema.TaggedStruct("Done", { until: Schema.Number, answer: Schema.optional(Schema.String) })
  )
)
type Entry = typeof Entry.Type

const failed = (reason: StoreError["reason"], detail: string) => (cause: unknown) =>
  new StoreError({ store: "ReplayGuard", reason, detail, cause })

/** The guard over the store at hand. IDs are the store's keys: give it a prefix of its own (`KeyValueStore.prefix`). */
export const make: Effect.Effect<Service, never, KeyValueStore.KeyValueStore> = Effect.gen(function* () {
  const store = yield* KeyValueStore.KeyValueStore
  const oneByOne = (yield* Effect.makeSemaphore(1)).withPermits(1)

  const read = (id: string): Effect.Effect<Option.Option<Entry>, StoreError> =>
    Effect.flatMap(Effect.mapError(store.get(id), failed("Read", `cannot read ${id}`)), (found) =>
      Effect.transposeMapOption(found, (text) =>
        Effect.mapError(Schema.decode(Entry)(text), failed("Corrupt", `${id} holds something else`))
      )
    )
  const write = (id: string, entry: Entry): Effect.Effect<void, StoreError> =>
    Effect.mapError(store.set(id, Schema.encodeSync(Entry)(entry)), failed("Write", `cannot write ${id}`))

  return {
    claim: (id, lease) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const found = yield* read(id)
        if (Option.isSome(found) && found.value.until > now) {
          const entry = found.value
          return entry._tag === "Done"
            ? ({ _tag: "Done", answer: entry.answer } satisfies Claim)
            : ({ _tag: "Running" } satisfies Claim)
        }
        const owner = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
        yield* write(id, { _tag: "Running", until: now + Duration.toMillis(lease), owner })
        return {
          _tag: "Claimed",
          confirm: (answer, keepFor) =>
            Effect.flatMap(Clock.currentTimeMillis, (then) =>
              write(id, { _tag: "Done", until: then + Duration.toMillis(keepFor), answer })
            ).pipe(oneByOne, Effect.uninterruptible),
          release: Effect.flatMap(read(id), (held) =>
            Option.isSome(held) && held.value._tag === "Running" && held.value.owner === owner
              ? Effect.mapError(store.remove(id), failed("Write", `cannot remove ${id}`))
              : Effect.void
          ).pipe(oneByOne, Effect.uninterruptible)
        } satisfies Claim
      }).pipe(oneByOne)
  }
})

/** `make` as a layer. */
export const layer: Layer.Layer<ReplayGuard, never, KeyValueStore.KeyValueStore> = Layer.effect(ReplayGuard, make)
