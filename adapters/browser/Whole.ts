/**
 * The whole file in one request: by form or by PUT. Starts over when it is paused.
 */
import * as Crc64 from "../../core/model/Crc64.ts"
import type { PresignedUrl } from "../../core/model/PresignedUrl.ts"
import type { SignedForm } from "../../core/model/SignedForm.ts"
import * as FailureReason from "../../core/wire/callback/FailureReason.ts"
import * as Answer from "./Answer.ts"
import * as Job from "./Job.ts"
import type { Outgoing } from "./Send.ts"
import type { Uploaded } from "./Uploaded.ts"
import { corrupt, UploadFailed } from "./UploadFailed.ts"

type Request = Pick<Outgoing, "method" | "url" | "headers" | "body">

const formOf = (form: SignedForm, key: string, { file, options }: Job.Job): Request => {
  const body = new FormData()
  // OSS reads nothing that comes after the file.
  for (const [name, value] of Object.entries({ ...options.fields, ...form.fields, key })) body.set(name, value)
  body.set("file", file)
  return { method: "POST", url: form.url, headers: {}, body }
}

/** Uploads by form. */
export const byForm = (form: SignedForm, key: string, job: Job.Job, signal: AbortSignal): Promise<Uploaded> =>
  run(formOf(form, key, job), { bucket: form.bucket, key }, "callback" in form.fields, job, signal)

/** Uploads by PUT. */
export const byPut = (put: PresignedUrl, job: Job.Job, signal: AbortSignal): Promise<Uploaded> => {
  const { "content-length": _, ...headers } = put.headers
  // A Blob's own type would be sent where the grant names none, and be one header too many for the signature.
  const body = "content-type" in headers ? job.file : job.file.slice()
  const carriesCallback = "x-oss-callback" in headers || /[?&]callback=/.test(put.url)
  return run({ method: put.method as "PUT", url: put.url, headers, body }, put, carriesCallback, job, signal) // checked before
}

const run = async (
  request: Request,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  carriesCallback: boolean,
  job: Job.Job,
  signal: AbortSignal
): Promise<Uploaded> => {
  const { file } = job
  const stop = new AbortController()
  const hashing = Job.crc64(file, AbortSignal.any([signal, stop.signal]))
  // Looked at when the answer is here.
  hashing.catch(() => {})
  let answer: Answer.Answer
  try {
    answer = await Job.send(job, () => ({ ...request, onSent: job.report }), signal)
  } catch (error) {
    stop.abort()
    throw error
  }
  if (answer.status < 200 || answer.status > 299) {
    stop.abort()
    throw Answer.toFailure(answer)
  }
  const crc64 = await hashing
  const theirs = Answer.crc64(answer)
  if (theirs !== null && theirs !== Crc64.format(crc64)) {
    throw corrupt("the file", crc64, BigInt(theirs))
  }
  job.report(file.size)
  const { message, requestId = "", ...refusal } = Answer.details(answer)
  const uploaded: Uploaded = {
    bucket,
    key,
    size: file.size,
    etag: Answer.etag(answer),
    crc64,
    verified: theirs !== null,
    requestId,
    callback: undefined
  }
  // OSS's way to say: stored, but the callback failed.
  if (answer.status === 203) {
    const callbackFailure = FailureReason.of(message, refusal.ec ?? "")
    const details = { ...refusal, requestId, callbackFailure, stored: uploaded }
    throw new UploadFailed("CallbackFailed", `stored, but the callback failed: ${message}`, details)
  }
  return carriesCallback ? { ...uploaded, callback: parse(answer.text, uploaded) } : uploaded
}

const parse = (text: string, stored: Uploaded): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    const details = { stored, callbackFailure: "NotJson" } as const
    throw new UploadFailed("CallbackFailed", "stored, but the application's answer is not JSON", details)
  }
}
