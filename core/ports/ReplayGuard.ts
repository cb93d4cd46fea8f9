/**
 * What has been handled before: the memory by which a receiver runs its handler once for each callback.
 *
 * Neither a time nor a nonce is signed in a callback, so whoever saw one can send it again, for ever. A guard knows each
 * by an ID. A handler that failed gives its ID back, and the callback can be tried again; a process that died holds its
 * IDs no longer than their lease. Times are Effect's `Clock`.
 * Counterparts: adapters/platform (over KeyValueStore). In memory, for one process: `layerMemory`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StoreError } from "../model/OssError.ts"

/** An ID that is ours to handle, until the lease ends. Use one of the two, once. */
export interface Claimed {
  readonly _tag: "Claimed"
  /**
   * It is handled: remembered for `keepFor`, with the answer if one is given. Also counts when the lease has ended
   * meanwhile, because the handler has run.
   */
  readonly confirm: (answer: string | undefined, keepFor: Duration.Duration) => Effect.Effect<void, StoreError>
  /** It is not handled, and may be claimed again. Does nothing once the lease has ended: the ID may be another's by now. */
  readonly release: Effect.Effect<void, StoreError>
}

export type Claim =
  | Claimed
  /** Another holds it, and its lease has not ended. */
  | { readonly _tag: "Running" }
  /** It was handled, and answered so; `undefined` when the answer was not kept. */
  | { readonly _tag: "Done"; readonly answer: string | undefined }

export interface Service {
  /**
   * Takes an ID for the length of a lease. In one step: of claims that come at once, one is `Claimed` and the others are
   * `Running`. IDs are of a-z, 0-9 and "-", at most 100 characters.
   */
  readonly claim: (id: string, lease: Duration.Duration) => Effect.Effect<Claim, StoreError>
}

export class ReplayGuard extends Context.Tag("effect-oss/ReplayGuard")<ReplayGuard, Service>() {}

export interface MemoryOptions {
  /** The most IDs to remember as handled; beyond, the oldest is forgotten, and could be replayed. Default 100,000. */
  readonly capacity?: number | undefined
}

interface Done {
  /** Milliseconds since 1970. */
  readonly until: number
  readonly answer: string | undefined
}

/** A guard in memory. It ends with the process, and processes do not share it: for one process, or behind tokens. */
export const makeMemory = (options: MemoryOptions = {}): Service => {
  const { capacity = 100_000 } = options
  const running = new Map<string, { readonly until: number }>()
  const done = new Map<string, Done>()

  const remember = (id: string, entry: Done, now: number): void => {
    done.delete(id) // so that it becomes the youngest
    done.set(id, entry)
    for (const [oldest, { until }] of done) {
      if (until > now && done.size <= capacity) return
      done.delete(oldest)
    }
  }

  return {
    claim: (id, lease) =>
      Effect.map(Clock.currentTimeMillis, (now): Claim => {
        const finished = done.get(id)
        if (finished !== undefined && finished.until > now) return { _tag: "Done", answer: finished.answer }
        const held = running.get(id)
        if (held !== undefined && held.until > now) return { _tag: "Running" }
        const mine = { until: now + Duration.toMillis(lease) }
        running.set(id, mine)
        const giveBack = (): void => {
          if (running.get(id) === mine) running.delete(id)
        }
        return {
          _tag: "Claimed",
          confirm: (answer, keepFor) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              giveBack()
              remember(id, { until: now + Duration.toMillis(keepFor), answer }, now)
            }),
          release: Effect.sync(giveBack)
        }
      })
  }
}

/** `makeMemory` as a layer: each time it is built, an empty guard. */
export const layerMemory = (options?: MemoryOptions): Layer.Layer<ReplayGuard> =>
  Layer.sync(ReplayGuard, () => makeMemory(options))
