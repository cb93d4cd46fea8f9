/**
 * Every way in which this library can fail, on one page.
 *
 * The suffix `Error` marks a failure that came from outside; the other names state a plain fact. A message says what
 * happened, to what, in which unit, and what is now true. No message carries a key, a token, a signature or a signed URL; what
 * others wrote is on one line in it, and cut: their texts come from the network, and messages end in logs and on terminals.
 * What a caller does about each tag: README, "Errors".
 */
import * as Data from "effect/Data"
import type { Uploaded } from "./Uploaded.ts"

/** Of a text that others wrote, in characters. OSS's own sentences take some 200. */
const maxQuoted = 500

/** Without line ends, control characters, those that turn the direction of a line, and halves of characters. */
const quoted = (text: string): string => {
  const line = text.slice(0, maxQuoted).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]+/gu, " ")
  return text.length > maxQuoted ? `${line}…` : line
}

/** The call is wrong. Nothing was sent. `reason` states the limit and its unit. */
export class InvalidParam extends Data.TaggedError("InvalidParam")<{
  /** The name of the parameter as the caller wrote it, for example `partSize`. */
  readonly field: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.field}: ${this.reason}`
  }
}

/** No keys could be had. Nothing was sent. */
export class CredentialsError extends Data.TaggedError("CredentialsError")<{
  readonly reason: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `no credentials: ${this.reason}`
  }
}

/** The source of the bytes is missing, is no longer what it was when the upload began, or cannot be read. */
export class SourceError extends Data.TaggedError("SourceError")<{
  readonly reason: "NotFound" | "Changed" | "Read"
  /** What was read: a path, or the kind of source. */
  readonly source: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.source}: ${this.detail}`
  }
}

/** The exchange with the server broke off. `sent` tells whether any byte of the request can have arrived. */
export class TransportError extends Data.TaggedError("TransportError")<{
  readonly reason: "Connect" | "Timeout" | "Reset" | "ResponseTooLong" | "BadResponse"
  readonly sent: "nothing" | "unknown"
  /** Host and port only: paths and queries of requests may be signed. */
  readonly host: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const reached = this.sent === "nothing" ? "nothing was sent" : "the server may have acted on the request"
    return `${this.host}: ${this.detail} (${this.reason}; ${reached})`
  }
}

/** OSS refused. Branch on `code`; `ec` is for the log, OSS does not promise that it is stable. */
export class ServiceError extends Data.TaggedError("ServiceError")<{
  /** The API's name for the request, with the part's number where there is one: `UploadPart 3`. */
  readonly operation: string
  readonly status: number
  readonly code: string
  readonly ec: string
  readonly requestId: string
  readonly hostId: string
  /** OSS's own sentence, as it came. */
  readonly serverMessage: string
  /** The server's clock in milliseconds since 1970, where the answer told it. */
  readonly serverTime?: number
  /** For SignatureDoesNotMatch: where our text and OSS's first differ, and the likely cause. */
  readonly explanation?: string
}> {
  override get message(): string {
    const { code, ec, explanation, operation, requestId, serverMessage, status } = this
    const ids = [ec && `EC ${quoted(ec)}`, requestId && `request ${quoted(requestId)}`].filter(Boolean).join(", ")
    const head = `${operation}: ${status} ${quoted(code)}${ids ? ` (${ids})` : ""}`
    if (explanation !== undefined) return `${head}; ${explanation}`
    return serverMessage ? `${head}; ${quoted(serverMessage)}` : head
  }
}

/** OSS said yes, in words we cannot read. The object is likely stored. */
export class UnexpectedResponse extends Data.TaggedError("UnexpectedResponse")<{
  readonly operation: string
  readonly status: number
  readonly requestId: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.operation}: answered ${this.status}, but ${this.reason} (request ${this.requestId || "unknown"})`
  }
}

/** The bytes on the server are not the bytes we sent. `of` is the object, or one part of it. */
export class Crc64Mismatch extends Data.TaggedError("Crc64Mismatch")<{
  readonly of: string
  readonly client: bigint
  readonly server: bigint
}> {
  override get message(): string {
    return `${this.of}: CRC-64 here ${this.client}, at the server ${this.server}`
  }
}

/** The checkpoint store failed. `Locked`: another resumable upload to the same key is running. */
export class CheckpointError extends Data.TaggedError("CheckpointError")<{
  readonly reason: "Read" | "Write" | "Corrupt" | "Locked"
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `checkpoint: ${this.detail} (${this.reason})`
  }
}

/** A store beside the upload itself failed: the receiver's memory of what was handled, or the outbox of callbacks. */
export class StoreError extends Data.TaggedError("StoreError")<{
  readonly store: "ReplayGuard" | "Outbox"
  readonly reason: "Read" | "Write" | "Corrupt"
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.store}: ${this.detail} (${this.reason})`
  }
}

/**
 * Why the application server did not take a callback, or answered off the contract. `AnswerLost`: the connection broke,
 * the object was found stored, and whether the application was told is not known.
 */
export type CallbackFailure =
  | "TimedOut"
  | "CannotConnect"
  | "BadStatus"
  | "NotJson"
  | "TooLong"
  | "TooMany"
  | "OffContract"
  | "AnswerLost"
  | "Other"

/** The object is stored; its callback failed. Not a failed upload: do not send the bytes again. */
export class CallbackFailed extends Data.TaggedError("CallbackFailed")<{
  readonly stored: Uploaded
  readonly reason: CallbackFailure
  /** OSS's own sentence, or what does not fit the contract. */
  readonly detail: string
  readonly ec: string
}> {
  override get message(): string {
    const { bucket, key, requestId } = this.stored
    const detail = quoted(this.detail)
    return `stored oss://${bucket}/${key}, but the callback failed: ${detail} (request ${quoted(requestId) || "unknown"})`
  }
}

/** Why a receiver refused a request that claims to be a callback from OSS. */
export type CallbackRejection =
  | "Unsigned"
  | "UnsupportedVersion"
  | "UntrustedKey"
  | "BadSignature"
  | "BodyTooLong"
  | "BadBody"
  | "WrongBucket"
  | "BadToken"
  | "Replayed"

/** The receiver's refusal. The handler did not run. */
export class CallbackRejected extends Data.TaggedError("CallbackRejected")<{
  readonly reason: CallbackRejection
  readonly detail: string
}> {
  override get message(): string {
    return `callback rejected: ${this.detail} (${this.reason})`
  }
}
