/**
 * What all runners together may ask of one bucket: so many requests in flight, so many bytes per second.
 *
 * The port. `unlimited` is for one runner that holds itself back by its own concurrency.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"

/** No permit could be had, because what keeps them failed. The effect did not run. Trying again may help. */
export class BudgetError extends Data.TaggedError("BudgetError")<{
  readonly bucket: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `the budget of ${this.bucket}: ${this.detail}`
  }
}

export interface Service {
  /**
   * Runs an effect that sends so many bytes to a bucket, once the bucket's budget has room for it: first come, first
   * served. The permit is given back when the effect ends, however it ends.
   */
  readonly withPermit: (
    bucket: string,
    bytes: number
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | BudgetError, R>
}

export class Budget extends Context.Tag("effect-oss/cluster/Budget")<Budget, Service>() {}

/** Everything runs at once. */
export const unlimited: Layer.Layer<Budget> = Layer.succeed(Budget, { withPermit: () => identity })
