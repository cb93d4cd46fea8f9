/**
 * The receipt of an upload, for people and for programs.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../core/model/Bytes.ts"
import type { CallbackFailed } from "../../core/model/OssError.ts"
import type { Uploaded } from "../../core/model/Uploaded.ts"
import { exitCode } from "./Command.ts"
import type { Failure } from "./Run.ts"
import { complain, say, sayJson } from "./Terminal.ts"

const facts = ({ bucket, crc64, etag, key, method, requestId, size, versionId }: Uploaded<unknown>) => ({
  method,
  bucket,
  key,
  size,
  etag,
  crc64,
  ...(versionId === undefined ? {} : { versionId }),
  requestId
})

const tell = (uploaded: Uploaded<unknown>): void => {
  const { bucket, crc64, etag, key, method, requestId, size, versionId } = uploaded
  say(`oss://${bucket}/${key}`)
  say(`  ${Bytes.format(size)} (${size} bytes), ${method}`)
  say(`  ETag ${etag || "unknown"}, CRC-64 ${crc64}`)
  say(`  request ${requestId || "unknown"}${versionId === undefined ? "" : `, version ${versionId}`}`)
}

const delivered = (uploaded: Uploaded<unknown>, asJson: boolean): number => {
  const { callback } = uploaded
  if (asJson) sayJson({ ...facts(uploaded), ...(callback === undefined ? {} : { callback }) })
  else {
    tell(uploaded)
    if (callback !== undefined) say(`  the application answered ${JSON.stringify(callback)}`)
  }
  return exitCode.done
}

/** Stored all the same: the receipt goes where receipts go, and the exit code tells them apart. */
const undelivered = (error: CallbackFailed, asJson: boolean): number => {
  const { detail, ec, reason, stored } = error
  if (asJson) sayJson({ ...facts(stored), callback: { failed: reason, detail, ec } })
  else tell(stored)
  complain(error.message)
  return exitCode.callbackFailed
}

/** Prints how an upload ended, where it ended with a stored object; answers the exit code. */
export const printed = <E extends Failure, R>(
  upload: Effect.Effect<Uploaded<unknown>, E | CallbackFailed, R>,
  { json }: { readonly json: boolean }
): Effect.Effect<number, Exclude<E, CallbackFailed>, R> =>
  Effect.matchEffect(upload, {
    onSuccess: (uploaded) => Effect.sync(() => delivered(uploaded, json)),
    onFailure: (error) =>
      error._tag === "CallbackFailed"
        ? Effect.sync(() => undelivered(error as CallbackFailed, json)) // the tag says so
        : Effect.fail(error as Exclude<E, CallbackFailed>) // by what is left
  })
