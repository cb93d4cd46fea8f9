/**
 * Where callbacks wait that the application server was not told, until they can be delivered again.
 *
 * Counterparts: adapters/fs (files, which outlive the process). In memory, for tests: `layerMemory`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StoreError } from "../model/OssError.ts"
import type * as Undelivered from "../model/Undelivered.ts"

export interface Service {
  /** Keeps an entry until it is removed. When it returns, the entry is there, whatever happens to the process. */
  readonly put: (entry: Undelivered.Undelivered) => Effect.Effect<void, StoreError>
  /** Forgets the entry of this ID. Fine when there is none. */
  readonly remove: (id: string) => Effect.Effect<void, StoreError>
  /** Everything that waits, the oldest first. What cannot be read is left out, and logged. */
  readonly list: Effect.Effect<ReadonlyArray<Undelivered.Undelivered>, StoreError>
}

export class Outbox extends Context.Tag("effect-oss/Outbox")<Outbox, Service>() {}

/** The order of `list`: by time, and then by ID, so that it is one order. */
export const inOrder = (entries: ReadonlyArray<Undelivered.Undelivered>): ReadonlyArray<Undelivered.Undelivered> =>
  [...entries].sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1))

/** An empty outbox in memory. */
export const makeMemory = (): Service => {
  const entries = new Map<string, Undelivered.Undelivered>()
  return {
    put: (entry) => Effect.sync(() => void entries.set(entry.id, entry)),
    remove: (id) => Effect.sync(() => void entries.delete(id)),
    list: Effect.sync(() => inOrder([...entries.values()]))
  }
}

/** `makeMemory` as a layer: each time it is built, an empty outbox. It ends with the process. */
export const layerMemory: Layer.Layer<Outbox> = Layer.sync(Outbox, makeMemory)
