/**
 * Tells when a runner has lost its place in the cluster, so that its process can end and be started again.
 *
 * An engine that cannot reach its database, or is too slow to, gives up all of its shards at once and takes them up again when
 * it can. With @effect/cluster 0.60 executions that were under way then may wait for ever in that process, while other runners
 * and new processes go on with theirs. So a runner is made to be ended and started again, and this says when.
 */
import * as ClusterMetrics from "@effect/cluster/ClusterMetrics"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** This runner had shards and has none any more. Nothing is lost: what it had under way goes on in another process. */
export class RunnerLost extends Data.TaggedError("RunnerLost")<{}> {
  override get message(): string {
    return "this runner has lost all of its shards; end the process and start it again"
  }
}

/** Waits until this process's runner has lost its shards; then fails with `RunnerLost`. Race it against `Layer.launch`. */
export const watch: Effect.Effect<never, RunnerLost> = Effect.suspend(() => {
  let had = false
  const look = Effect.flatMap(Metric.value(ClusterMetrics.shards), ({ value }) => {
    if (value === 0n && had) return new RunnerLost()
    had = value > 0n
    return Effect.void
  })
  return Effect.forever(Effect.zipRight(look, Effect.sleep("100 millis")))
})
