/**
 * A durable upload of one object: begun on one runner, sent by many, ended on any, whatever is killed in between.
 *
 * Two workflows. `workflow` looks, opens the upload, hands out ranges of parts, completes. `range` sends one range: steps stay
 * on the runner of their workflow, so ranges are workflows of their own, which spread. The engine keeps what each
 * step has answered; what a crash leaves half done is done again, and each step is made for that (`Step`). When an upload
 * fails or is cancelled, it is aborted; when only its runner goes, it goes on elsewhere.
 */
import * as Activity from "@effect/workflow/Activity"
import * as Workflow from "@effect/workflow/Workflow"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { SentPart } from "../../../core/programs/MultipartSteps.ts"
import { Receipt, UploadFailed } from "./Receipt.ts"
import * as RangeStep from "./RangeStep.ts"
import * as Step from "./Step.ts"
import { attemptOf, UploadRequest } from "./UploadRequest.ts"

const Planned = Schema.Struct({
  size: Schema.Number,
  fingerprint: Schema.String,
  partSize: Schema.Number,
  crc64: Schema.NullOr(Schema.BigInt),
  others: Schema.Array(Schema.String)
})

// By itself: within the payload its type would not be inferred.
const Known = Schema.optionalWith(Planned, { exact: true })

/** What `begin` answers: stored already, or to be sent in parts. */
export const Begun = Schema.Union(
  Schema.TaggedStruct("Stored", { receipt: Receipt }),
  Schema.TaggedStruct("Planned", { planned: Planned })
)

/** A part in durable state: number, bytes, ETag, CRC-64. Thousands of them are kept, so without names. */
const Part = Schema.Tuple(Schema.Number, Schema.Number, Schema.String, Schema.BigInt)

const toPart = ([number, size, etag, crc64]: typeof Part.Type): SentPart => ({ number, size, etag, crc64 })

/**
 * A defect does not end a workflow: it begins anew. The steps make their own defects failures, so what is left is the
 * engine's, such as a database that is away; kept as the workflow's result it would be its end.
 */
export const defectsPass = Context.make(Workflow.CaptureDefects, false)

/** One object. The same job, key and attempt are the same upload, which is done once. */
export const workflow = Workflow.make({
  name: "effect-oss/Upload",
  payload: {
    job: Schema.String,
    request: UploadRequest,
    /** What the page that the object stands on has found out already. */
    planned: Known
  },
  success: Receipt,
  error: UploadFailed,
  idempotencyKey: ({ job, request }) => JSON.stringify([job, request.key, attemptOf(request)]),
  annotations: defectsPass
})

/** The parts `from` to `to` of an upload. */
export const range = Workflow.make({
  name: "effect-oss/UploadRange",
  payload: {
    job: Schema.String,
    request: UploadRequest,
    planned: Planned,
    uploadId: Schema.String,
    from: Schema.Number,
    to: Schema.Number
  },
  success: Schema.Array(Part),
  error: UploadFailed,
  idempotencyKey: ({ from, job, request, to, uploadId }) => JSON.stringify([job, request.key, uploadId, from, to]),
  annotations: defectsPass
})

/** How uploads are cut up. Where runners differ, an upload that changes its runner lists some parts twice, and is right. */
export interface Cut {
  /** Parts in one range. Default 16. */
  readonly partsInRange: number
  /** Ranges of one object under way at once, over all runners. */
  readonly rangesAtOnce: number
}

/**
 * Runs `sweep` when the engine's `interrupt` ends the workflow. Not when this runner stops, loses the shard, or meets a defect:
 * all these close the workflow's scope too, although it goes on, here or elsewhere.
 */
const onInterrupt = <R>(sweep: Effect.Effect<void, never, R>) =>
  Effect.flatMap(WorkflowEngine.WorkflowInstance, (instance) =>
    Workflow.addFinalizer<R>((exit) =>
      Exit.isFailure(exit) && !Cause.isDie(exit.cause) && instance.interrupted ? sweep : Effect.void
    )
  )

/** The first step as an activity: an object of one part is stored by it. */
export const begin = (name: string, job: string, request: UploadRequest) =>
  Activity.make({
    name,
    success: Begun,
    error: UploadFailed,
    execute: Effect.map(Step.begin(job, request), (begun): typeof Begun.Type =>
      "etag" in begun ? { _tag: "Stored", receipt: begun } : { _tag: "Planned", planned: begun }
    )
  })

const rangesOf = ({ partSize, size }: typeof Planned.Type, partsInRange: number): ReadonlyArray<RangeStep.Range> => {
  const count = Math.ceil(size / partSize)
  return Array.from({ length: Math.ceil(count / partsInRange) }, (_, i) => ({
    from: i * partsInRange + 1,
    to: Math.min((i + 1) * partsInRange, count)
  }))
}

/** All ranges. After a failure no further one begins, and those under way are waited for: nobody aborts under them. */
const sendRanges = (
  job: string,
  request: UploadRequest,
  planned: typeof Planned.Type,
  uploadId: string,
  { partsInRange, rangesAtOnce }: Cut
) =>
  Effect.gen(function* () {
    let failed = false
    const sent = yield* Effect.forEach(
      rangesOf(planned, partsInRange),
      ({ from, to }) =>
        Effect.suspend(() =>
          failed
            ? Effect.succeed(Either.right<typeof range.successSchema.Type>([]))
            : Effect.either(range.execute({ job, request, planned, uploadId, from, to }))
        ).pipe(Effect.tap((sent) => Effect.sync(() => void (failed ||= Either.isLeft(sent))))),
      { concurrency: rangesAtOnce }
    )
    return (yield* Either.all(sent)).flatMap((parts) => parts.map(toPart))
  })

const upload = (cut: Cut, { job, planned: known, request }: typeof workflow.payloadSchema.Type) =>
  Effect.gen(function* () {
    const begun: typeof Begun.Type =
      known === undefined ? yield* begin("begin", job, request) : { _tag: "Planned", planned: known }
    if (begun._tag === "Stored") return begun.receipt
    const { planned } = begun
    const sweep = Step.sweep(request, planned)
    yield* onInterrupt(sweep)
    const ended = yield* Effect.either(sendAll(cut, job, request, planned))
    // Before the book tells of a failure: the next attempt, which may follow at once, must not be aborted by this one.
    yield* sweep
    return yield* ended
  }).pipe(Effect.tapError((failure) => Step.fail(job, request, failure)))

/** Opens, sends, completes. */
const sendAll = (cut: Cut, job: string, request: UploadRequest, planned: typeof Planned.Type) =>
  Effect.gen(function* () {
    const uploadId = yield* Activity.make({
      name: "open",
      success: Schema.String,
      error: UploadFailed,
      execute: Step.open(job, request)
    })
    const parts = yield* sendRanges(job, request, planned, uploadId, cut)
    return yield* Activity.make({
      name: "complete",
      success: Receipt,
      error: UploadFailed,
      execute: Step.complete(job, request, planned, uploadId, parts)
    })
  })

/** The workflows of one object, ready to be run by an engine. */
export const layer = (cut: Cut): Layer.Layer<never, never, WorkflowEngine.WorkflowEngine | Step.Needs> =>
  Layer.merge(
    workflow.toLayer((payload) => upload(cut, payload)),
    // No activity of its own: the range is its only step, and knows by ListParts what is done.
    range.toLayer(({ from, job, planned, request, to, uploadId }) =>
      Effect.map(RangeStep.send(job, request, planned, uploadId, { from, to }), (parts) =>
        parts.map(({ crc64, etag, number, size }) => [number, size, etag, crc64] as const)
      )
    )
  )
