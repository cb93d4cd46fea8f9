/**
 * What one step of a durable upload does on the runner that has it. Each may be done again, on another runner, after a crash.
 *
 * The engine knows nothing of this file, and this file nothing of the engine. Sizes in bytes, parts numbered from 1.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Crc64Mismatch, InvalidParam } from "../../../core/model/OssError.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"
import type { Source } from "../../../core/ports/Source.ts"
import * as MultipartSteps from "../../../core/programs/MultipartSteps.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import { Budget } from "../budget/Budget.ts"
import type * as Turnstile from "../budget/Turnstile.ts"
import type * as Callbacks from "./Callbacks.ts"
import * as Copy from "../sources/Copy.ts"
import { Gate, type Paused } from "../jobs/Gate.ts"
import { Jobs, type JobsError } from "../jobs/Jobs.ts"
import * as ObjectSource from "../sources/ObjectSource.ts"
import * as Outcome from "./Outcome.ts"
import * as Receipt from "./Receipt.ts"
import { Sources } from "../sources/Sources.ts"
import * as Taken from "./Taken.ts"
import type { UploadRequest } from "./UploadRequest.ts"

/** So many steps at once, first come first served. */
export type Room = Turnstile.Turnstile<never>

/** How this runner works; the same on all runners is best, but nothing breaks where it is not. */
export interface Settings {
  /** The contracts that requests may name. */
  readonly callbacks: Callbacks.Registry
  /** Parts of one range in flight at once. */
  readonly parts: number
  /** Where the objects that this runner looks at or stores at once stand in line, of all jobs. */
  readonly objects: Room
  /** Where the ranges that this runner sends at once stand in line, of all jobs. */
  readonly ranges: Room
  /** How long and how often a step that failed for a passing reason is tried again, beside the client's own attempts. */
  readonly patience: Schedule.Schedule<unknown, Receipt.UploadFailed>
}

export class StepSettings extends Context.Tag("effect-oss/cluster/StepSettings")<StepSettings, Settings>() {}

/** 1, 2, 4 … 60 seconds, 10 times: about five minutes in all. */
export const defaultPatience: Schedule.Schedule<unknown> = Schedule.exponential("1 second").pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.seconds(60))),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(10))
)

/** Everything that the steps use. */
export type Needs = OssClient.OssClient | Sources | Jobs | Gate | Budget | StepSettings

/** An object that needs a multipart upload. */
export interface Planned {
  readonly size: number
  readonly fingerprint: string
  readonly partSize: number
  /** Of the whole source, where it is another object of OSS that can be copied; else null. */
  readonly crc64: bigint | null
  /** The key's uploads that were pending before: not ours. */
  readonly others: ReadonlyArray<string>
}

/**
 * Tries again what may pass, and sums up what does not. A step that is `Paused` gives up its room, and is begun anew when the
 * job goes on. A cancellation is heard between tries and, where the step is `guarded`, in their midst.
 */
export const patient = <A, R>(
  job: string,
  how: "guarded" | "entered",
  step: Effect.Effect<A, Receipt.StepError | Paused, R>
): Effect.Effect<A, Receipt.UploadFailed, R | StepSettings | Gate> =>
  Effect.gen(function* () {
    const { patience } = yield* StepSettings
    const gate = yield* Gate
    const enter = how === "guarded" ? gate.guard(job) : gate.enter(job)
    const tried = Effect.mapError(step, (error) => (error._tag === "Paused" ? error : Receipt.summary(error)))
    return yield* Receipt.summed(enter(tried)).pipe(
      Effect.retry({ schedule: patience, while: ({ isTransient }) => isTransient })
    )
  })

/** Once a step's turn has come, the job may have been paused: nothing begins then, and nothing is held. */
const begins = (job: string) => Effect.flatMap(Gate, (gate) => gate.check(job))

/** The options of a request, with its callback found. Fails with `InvalidParam`. */
const optionsOf = ({
  bucket,
  callback,
  options
}: UploadRequest): Effect.Effect<
  { readonly options: MultipartSteps.Options<unknown>; readonly bound: Callbacks.Bound | undefined },
  InvalidParam,
  StepSettings | OssClient.OssClient
> =>
  Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    const { callbacks } = yield* StepSettings
    if (bucket !== undefined && bucket !== client.bucket.name) {
      const reason = `is of the bucket ${bucket}, but this runner serves ${client.bucket.name}`
      return yield* new InvalidParam({ field: "bucket", reason })
    }
    const bound = callback === undefined ? undefined : yield* callbacks.resolve(callback)
    return { options: { ...options, callback: bound?.callback }, bound }
  })

const planOf = ({ options }: UploadRequest, size: number) => PartPlan.make(size, { partSize: options?.partSize })

/**
 * Notes how an object ended, before its step is over: so that no crash comes between the two for good. A book that cannot be
 * written is asked again by itself: what is stored need not be stored once more.
 */
