/**
 * What all runners together may ask of one bucket: so many requests in flight, so many bytes per second.
 *
 * The port. Counterparts: LocalBudget (one process), SqlBudget (all runners of a database). `unlimited` is for one runner
 * that holds itself back by its own concurrency.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import { InvalidParam } from "../../../core/model/OssError.ts"

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

/** What a bucket is good for, or may be used for. */
export interface Limits {
  /** Requests in flight at once, 1 to 100,000. */
  readonly concurrency: number
  /** Bytes per second, on average: requests begin at such times as keep to it. At least 1. Default: no limit. */
  readonly bytesPerSecond?: number | undefined
}

/** The limits of each bucket, and of those that have none of their own. Every runner must be given the same. */
export interface Options extends Limits {
  readonly buckets?: Readonly<Record<string, Limits>> | undefined
}

const checkLimits = ({ bytesPerSecond, concurrency }: Limits, of: string): Either.Either<void, InvalidParam> => {
  const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field: of + field, reason }))
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 100_000) {
    return invalid("concurrency", `must be 1 to 100000 requests at once, got ${concurrency}`)
  }
  return bytesPerSecond === undefined || (bytesPerSecond >= 1 && bytesPerSecond < Infinity)
    ? Either.void
    : invalid("bytesPerSecond", `must be at least 1 byte per second, got ${bytesPerSecond}`)
}

/** The limits by a bucket's name. Fails with `InvalidParam` for `concurrency` or `bytesPerSecond` of any of them. */
export const limitsOf = (options: Options): Either.Either<(bucket: string) => Limits, InvalidParam> =>
  Either.gen(function* () {
    const buckets = new Map(Object.entries(options.buckets ?? {}))
    yield* checkLimits(options, "")
    for (const [bucket, limits] of buckets) yield* checkLimits(limits, `buckets.${bucket}.`)
    return (bucket: string) => buckets.get(bucket) ?? options
  })

/** Everything runs at once. */
export const unlimited: Layer.Layer<Budget> = Layer.succeed(Budget, { withPermit: () => identity })
