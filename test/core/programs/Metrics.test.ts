/** What a client counts, and what counting costs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import { bytes, Transport } from "../../../core/ports/Transport.ts"
import * as Metrics from "../../../core/programs/Metrics.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import { answer, broken, make as script, refusal, type Step } from "../../support/ScriptedTransport.ts"
import { cpuMillis } from "../../support/Cpu.ts"

const key = Either.getOrThrow(ObjectKey.make("hidden.txt"))
const put = Operation.putObject(key, {}, bytes(new Uint8Array(1000)))
const stored = answer(200, "", { etag: `"E"` })

const run = <A, E>(steps: ReadonlyArray<Step>, use: (client: OssClient.Service) => Effect.Effect<A, E>) =>
  OssClient.make({ bucket: "media", region: "cn-hangzhou" }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.succeed(Transport, script(...steps)),
        NodeCrypto.layer,
        CredentialsProvider.layer({ accessKeyId: "ak", accessKeySecret: Redacted.make("sk") })
      )
    ),
    Effect.flatMap((client) => Effect.fork(Effect.exit(use(client)))),
    Effect.tap(TestClock.adjust("5 minutes")),
    Effect.flatMap(Fiber.join)
  )

/** Metrics last as long as the process: each test counts under a label of its own. */
const counting = (test: string) => {
  // The labels that Effect.tagMetrics gives come behind a metric's own.
  const of = (metric: Metric.Metric.Counter<number>, labels: Record<string, string>) =>
    Object.entries({ ...labels, test }).reduce((one, [name, value]) => Metric.tagged(one, name, value), metric)
  return {
    tag: Effect.tagMetrics("test", test),
    count: (metric: Metric.Metric.Counter<number>, labels: Record<string, string>) =>
      Effect.map(Metric.value(of(metric, labels)), ({ count }) => count)
  }
}

describe("Metrics", () => {
  it.effect("count operations by outcome, attempts, and the bytes that were answered", () =>
    Effect.gen(function* () {
      const { count, tag } = counting("counts")
      const exit = yield* run([refusal(503, "ServiceUnavailable"), broken("nothing"), stored], ({ execute }) =>
        execute(put)
      ).pipe(tag)
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      yield* run([refusal(403, "AccessDenied")], ({ execute }) => execute(put)).pipe(tag)
      const operation = "PutObject"
      assert.strictEqual(yield* count(Metrics.requests, { operation, outcome: "ok" }), 1)
      assert.strictEqual(yield* count(Metrics.requests, { operation, outcome: "ServiceError 403" }), 1)
      assert.strictEqual(yield* count(Metrics.attempts, { operation }), 4)
      assert.strictEqual(yield* count(Metrics.bodyBytes, { operation }), 3000)
    })
  )

  it.effect("count an operation that was interrupted", () =>
    Effect.gen(function* () {
      const { count, tag } = counting("interrupted")
      yield* run([Effect.never], ({ execute }) => Effect.timeout(execute(put), "1 second")).pipe(tag)
      assert.strictEqual(yield* count(Metrics.requests, { operation: "PutObject", outcome: "interrupted" }), 1)
    })
  )

  it.effect("measure the time of an operation by Effect's clock, in milliseconds", () =>
    Effect.gen(function* () {
      const slow = Effect.delay(Effect.succeed(stored), "2 seconds")
      yield* run([slow], ({ execute }) => execute(put)).pipe(Effect.tagMetrics("test", "time"))
      const metric = Metrics.duration.pipe(Metric.tagged("operation", "PutObject"), Metric.tagged("test", "time"))
      const { count, sum } = yield* Metric.value(metric)
      assert.deepEqual([count, sum], [1, 2000])
    })
  )

  it.effect("tell nothing of keys and messages", () =>
    Effect.gen(function* () {
      yield* run([refusal(403, "hidden-code")], ({ execute }) => execute(put))
      const all = yield* Metric.snapshot
      const labels = all.flatMap(({ metricKey }) => [metricKey.name, ...metricKey.tags.map(({ value }) => value)])
      assert.notInclude(labels.join(" "), "hidden")
    })
  )

  it.live("cost little beside the request", () =>
    Effect.gen(function* () {
      const count = 20_000
      const nothing = Effect.void
      const counted = Effect.withFiberRuntime<void>((fiber) => {
        const meter = Metrics.meter("Bench", fiber.getFiberRef(FiberRef.currentMetricLabels))
        meter.attempted()
        meter.answered(1)
        meter.ended(Exit.void, 1)
        return nothing
      })
      const time = (effect: Effect.Effect<void, never>) =>
        Effect.gen(function* () {
          const begin = cpuMillis()
          yield* Effect.repeatN(effect, count - 1)
          return ((cpuMillis() - begin) * 1000) / count
        })
      yield* time(counted)
      const micros = (yield* time(counted)) - (yield* time(nothing))
      // About 1 alone on the machine.
      assert.isBelow(micros, 200, `${micros} microseconds`)
    })
  )
})
