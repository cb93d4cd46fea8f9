/**
 * What durable state holds of an upload's end: the receipt of a stored object, or a summary of why there is none.
 *
 * Plain data with schemas; no signature, token or key is part of it, and of a defect no more than its name. Sizes in bytes.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { CallbackFailure, CheckpointError } from "../../../core/model/OssError.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import type { UploadError } from "../../../core/programs/Upload.ts"
import type { BudgetError } from "../budget/Budget.ts"
import type { JobsError } from "../jobs/Jobs.ts"
import * as Sources from "../sources/Sources.ts"

const CallbackFailureSchema: Schema.Schema<CallbackFailure> = Schema.Literal(
  "TimedOut",
  "CannotConnect",
  "BadStatus",
  "NotJson",
  "TooLong",
  "TooMany",
  "OffContract",
  "AnswerLost",
  "Other"
)

/** What became of the callback of a stored object. */
export const CallbackOutcome = Schema.Union(
  Schema.TaggedStruct("None", {}),
  /** The application's answer as JSON text, which fitted the contract. */
  Schema.TaggedStruct("Answered", { answer: Schema.String }),
  Schema.TaggedStruct("Failed", { reason: CallbackFailureSchema, detail: Schema.String })
)
export type CallbackOutcome = typeof CallbackOutcome.Type

/** An object that OSS has stored. */
export const Receipt = Schema.Struct({
  bucket: Schema.String,
  key: Schema.String,
  size: Schema.Number,
  etag: Schema.String,
  /** As decimal text where it is kept. */
  crc64: Schema.BigInt,
  versionId: Schema.NullOr(Schema.String),
  requestId: Schema.String,
  callback: CallbackOutcome
})
export type Receipt = typeof Receipt.Type

/** An upload that failed, in words that may be kept. */
export class UploadFailed extends Schema.TaggedError<UploadFailed>("effect-oss/cluster/UploadFailed")("UploadFailed", {
  /** The tag of the error, `Cancelled`, or `Defect`. */
  reason: Schema.String,
  /** OSS's code, where OSS refused. */
  code: Schema.NullOr(Schema.String),
  detail: Schema.String,
  /** Whether it may pass by itself, so that the same upload later may succeed. */
  isTransient: Schema.Boolean
}) {
  override get message(): string {
    return `${this.detail} (${this.reason})`
  }
}

/** Everything that a step of an upload can fail with. */
export type StepError = UploadError | BudgetError | JobsError | CheckpointError | UploadFailed

const longestDetail = 1000

const isTransient = (error: Exclude<StepError, UploadFailed>): boolean => {
  switch (error._tag) {
    case "BudgetError":
    case "JobsError":
    case "CredentialsError":
      return true
    case "SourceError":
      return !Sources.isPermanent(error)
    case "Crc64Mismatch":
    case "InvalidParam":
    case "CheckpointError":
      return false
    default:
      return OssClient.isTransient(error)
  }
}

/** Sums an error up. */
export const summary = (error: StepError): UploadFailed =>
  error._tag === "UploadFailed"
    ? error
    : new UploadFailed({
        reason: error._tag,
        code: error._tag === "ServiceError" ? error.code : null,
        detail: error.message.slice(0, longestDetail),
        isTransient: isTransient(error)
      })

/** The job was cancelled. */
export const cancelled = (job: string): UploadFailed =>
  new UploadFailed({ reason: "Cancelled", code: null, detail: `the job ${job} was cancelled`, isTransient: false })

/** Makes every failure of a step, a defect too, a summary. Defects are logged whole, for they may hold anything. */
export const summed = <A, R>(step: Effect.Effect<A, StepError, R>): Effect.Effect<A, UploadFailed, R> =>
  step.pipe(
    Effect.mapError(summary),
    Effect.catchSomeCause((cause) => {
      if (!Cause.isDie(cause) || Cause.isInterrupted(cause)) return Option.none()
      const name = Option.match(Cause.dieOption(cause), {
        onNone: () => "unknown",
        onSome: (defect) => (defect instanceof Error ? defect.name : typeof defect)
      })
      const detail = `a defect of the kind ${name}; the runner's log has it whole`
      return Option.some(
        Effect.zipRight(
          Effect.logError("an upload met a defect", cause),
          new UploadFailed({ reason: "Defect", code: null, detail, isTransient: false })
        )
      )
    })
  )
