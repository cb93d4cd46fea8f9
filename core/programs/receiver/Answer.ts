/**
 * What a receiver answers: always JSON with a Content-Length, because OSS takes nothing else. Pure.
 */
import type { CallbackRejection } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"

/** What to answer. Headers have Content-Length and Content-Type; names in lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The longest answer OSS passes on, in bytes. */
export const maxAnswerBytes = 1024 * 1024

/** An answer of this JSON text. */
export const json = (status: number, text: string): Answer => {
  const body = Utf8.encode(text)
  return { status, headers: { "content-type": "application/json", "content-length": String(body.length) }, body }
}

/** `{"error":"…"}`: a word, and nothing of what went wrong within. */
export const refusal = (status: number, error: string): Answer => json(status, JSON.stringify({ error }))

/** The status of each reason to refuse. */
export const statusOfRejection: Readonly<Record<CallbackRejection, number>> = {
  Unsigned: 403,
  UnsupportedVersion: 403,
  UntrustedKey: 403,
  BadSignature: 403,
  BodyTooLong: 413,
  BadBody: 400,
  WrongBucket: 403,
  BadToken: 403,
  Replayed: 409
}

/** OSS takes status 200 for success, so a failure must not be able to say it. */
export const failureStatus = (status: number): number =>
  Number.isInteger(status) && status >= 400 && status < 600 ? status : 500

/** How a request ended, for metrics, and for whether it may be tried again. */
export type Ending =
  /** The handler ran to its end, and its answer was sent. */
  | "handled"
  /** The handler ran to its end, but its answer cannot be sent. */
  | "unanswerable"
  | "failed"
  | "late"
  | "rejected"
  /** It was handled before, and answered as then. */
  | "repeated"
  /** The guard is out of order, or another delivery of the same callback is being handled. */
  | "unavailable"

export interface Outcome {
  readonly answer: Answer
  readonly ending: Ending
}
