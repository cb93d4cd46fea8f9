/**
 * The step that moves the bytes: a range of an upload's parts, on the runner that has it. It may be done again anywhere.
 *
 * Parts of files and URLs pass through here; those of another object OSS copies itself, where it can. Sizes in bytes, parts
 * numbered from 1.
 */
import * as Effect from "effect/Effect"
import { SourceError, UnexpectedResponse } from "../../../core/model/OssError.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"
import type { Source } from "../../../core/ports/Source.ts"
import * as MultipartSteps from "../../../core/programs/MultipartSteps.ts"
import { OssClient } from "../../../core/programs/OssClient.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import { Budget } from "../budget/Budget.ts"
import * as Copy from "../sources/Copy.ts"
import { Gate, type Paused } from "../jobs/Gate.ts"
import { Jobs } from "../jobs/Jobs.ts"
import type * as ObjectSource from "../sources/ObjectSource.ts"
import type * as Receipt from "./Receipt.ts"
import { Sources } from "../sources/Sources.ts"
import * as Step from "./Step.ts"
import type { UploadRequest } from "./UploadRequest.ts"

/** Opens the source again, as it was. */
const reopen = (
  request: UploadRequest,
  { fingerprint, size }: Step.Planned
): Effect.Effect<Source, SourceError, Sources> =>
  Effect.gen(function* () {
    const source = yield* (yield* Sources).open(request.source)
    if (source.size === size && source.fingerprint === fingerprint) return source
    const detail = "is not what its upload began with"
    return yield* new SourceError({ reason: "Changed", source: source.name, detail })
  })

/** Lets OSS copy a part. Only ListParts tells the CRC-64 of what it has made. */
const copying =
  (object: ObjectSource.Described): NonNullable<MultipartSteps.RangeOptions<never>["place"]> =>
  ({ client, key, uploadId }, { number, offset, size }) =>
    Effect.gen(function* () {
      const copied = yield* Copy.copyPart(client, object, { key, uploadId, number, offset, length: size })
      const listed = yield* client.execute(MultipartOperation.listParts(key, uploadId, String(number - 1), 1))
      const part = listed.parts.find((part) => part.number === number && part.size === size)
      if (part?.crc64 === undefined || part.etag !== copied.etag) {
        const reason = `ListParts does not show part ${number} as it was copied`
        return yield* new UnexpectedResponse({ operation: "UploadPartCopy", status: 200, requestId: "", reason })
      }
      return { number, size, etag: part.etag, crc64: part.crc64 }
    })

/** The parts `from` to `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Lets a part begin while the job is running. In a pause, parts under way end and no other begins; with the last one the range
 * is `Paused`, so that it holds neither memory nor room.
 */
const pausable = (job: string, gate: Gate["Type"]) => {
  let underWay = 0
  const begins: Effect.Effect<void, Receipt.StepError | Paused> = Effect.catchTag(
    gate.check(job),
    "Paused",
    (paused) =>
      underWay === 0
        ? paused
        : Effect.delay(
            Effect.suspend(() => begins),
            "50 millis"
          )
  )
  return <A, E, R>(send: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.zipRight(
        Effect.interruptible(begins),
        Effect.sync(() => underWay++)
      ),
      () => send,
      () => Effect.sync(() => underWay--)
    )
}

/** Sends what the server does not show of a range of parts. */
export const send = (
  job: string,
  request: UploadRequest,
  planned: Step.Planned,
  uploadId: string,
  { from, to }: Range
): Effect.Effect<ReadonlyArray<MultipartSteps.SentPart>, Receipt.UploadFailed, Step.Needs> => {
  const sent = Effect.gen(function* () {
    const { parts: concurrency } = yield* Step.StepSettings
    const budget = yield* Budget
    const gate = yield* Gate
    yield* gate.check(job)
    const pauses = pausable(job, gate)
    const client = yield* OssClient
    const source = yield* reopen(request, planned)
    const object = Step.copyable(source, client)
    const plan = yield* PartPlan.make(planned.size, { partSize: planned.partSize })
    const parts = yield* MultipartSteps.sendRange<Receipt.StepError | Paused>(
      { key: request.key, uploadId },
      plan,
      { from, to },
      source,
      {
        concurrency,
        trafficLimit: request.options?.trafficLimit,
        around: (part) => (send) => budget.withPermit(client.bucket.name, part.size)(pauses(send)),
        place: object === undefined ? undefined : copying(object)
      }
    )
    const bytes = parts.reduce((sum, { size }) => sum + size, 0)
    yield* (yield* Jobs).sent(job, request.key, from, bytes)
    return parts
  })
  return Step.patient(
    job,
    "guarded",
    Effect.flatMap(Step.StepSettings, ({ ranges }) => ranges.through(sent))
  )
}
