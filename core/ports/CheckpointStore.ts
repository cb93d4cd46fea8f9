/**
 * Where resumable uploads keep their checkpoints, one upload at a time for each destination.
 *
 * Counterparts: adapters/fs (files). In memory, for one process: `layerMemory`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Checkpoint from "../model/Checkpoint.ts"
import { CheckpointError } from "../model/OssError.ts"

/** One destination's checkpoint, locked. Good until the scope of its `acquire` closes; then every use fails. */
export interface Handle {
  /** The checkpoint that was saved last, by this run or an earlier one. */
  readonly load: Effect.Effect<Option.Option<Checkpoint.Checkpoint>, CheckpointError>
  /**
   * Replaces the checkpoint. Whatever happens at any moment, what can be loaded is this checkpoint or the one before it,
   * whole. Of saves that run at once, the one called last counts.
   */
  readonly save: (checkpoint: Checkpoint.Checkpoint) => Effect.Effect<void, CheckpointError>
  /** Forgets the checkpoint. Fine when there is none. */
  readonly remove: Effect.Effect<void, CheckpointError>
}

export interface Service {
  /**
   * Locks what `Checkpoint.identity` named, for the length of the scope. Fails with `Locked` at once, without waiting,
   * while another fiber or process holds it; a holder that died holds nothing.
   */
  readonly acquire: (identity: string) => Effect.Effect<Handle, CheckpointError, Scope.Scope>
}

export class CheckpointStore extends Context.Tag("effect-oss/CheckpointStore")<CheckpointStore, Service>() {}

/** The failure of every use of a handle whose scope has closed. */
export const released = (): CheckpointError =>
  new CheckpointError({ reason: "Locked", detail: "this run has already given its lock back" })

/** An empty store in memory. Checkpoints are kept as text, so that none can be changed from outside. */
export const makeMemory = (): Service => {
  const texts = new Map<string, string>()
  const locked = new Set<string>()
  const lock = (identity: string) =>
    Effect.suspend(() => {
      if (locked.has(identity)) {
        const detail = `another fiber of this process is uploading to ${identity}`
        return Effect.fail(new CheckpointError({ reason: "Locked", detail }))
      }
      locked.add(identity)
      return Effect.succeed({ held: true })
    })
  return {
    acquire: (identity) =>
      Effect.acquireRelease(lock(identity), (mine) =>
        Effect.sync(() => {
          mine.held = false
          locked.delete(identity)
        })
      ).pipe(
        Effect.map((mine): Handle => {
          const whileHeld = <A>(use: Effect.Effect<A, CheckpointError>) =>
            Effect.suspend(() => (mine.held ? use : Effect.fail(released())))
          return {
            load: whileHeld(
              Effect.suspend(() =>
                Effect.transposeMapOption(Option.fromNullable(texts.get(identity)), Checkpoint.decode)
              )
            ),
            save: (checkpoint) => whileHeld(Effect.sync(() => void texts.set(identity, Checkpoint.encode(checkpoint)))),
            remove: whileHeld(Effect.sync(() => void texts.delete(identity)))
          }
        })
      )
  }
}

/** `makeMemory` as a layer: each time it is built, an empty store. Its checkpoints end with the process. */
export const layerMemory: Layer.Layer<CheckpointStore> = Layer.sync(CheckpointStore, makeMemory)
