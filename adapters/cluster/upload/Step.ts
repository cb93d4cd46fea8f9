/**
 * What one step of a durable upload does on the runner that has it. Each may be done again, on another runner, after a crash.
 *
 * The engine knows nothing of this file, and this file nothing of the engine. Sizes in bytes, parts numbered from 1.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { CallbackFailed, Crc64Mismatch, InvalidParam } from "../../../core/model/OssError.ts"
import * as PartPlan from "../../../core/model/PartPlan.ts"
import type { Uploaded } from "../../../core/model/Uploaded.ts"
import { Crypto } from "../../../core/ports/Crypto.ts"
import * as Outbox from "../../../core/ports/Outbox.ts"
import type { Source } from "../../../core/ports/Source.ts"
import * as MultipartSteps from "../../../core/programs/MultipartSteps.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import { Budget } from "../budget/Budget.ts"
import type * as Callbacks from "./Callbacks.ts"
import * as Copy from "../sources/Copy.ts"
import { Gate } from "../jobs/Gate.ts"
import { Jobs } from "../jobs/Jobs.ts"
import * as ObjectSource from "../sources/ObjectSource.ts"
import * as Receipt from "./Receipt.ts"
import { Sources } from "../sources/Sources.ts"
import type { UploadRequest } from "./UploadRequest.ts"

/** How this runner works; the same on all runners is best, but nothing breaks where it is not. */
export interface Settings {
  /** The contracts that requests may name. */
  readonly callbacks: Callbacks.Registry
  /** Parts of one range in flight at once. */
  readonly parts: number
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

/** Tries again what may pass, and sums up what does not. A cancellation is heard in between. */
export const patient = <A, R>(
  job: string,
  step: Effect.Effect<A, Receipt.StepError, R>
): Effect.Effect<A, Receipt.UploadFailed, R | StepSettings | Gate> =>
  Effect.gen(function* () {
    const { patience } = yield* StepSettings
    const gate = yield* Gate
    return yield* Receipt.summed(gate.guard(job)(Receipt.summed(step))).pipe(
      Effect.retry({ schedule: patience, while: ({ isTransient }) => isTransient })
    )
  })

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

const receiptOf = (
  { bucket, crc64, etag, key, requestId, size, versionId }: Uploaded<unknown>,
  callback: Receipt.CallbackOutcome
): Receipt.Receipt => ({ bucket, key, size, etag, crc64, versionId: versionId ?? null, requestId, callback })

/** A failed callback is not a failed upload; where the runner has an `Outbox`, the callback waits there. */
const withOutcome = <E, R>(
  bound: Callbacks.Bound | undefined,
  upload: Effect.Effect<Uploaded<unknown>, E | CallbackFailed, R>
): Effect.Effect<Receipt.Receipt, E | InvalidParam, R | OssClient.OssClient> =>
  upload.pipe(
    Effect.map((uploaded) => {
      if (bound === undefined) return receiptOf(uploaded, { _tag: "None" })
      const answer = bound.encodeAnswer(uploaded.callback)
      return receiptOf(
        uploaded,
        Either.isRight(answer)
          ? { _tag: "Answered", answer: answer.right }
          : { _tag: "Failed", reason: "OffContract", detail: answer.left }
      )
    }),
    Effect.catchIf(
      (error): error is Extract<typeof error, CallbackFailed> => error instanceof CallbackFailed,
      (failed) =>
        Effect.gen(function* () {
          const outbox = yield* Effect.serviceOption(Outbox.Outbox)
          const { signer } = yield* OssClient.OssClient
          if (bound !== undefined && Option.isSome(outbox)) {
            yield* Redelivery.keeping(bound.callback)(Effect.fail(failed)).pipe(
              Effect.ignore, // the failure itself; an outbox that fails is logged there
              Effect.provideService(Outbox.Outbox, outbox.value),
              Effect.provideService(Crypto, signer.crypto)
            )
          }
          return receiptOf(failed.stored, { _tag: "Failed", reason: failed.reason, detail: failed.detail })
        })
    )
  ) as Effect.Effect<Receipt.Receipt, E | InvalidParam, R | OssClient.OssClient> // catchIf leaves CallbackFailed in the type

const planOf = ({ options }: UploadRequest, size: number) => PartPlan.make(size, { partSize: options?.partSize })

/** Notes how an object ended, before its step is over: so that no crash comes between the two for good. */
const settled = (
  job: string,
  request: UploadRequest,
  step: Effect.Effect<Receipt.Receipt, Receipt.StepError, Needs>
): Effect.Effect<Receipt.Receipt, Receipt.StepError, Needs> =>
  Effect.gen(function* () {
    const receipt = yield* step
    yield* (yield* Jobs).settle(job, request, { _tag: "Stored", receipt })
    return receipt
  })

/** Notes that an object failed for good. A book that cannot be written is asked again, for the entry must not be lost. */
export const fail = (
  job: string,
  request: UploadRequest,
  failure: Receipt.UploadFailed
): Effect.Effect<void, never, Jobs> =>
  Effect.flatMap(Jobs, (jobs) => jobs.settle(job, request, { _tag: "Failed", failure })).pipe(
    Effect.retry({ schedule: defaultPatience }),
    Effect.catchAll((error) => Effect.logError(`${request.key} failed (${failure.message}), and ${error.message}`))
  )

/** The object that a source is, if OSS can copy it to the client's bucket. */
export const copyable = (source: Source, client: OssClient.Service): ObjectSource.Described | undefined =>
  ObjectSource.is(source) && Copy.isPossible(source.object, client.bucket) ? source.object : undefined

/** Looks at the source: one part is stored at once, more are planned. */
export const begin = (
  job: string,
  request: UploadRequest
): Effect.Effect<Receipt.Receipt | Planned, Receipt.UploadFailed, Needs> =>
  patient(
    job,
    Effect.gen(function* () {
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
        options as Upload.WithCallback<Upload.UploadOptions<unknown>, unknown>
      ) // its own callback, or none
      return yield* settled(job, request, withOutcome(bound, budget.withPermit(client.bucket.name, source.size)(put)))
    })
  )

