/**
 * The checkpoint of the upload under way: takes down each part that was sent, and saves it now and then.
 *
 * Not after every part: a checkpoint of 10,000 parts takes milliseconds to write and to flush, so a save follows the last
 * one by a second at least, and one more comes at the end of the run, however it ends. A process killed in between loses
 * the record of what it sent in that second, and sends it again.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Checkpoint from "../../model/Checkpoint.ts"
import type { CheckpointError } from "../../model/OssError.ts"
import type { Handle } from "../../ports/CheckpointStore.ts"
import type { SentPart } from "./sent.ts"

/** The least time from the end of one save to the next. */
const pause = Duration.toMillis("1 second")

export interface Ledger {
  /** What an earlier run has recorded of a part. */
  readonly known: (number: number) => SentPart | undefined
  /** Records a part, and saves when it is time to. */
  readonly add: (part: SentPart) => Effect.Effect<void, CheckpointError>
  /** Saves, if there is anything new. */
  readonly save: Effect.Effect<void, CheckpointError>
}

/** The ledger of a checkpoint, which is taken to be saved. */
export const make = (handle: Handle, saved: Checkpoint.Checkpoint): Effect.Effect<Ledger> =>
  Effect.map(Clock.currentTimeMillis, (begun): Ledger => {
    const recorded = new Map(saved.parts.map((part) => [part.number, part]))
    let checkpoint = saved
    let isNew = false
    let isSaving = false
    let savedAt = begun
    const save = Effect.suspend(() => {
      if (!isNew) return Effect.void
      isNew = false
      return handle.save(checkpoint).pipe(
        Effect.onError(() => Effect.sync(() => void (isNew = true))),
        Effect.zipRight(Clock.currentTimeMillis),
        Effect.map((now) => void (savedAt = now))
      )
    })
    return {
      known: (number) => recorded.get(number),
      add: (part) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          checkpoint = Checkpoint.add(checkpoint, part)
          isNew = true
          if (isSaving || now - savedAt < pause) return Effect.void
          isSaving = true
          return Effect.ensuring(
            save,
            Effect.sync(() => void (isSaving = false))
          )
        }),
      save
    }
  })
