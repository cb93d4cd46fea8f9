/**
 * Many durable uploads: a list that the engine keeps, or a stream that is fed to it page by page.
 *
 * A page is a workflow of some objects (`Pages`): what fits one part is stored by the page's own steps, one message each; larger
 * objects are workflows of their own, which spread. An object that fails for good goes to the book's dead letters, and the others
 * go on. Fed twice, the same page is done once: so whoever feeds a stream may be killed, and feed it again.
 */
import * as Workflow from "@effect/workflow/Workflow"
import type * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Jobs, type DeadLetter, type JobsError } from "../jobs/Jobs.ts"
import * as Pages from "./Pages.ts"
import * as Step from "./Step.ts"
import { attemptOf, UploadRequest } from "./UploadRequest.ts"
import * as UploadWorkflow from "./UploadWorkflow.ts"

/** How many objects came to which end. Which ones: see `Jobs`. */
export const Summary = Schema.Struct({ stored: Schema.Number, failed: Schema.Number })
export type Summary = typeof Summary.Type

const add = (one: Summary, other: Summary): Summary => ({
  stored: one.stored + other.stored,
  failed: one.failed + other.failed
})
const nothing: Summary = { stored: 0, failed: 0 }

/** Of whom, and of what. */
const identity = (work: { readonly job: string; readonly requests: ReadonlyArray<UploadRequest> }): string =>
  JSON.stringify([work.job, work.requests.map((request) => [request.key, attemptOf(request), request.source])])

/** Some objects. The same objects in the same job and attempt are the same page, which is done once. */
export const page = Workflow.make({
  name: "effect-oss/UploadPage",
  payload: { job: Schema.String, requests: Schema.Array(UploadRequest) },
  success: Summary,
  idempotencyKey: identity,
  annotations: UploadWorkflow.defectsPass
})

const Positive = Schema.Int.pipe(Schema.positive())

/** Pages under way at once, over all runners, unless told otherwise. */
const defaultPagesAtOnce = 32

// By themselves: within the payload their types would not be inferred.
const PageSize = Schema.optionalWith(Positive, { exact: true })
const PagesAtOnce = Schema.optionalWith(Positive, { default: () => defaultPagesAtOnce })

/** A list, kept whole by the engine: up to some 10,000 objects; stream what is longer. */
export const workflow = Workflow.make({
  name: "effect-oss/UploadBatch",
  payload: {
    job: Schema.String,
    requests: Schema.Array(UploadRequest),
    pageSize: PageSize,
    pagesAtOnce: PagesAtOnce
  },
  success: Summary,
  idempotencyKey: identity,
  annotations: UploadWorkflow.defectsPass
})

/** One object of a page: by the page itself, or, if it needs parts, by its own workflow. */
const one = (job: string, request: UploadRequest, index: number) =>
  UploadWorkflow.begin(`begin/${index}`, job, request).pipe(
    Effect.tapError((failure) => Step.fail(job, request, failure)),
    Effect.flatMap((begun) =>
      begun._tag === "Stored"
        ? Effect.void
        : Effect.asVoid(UploadWorkflow.workflow.execute({ job, request, planned: begun.planned }))
    ),
    Effect.match({
      onSuccess: (): Summary => ({ stored: 1, failed: 0 }),
      onFailure: (): Summary => ({ stored: 0, failed: 1 })
    })
  )

const runPage = (objectsAtOnce: number, job: string, requests: ReadonlyArray<UploadRequest>) =>
  Effect.gen(function* () {
    const jobs = yield* Jobs
    // A book that cannot be written for long is a defect, with which the page begins anew.
    yield* Effect.orDie(Effect.retry(jobs.admit(job, requests), { schedule: Step.defaultPatience }))
    const ends = yield* Effect.forEach(requests, (request, i) => one(job, request, i), { concurrency: objectsAtOnce })
    return ends.reduce(add, nothing)
  })

const runList = ({ job, pageSize, pagesAtOnce, requests }: typeof workflow.payloadSchema.Type) =>
  Effect.forEach(Pages.of(requests, pageSize), (requests) => page.execute({ job, requests }), {
    concurrency: pagesAtOnce
  }).pipe(Effect.map((pages) => pages.reduce(add, nothing)))

/**
 * A page to its end. A runner or a connection that goes may interrupt the waiting for it, and a stream passes over what was
 * interrupted in silence: so it is asked for again, and meets what became of it meanwhile.
 */
const ended = (
  job: string,
  requests: ReadonlyArray<UploadRequest>
): Effect.Effect<Summary, never, WorkflowEngine.WorkflowEngine> =>
  Effect.fork(page.execute({ job, requests })).pipe(
    Effect.flatMap(Fiber.await),
    Effect.flatMap((exit) =>
      Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
        ? Effect.delay(
            Effect.suspend(() => ended(job, requests)),
            "1 second"
          )
        : exit
    )
  )

/** How a stream is fed. */
export interface FeedOptions {
  /** Objects in one page. Default: 2 at first, and more with what came before, up to 100. */
  readonly pageSize?: number | undefined
  /** Pages under way at once, over all runners. Default 32. The stream is asked for no more. */
  readonly pagesAtOnce?: number | undefined
}

/**
 * Uploads everything that a stream names, of whatever length. Ends when all of it has ended. The pages under way outlive the
 * feeder; fed again, a stream in the same order meets its old pages and goes on behind them, in another order it begins
 * new pages of objects that may be stored already.
 */
export const feed = <E, R>(
  job: string,
  requests: Stream.Stream<UploadRequest, E, R>,
  { pageSize, pagesAtOnce = defaultPagesAtOnce }: FeedOptions = {}
): Effect.Effect<Summary, E, R | WorkflowEngine.WorkflowEngine> =>
  Pages.ofStream(requests, pageSize).pipe(
    Stream.mapEffect((requests) => ended(job, requests), {
      concurrency: pagesAtOnce,
      unordered: true
    }),
    Stream.runFold(nothing, add)
  )

/** All dead letters of a job, a page at a time. */
export const deadLetters = (job: string): Stream.Stream<DeadLetter, JobsError, Jobs> =>
  Stream.unwrap(
    Effect.map(Jobs, (jobs) =>
      Stream.paginateChunkEffect(undefined, (after: string | undefined) =>
        Effect.map(jobs.deadLetters(job, { after }), (letters) => [
          Chunk.unsafeFromArray(letters),
          Option.map(Arr.last(letters), ({ request }) => request.key)
        ])
      )
    )
  )

/**
 * Tries the job's dead letters again, those that `filter` lets through, each as its next attempt. A cancelled job must be set
 * `Running` before. Ends when all of them have ended.
 */
export const redrive = (
  job: string,
  { filter = () => true, ...options }: FeedOptions & { readonly filter?: (letter: DeadLetter) => boolean } = {}
): Effect.Effect<Summary, JobsError, Jobs | WorkflowEngine.WorkflowEngine> =>
  feed(
    job,
    deadLetters(job).pipe(
      Stream.filter(filter),
      Stream.map(({ request }) => ({ ...request, attempt: attemptOf(request) + 1 }))
    ),
    options
  )

/** The workflows of batches, ready to be run by an engine; those of single objects beside them. */
export const layer = (objectsAtOnce: number): Layer.Layer<never, never, WorkflowEngine.WorkflowEngine | Step.Needs> =>
  Layer.merge(
    workflow.toLayer(runList),
    page.toLayer(({ job, requests }) => runPage(objectsAtOnce, job, requests))
  )