/** Opens the upload, and aborts those that earlier tries of this step may have opened. */
export const open = (
  job: string,
  request: UploadRequest,
  { others }: Planned
): Effect.Effect<string, Receipt.UploadFailed, Needs> =>
  patient(
    job,
    Effect.gen(function* () {
      const { options } = yield* optionsOf(request)
      const uploadId = yield* MultipartSteps.initiate(request.key, options)
      yield* MultipartSteps.abortOthers(request.key, [...others, uploadId])
      return uploadId
    })
  )

/** Makes the parts the object. Those that OSS has copied are proved here: together they must be their source. */
export const complete = (
  job: string,
  request: UploadRequest,
  planned: Planned,
  uploadId: string,
  parts: ReadonlyArray<MultipartSteps.SentPart>
): Effect.Effect<Receipt.Receipt, Receipt.UploadFailed, Needs> =>
  patient(
    job,
    Effect.gen(function* () {
      const { bound, options } = yield* optionsOf(request)
      const server = MultipartSteps.crc64Of(parts)
      if (planned.crc64 !== null && planned.crc64 !== server) {
        return yield* new Crc64Mismatch({ of: request.key, client: planned.crc64, server })
      }
      const completed = MultipartSteps.complete({ key: request.key, uploadId }, parts, options)
      return yield* settled(job, request, withOutcome(bound, completed))
    })
  )

/** Aborts everything pending under the key that was not there before. */
export const abandon = (request: UploadRequest, { others }: Planned): Effect.Effect<void, never, OssClient.OssClient> =>
  MultipartSteps.abortOthers(request.key, others).pipe(
    Effect.retry({ schedule: defaultPatience, while: (error) => error._tag === "TransportError" }),
    Effect.catchAll((error) => Effect.logWarning(`uploads of ${request.key} may still be pending: ${error.message}`))
  )
