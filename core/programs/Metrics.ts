/**
 * What a client counts, as Effect metrics. An application's exporter finds them by their names; nothing of a key, a URL, a
 * header or a message is in them.
 *
 * | name                                | kind      | labels             | counts                                             |
 * | ----------------------------------- | --------- | ------------------ | -------------------------------------------------- |
 * | `oss_requests_total`                | counter   | operation, outcome | operations, whatever number of attempts they took  |
 * | `oss_request_attempts_total`        | counter   | operation          | requests sent; beyond `oss_requests_total`, retries |
 * | `oss_request_body_bytes_total`      | counter   | operation          | bytes of bodies that were answered, retries too    |
 * | `oss_request_duration_milliseconds` | histogram | operation          | time of an operation with its attempts and waits   |
 *
 * `operation` is OSS's name: `UploadPart`. `outcome` is `ok`, the tag of an error (for `ServiceError` with its status:
 * `ServiceError 403`), `interrupted` or `defect`. Labels of the application's own come by `Effect.tagMetrics`.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import type { RequestError } from "./OssClient.ts"

const requestsKey = MetricKey.counter("oss_requests_total", {
  description: "OSS operations, whatever number of attempts they took",
  incremental: true
})

const attemptsKey = MetricKey.counter("oss_request_attempts_total", {
  description: "Requests sent to OSS; those beyond oss_requests_total are retries",
  incremental: true
})

const bodyBytesKey = MetricKey.counter("oss_request_body_bytes_total", {
  description: "Bytes of request bodies that OSS answered, retries included",
  incremental: true
})

const durationKey = MetricKey.histogram(
  "oss_request_duration_milliseconds",
  MetricBoundaries.exponential({ start: 4, factor: 2, count: 16 }),
  "Time of an OSS operation with its attempts and waits, in milliseconds"
)

/** Operations, by name and outcome. */
export const requests = Metric.fromMetricKey(requestsKey)

/** Requests sent, by operation. */
export const attempts = Metric.fromMetricKey(attemptsKey)

/** Bytes of bodies that OSS answered, by operation. */
export const bodyBytes = Metric.fromMetricKey(bodyBytesKey)

/** Time of an operation, in milliseconds: 4 ms to 131 s. */
export const duration = Metric.fromMetricKey(durationKey)

/** To make a metric of labels anew at every request would cost more than to count. */
const memo = <A>(make: (label: string) => A): ((label: string) => A) => {
  const made = new Map<string, A>()
  return (label) => {
    const known = made.get(label)
    if (known !== undefined) return known
    const metric = make(label)
    made.set(label, metric)
    return metric
  }
}

// Labels within the key: a metric made by `Metric.tagged` looks its place up again at every update.
const byOperation = memo((name) => {
  const labels = [MetricLabel.make("operation", name)]
  return {
    attempts: Metric.fromMetricKey(MetricKey.taggedWithLabels(attemptsKey, labels)),
    bodyBytes: Metric.fromMetricKey(MetricKey.taggedWithLabels(bodyBytesKey, labels)),
    duration: Metric.fromMetricKey(MetricKey.taggedWithLabels(durationKey, labels)),
    requests: memo((outcome) =>
      Metric.fromMetricKey(MetricKey.taggedWithLabels(requestsKey, [...labels, MetricLabel.make("outcome", outcome)]))
    )
  }
})

const outcomeOf = (exit: Exit.Exit<unknown, RequestError>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  if (error === undefined) return Cause.isInterruptedOnly(exit.cause) ? "interrupted" : "defect"
  return error._tag === "ServiceError" ? `ServiceError ${error.status}` : error._tag
}

/** What one operation counts. */
export interface Meter {
  /** A request of it is sent. */
  readonly attempted: () => void
  /** A request of it was answered, whose body had so many bytes. */
  readonly answered: (bodyBytes: number) => void
  /** The operation is over, after so many milliseconds. */
  readonly ended: (exit: Exit.Exit<unknown, RequestError>, millis: number) => void
}

/**
 * A meter for one operation, by OSS's name; `labels` are those that the application has put around. Counting is a plain
 * call: as effects, metrics cost a small request a tenth of its time.
 */
export const meter = (name: string, labels: ReadonlyArray<MetricLabel.MetricLabel>): Meter => {
  const metrics = byOperation(name)
  return {
    attempted: () => metrics.attempts.unsafeUpdate(1, labels),
    answered: (bytes) => {
      if (bytes > 0) metrics.bodyBytes.unsafeUpdate(bytes, labels)
    },
    ended: (exit, millis) => {
      metrics.requests(outcomeOf(exit)).unsafeUpdate(1, labels)
      metrics.duration.unsafeUpdate(millis, labels)
    }
  }
}
