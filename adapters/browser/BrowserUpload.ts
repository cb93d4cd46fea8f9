/**
 * Uploads from a page as Effects: the engine of `upload`, with typed errors, interruption and a typed answer.
 *
 * Interruption stops sending, and keeps what is remembered: run again with the same `storage`, it goes on. The page's functions are
 * Effects here: their errors are among the errors, and trying them again is their own affair.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import {
  CallbackFailed,
  Crc64Mismatch,
  InvalidParam,
  ServiceError,
  SourceError,
  TransportError,
  UnexpectedResponse,
  type CallbackFailure
} from "../../core/model/OssError.ts"
import type * as ObjectKey from "../../core/model/ObjectKey.ts"
import type { Outcome, PartUrl, SentPart, UploadGrant } from "../../core/model/UploadGrant.ts"
import * as Utf8 from "../../core/model/Utf8.ts"
import type * as Callback from "../../core/wire/Callback.ts"
import type * as Plain from "./Options.ts"
import * as Task from "./Task.ts"
import type { Uploaded as Receipt } from "./Uploaded.ts"
import type { UploadFailed } from "./UploadFailed.ts"

export interface Options<A, E, R> extends Omit<
  Plain.Options,
  "renew" | "complete" | "abort" | "onProgress" | "onState"
> {
  /** Told what the plain `onProgress` is told; not waited for. */
  readonly onProgress?: ((progress: Plain.Progress) => Effect.Effect<void, never, R>) | undefined
  readonly onState?: ((state: Plain.State) => Effect.Effect<void, never, R>) | undefined
  readonly renew?:
    ((ticket: string, parts: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<PartUrl>, E, R>) | undefined
  readonly complete?: ((ticket: string, parts: ReadonlyArray<SentPart>) => Effect.Effect<Outcome, E, R>) | undefined
  /** The contract of the callback that the grant carries, to read the application's answer by. */
  readonly callback?: Pick<Callback.Callback<A>, "decodeResponse"> | undefined
}

/** The receipt, with the application's answer typed by the contract. */
export type Uploaded<A> = Omit<Receipt, "callback"> & { readonly callback: A }

/** How an upload from a page can fail, beside the errors of the page's own functions. */
export type UploadError =
  InvalidParam | SourceError | TransportError | ServiceError | UnexpectedResponse | Crc64Mismatch | CallbackFailed

/**
 * Uploads a file. `grant` is a grant, or the effect that asks for one: then it is asked for when none is remembered, and again
 * when it is over.
 */
export const upload = <A = unknown, E = never, R = never, E2 = never, R2 = never>(
  grant: UploadGrant | Effect.Effect<UploadGrant, E2, R2>,
  file: Blob,
  options: Options<A, E, R> = {}
): Effect.Effect<Uploaded<A>, UploadError | E | E2, R | R2> =>
  Effect.flatMap(Effect.runtime<R | R2>(), (runtime) => {
    const run = <B>(effect: Effect.Effect<B, E | E2, R | R2>): Promise<B> =>
      Runtime.runPromiseExit(runtime)(effect).then((exit) => {
        if (Exit.isSuccess(exit)) return exit.value
        throw new Failed(exit.cause)
      })
    const { callback, complete, onProgress, onState, renew, ...plain } = options
    const tell = (effect: Effect.Effect<void, never, R> | undefined): void => {
      if (effect !== undefined) Runtime.runFork(runtime)(effect)
    }
    return Effect.async<Uploaded<A>, UploadError | E | E2>((resume) => {
      const task = Task.upload(Effect.isEffect(grant) ? () => run(grant) : grant, file, {
        ...plain,
        onProgress: (progress) => tell(onProgress?.(progress)),
        onState: (state) => tell(onState?.(state)),
        renew: renew === undefined ? undefined : (ticket, parts) => run(renew(ticket, parts)),
        complete: complete === undefined ? undefined : (ticket, parts) => run(complete(ticket, parts))
      })
      task.done.then(
        (receipt) => resume(typed(receipt, callback)),
        (error: UploadFailed) => resume(Effect.failCause(toCause<E | E2>(error, file)))
      )
      return Effect.sync(() => task.pause())
    })
  })

/** A page's function failed: carries its cause through the engine. */
class Failed extends Error {
  readonly effectCause: Cause.Cause<unknown>
  constructor(cause: Cause.Cause<unknown>) {
    super("an effect of the page's failed", { cause: Cause.squash(cause) })
    this.effectCause = cause
  }
}

const typed = <A>(
  receipt: Receipt,
  contract: Pick<Callback.Callback<A>, "decodeResponse"> | undefined
): Either.Either<Uploaded<A>, CallbackFailed> => {
  if (contract === undefined) return Either.right(receipt as Uploaded<A>) // without a contract, A is unknown
  const answer = contract.decodeResponse(Utf8.encode(JSON.stringify(receipt.callback ?? null)))
  return Either.mapBoth(answer, {
    onLeft: ({ detail, reason }) => callbackFailed(receipt, reason, detail, ""),
    onRight: (callback) => ({ ...receipt, callback })
  })
}

const callbackFailed = (receipt: Receipt, reason: CallbackFailure, detail: string, ec: string): CallbackFailed => {
  const { bucket, crc64, etag, requestId, size } = receipt
  const key = receipt.key as ObjectKey.ObjectKey // OSS has stored it
  const stored = {
    method: "presigned",
    bucket,
    key,
    size,
    etag,
    crc64,
    versionId: undefined,
    requestId,
    callback: undefined
  } as const
  return new CallbackFailed({ stored, reason, detail, ec })
}

const toCause = <E>(error: UploadFailed, file: Blob): Cause.Cause<UploadError | E> =>
  error.code === "Server" && error.cause instanceof Failed
    ? (error.cause.effectCause as Cause.Cause<E>) // of an effect that fails with E
    : Cause.fail(toError(error, file))

const name = (file: Blob): string => ("name" in file && typeof file.name === "string" ? file.name : "file")

const toError = (error: UploadFailed, file: Blob): UploadError => {
  const { code, ec, message: detail, ossCode, requestId, status, stored } = error
  const lost = (reason: TransportError["reason"]) =>
    new TransportError({ reason, sent: "unknown", host: "OSS", detail })
  switch (code) {
    case "Invalid":
    case "Server":
    case "Cancelled":
      return new InvalidParam({ field: "grant", reason: detail })
    case "Refused":
    case "Expired":
      return new ServiceError({
        operation: "upload",
        status: status || 403, // a page that knows a URL to be over does not ask OSS
        code: ossCode || "AccessDenied",
        ec,
        requestId,
        hostId: "",
        serverMessage: detail
      })
    case "Network":
      return lost("Reset")
    case "Stalled":
      return lost("Timeout")
    case "Changed":
      return new SourceError({ reason: "Changed", source: name(file), detail, cause: error.cause })
    case "Corrupt":
      return error.crc64 === undefined
        ? new UnexpectedResponse({ operation: "upload", status, requestId, reason: detail })
        : new Crc64Mismatch({ of: name(file), ...error.crc64 })
    case "CallbackFailed":
      return callbackFailed(stored!, error.callbackFailure ?? "Other", detail, ec) // it always has one
  }
}
