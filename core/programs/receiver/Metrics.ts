/**
 * What a receiver counts, as metrics of Effect: they appear wherever the application exports its own.
 *
 * - `oss_callback_received`: requests, of any kind.
 * - `oss_callback_rejected`: those refused, by `reason` (the reason of `CallbackRejected`).
 * - `oss_callback_milliseconds`: a histogram of the time from request to answer, by `ending` (see `Answer.Ending`).
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type { CallbackRejection } from "../../model/OssError.ts"
import type { Ending } from "./Answer.ts"

const received = Metric.counter("oss_callback_received", {
  description: "Requests that claim to be callbacks of OSS",
  incremental: true
})

const rejected = Metric.counter("oss_callback_rejected", {
  description: "Requests refused, by reason",
  incremental: true
})

// OSS waits 5 seconds; the last bounds tell how near a handler comes.
const milliseconds = Metric.histogram(
  "oss_callback_milliseconds",
  MetricBoundaries.fromIterable([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 4500, 5000]),
  "Milliseconds from a request to its answer, by how it ended"
)

// Tagged once: making a tagged metric costs more than counting by it.
const rejectedBy = new Map<CallbackRejection, typeof rejected>()
const timedBy = new Map<Ending, Metric.Metric.Histogram<number>>()

const cached = <K extends string, M>(metrics: Map<K, M>, key: K, make: () => M): M => {
  const known = metrics.get(key)
  if (known !== undefined) return known
  const made = make()
  metrics.set(key, made)
  return made
}

// Counted at once and not by an Effect, which costs several times as much; labels of the fiber are not in them.

/** Counts a request. */
export const receive = (): void => received.unsafeUpdate(1, [])

/** Counts a refusal. */
export const reject = (reason: CallbackRejection): void =>
  cached(rejectedBy, reason, () => Metric.tagged(rejected, "reason", reason)).unsafeUpdate(1, [])

/** Counts an answer, by how it ended and how many milliseconds it took. */
export const answer = (ending: Ending, took: number): void =>
  cached(timedBy, ending, () => Metric.tagged(milliseconds, "ending", ending)).unsafeUpdate(took, [])