const settled = <E, R>(
  job: string,
  request: UploadRequest,
  step: Effect.Effect<Receipt.Receipt, E, R>
): Effect.Effect<Receipt.Receipt, E | JobsError, R | Jobs> =>
  Effect.gen(function* () {
    const receipt = yield* step
    const jobs = yield* Jobs
    yield* Effect.retry(jobs.settle(job, request, { _tag: "Stored", receipt }), { schedule: defaultPatience })
    return receipt
  })

/**
 * Notes that an object failed for good. The entry must not be lost: where the book cannot be written for long, it is a defect,
 * with which the workflow begins anew.
 */
export const fail = (
  job: string,
  request: UploadRequest,
  failure: Receipt.UploadFailed
): Effect.Effect<void, never, Jobs> =>
  Effect.flatMap(Jobs, (jobs) => jobs.settle(job, request, { _tag: "Failed", failure })).pipe(
    Effect.retry({ schedule: defaultPatience }),
    Effect.orDie
  )

/** The object that a source is, if OSS can copy it to the client's bucket. */
export const copyable = (source: Source, client: OssClient.Service): ObjectSource.Described | undefined =>
  ObjectSource.is(source) && Copy.isPossible(source.object, client.bucket) ? source.object : undefined

/** Looks at the source: one part is stored at once, more are planned. */
export const begin = (
  job: string,
  request: UploadRequest
): Effect.Effect<Receipt.Receipt | Planned, Receipt.UploadFailed, Needs> => {
  const look = Effect.gen(function* () {
    yield* begins(job)
    const { bound, options } = yield* optionsOf(request)
    const budget = yield* Budget
    const client = yield* OssClient.OssClient
    const source = yield* (yield* Sources).open(request.source)
    const plan = yield* planOf(request, source.size)
    if (plan.count > 1) {
      const others = yield* MultipartSteps.pendingOf(request.key)
      const { fingerprint, size } = source
      const crc64 = copyable(source, client)?.crc64 ?? null
      return { size, fingerprint, partSize: plan.partSize, crc64, others }
    }
    const put = Upload.simple(
      request.key,
      source,
      options as Upload.WithCallback<Upload.UploadOptions<unknown>, unknown> // its own callback, or none
    ).pipe(
      Taken.byOurs({
        method: "simple",
        key: request.key,
        content: Taken.contentOf(source),
        callback: bound?.callback
      })
    )
    const permitted = budget.withPermit(client.bucket.name, source.size)(Effect.zipRight(begins(job), put))
    return yield* settled(job, request, Outcome.kept(bound, permitted))
  })
  return patient(
    job,
    "guarded",
    Effect.flatMap(StepSettings, ({ objects }) => objects.through(look))
  )
}

/** Opens the upload. What earlier tries of this step may have opened is left to `sweep`. */
export const open = (job: string, request: UploadRequest): Effect.Effect<string, Receipt.UploadFailed, Needs> =>
  patient(
    job,
    "guarded",
    Effect.flatMap(optionsOf(request), ({ options }) => MultipartSteps.initiate(request.key, options))
  )

/**
 * Makes the parts the object; a cancellation comes too late for that. Those that OSS has copied are proved here: together they must be
 * their source.
 */
export const complete = (
  job: string,
  request: UploadRequest,
  planned: Planned,
  uploadId: string,
  parts: ReadonlyArray<MultipartSteps.SentPart>
): Effect.Effect<Receipt.Receipt, Receipt.UploadFailed, Needs> =>
  patient(
    job,
    "entered",
    Effect.gen(function* () {
      const { bound, options } = yield* optionsOf(request)
      const server = MultipartSteps.crc64Of(parts)
      if (planned.crc64 !== null && planned.crc64 !== server) {
        return yield* new Crc64Mismatch({ of: request.key, client: planned.crc64, server })
      }
      const completed = MultipartSteps.complete({ key: request.key, uploadId }, parts, options).pipe(
        Taken.byOurs({
          method: "multipart",
          key: request.key,
          content: Effect.succeed({ size: planned.size, crc64: server }),
          callback: bound?.callback
        })
      )
      return yield* settled(job, request, Outcome.kept(bound, completed))
    })
  )

/**
 * Aborts everything pending under the key that was not there before: the upload, unless it was completed, and others whose
 * ID was lost with a runner. At the end only: a runner that does not know yet that it lost its place would abort the
 * upload of the one that took it.
 */
export const sweep = (request: UploadRequest, { others }: Planned): Effect.Effect<void, never, OssClient.OssClient> =>
  MultipartSteps.abortOthers(request.key, others).pipe(
    Effect.retry({ schedule: defaultPatience, while: (error) => error._tag === "TransportError" }),
    Effect.catchAll((error) => Effect.logWarning(`uploads of ${request.key} may still be pending: ${error.message}`))
  )
