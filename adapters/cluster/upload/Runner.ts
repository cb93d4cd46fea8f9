/**
 * A runner: a process that takes part in uploads. One layer over the engine of your choice.
 */
import type * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import { InvalidParam } from "../../../core/model/OssError.ts"
import type { OssClient } from "../../../core/programs/OssClient.ts"
import type { Budget } from "../budget/Budget.ts"
import * as Turnstile from "../budget/Turnstile.ts"
import * as Callbacks from "./Callbacks.ts"
import * as Gate from "../jobs/Gate.ts"
import type { Jobs } from "../jobs/Jobs.ts"
import type { UploadFailed } from "./Receipt.ts"
import type { Sources } from "../sources/Sources.ts"
import * as Step from "./Step.ts"
import * as UploadBatch from "./UploadBatch.ts"
import * as UploadWorkflow from "./UploadWorkflow.ts"

export interface Options {
  /** The contracts that requests may name. Default: none. */
  readonly callbacks?: Callbacks.Registry | undefined
  /** Parts in flight at once of each range. Default 4. */
  readonly parts?: number | undefined
  /** Ranges that this runner sends at once, of all objects: with `parts` and `partSize`, its memory. Default 4. */
  readonly rangesHere?: number | undefined
  /** Parts in one range, which one runner sends. Default 16. */
  readonly partsInRange?: number | undefined
  /** Ranges of one object under way at once, over all runners. Default 4. */
  readonly rangesAtOnce?: number | undefined
  /**
   * Objects that this runner looks at at once, and stores if they have one part; and how many of one page are under way.
   * Default 8.
   */
  readonly objectsAtOnce?: number | undefined
  /** How long and how often a step that failed for a passing reason is tried again. Default: `Step.defaultPatience`. */
  readonly patience?: Schedule.Schedule<unknown, UploadFailed> | undefined
}

const checked = (field: string, value: number): Effect.Effect<number, InvalidParam> =>
  Number.isInteger(value) && value >= 1 && value <= 1000
    ? Effect.succeed(value)
    : Effect.fail(new InvalidParam({ field, reason: `must be a whole number of 1 to 1000 at once, got ${value}` }))

/**
 * All workflows of uploads and batches, run by the engine beside it. Fails with `InvalidParam` for a number that cannot be.
 */
export const layer = ({
  callbacks = Callbacks.none,
  objectsAtOnce = 8,
  parts = 4,
  partsInRange = 16,
  patience = Step.defaultPatience,
  rangesAtOnce = 4,
  rangesHere = 4
}: Options = {}): Layer.Layer<
  never,
  InvalidParam,
  WorkflowEngine.WorkflowEngine | OssClient | Sources | Jobs | Budget
> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      yield* checked("objectsAtOnce", objectsAtOnce)
      yield* checked("parts", parts)
      yield* checked("partsInRange", partsInRange)
      yield* checked("rangesAtOnce", rangesAtOnce)
      yield* checked("rangesHere", rangesHere)
      const clock = yield* Effect.clock
      const room = (size: number): Step.Room =>
        Turnstile.make<never>(
          () => size,
          () => clock.unsafeCurrentTimeMillis()
        )
      const settings = { callbacks, parts, patience, objects: room(objectsAtOnce), ranges: room(rangesHere) }
      return Layer.merge(UploadWorkflow.layer({ partsInRange, rangesAtOnce }), UploadBatch.layer(objectsAtOnce)).pipe(
        Layer.provide(Gate.layer),
        Layer.provide(Layer.succeed(Step.StepSettings, settings))
      )
    })
  )
