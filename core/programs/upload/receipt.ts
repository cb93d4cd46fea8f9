/**
 * From "OSS has stored something" to a receipt: is it what we sent, and what did the application server answer?
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import { CallbackFailed, Crc64Mismatch, UnexpectedResponse } from "../../model/OssError.ts"
import type { Method, Uploaded } from "../../model/Uploaded.ts"
import type * as Callback from "../../wire/Callback.ts"
import type { ObjectInfo } from "../../wire/Operation.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"

/** What we sent, and where to. */
export interface Sent {
  readonly method: Method
  /** The API that stored it, for messages. */
  readonly operation: string
  readonly bucket: string
  readonly key: ObjectKey
  /** Bytes. */
  readonly size: number
  readonly crc64: bigint
}

/**
 * Fails with `Crc64Mismatch` when the object is not what was sent, with `UnexpectedResponse` when nobody can tell, and
 * with `CallbackFailed`, which carries the receipt, when the object is right but its callback failed.
 *
 * `lookUp` asks OSS for what the answer did not tell: a 203 need not carry the object's headers. Who has no keys cannot ask;
 * a browser may not even see the headers (CORS). Then what OSS does not tell goes unchecked. So it does when OSS refuses to
 * tell it (keys that may only put) of an object whose callback failed: that it is stored is what matters then.
 */
export const receipt = <A>(
  sent: Sent,
  stored: Stored,
  callback: Pick<Callback.Callback<A>, "decodeResponse"> | undefined,
  lookUp: Effect.Effect<ObjectInfo, unknown> | undefined
): Effect.Effect<Uploaded<A>, Crc64Mismatch | UnexpectedResponse | CallbackFailed> => {
  const { crc64, etag, versionId } = stored
  if (etag !== undefined && crc64 !== undefined) {
    return Exit.fromEither(settled(sent, stored, { crc64, etag, versionId }, callback))
  }
  const unchecked = { crc64: crc64 ?? sent.crc64, etag: etag ?? "", versionId }
  if (lookUp === undefined) return settled(sent, stored, unchecked, callback)
  const untold = stored.callback?._tag === "Failed" ? unchecked : undefined
  return Effect.flatMap(
    Effect.orElseSucceed(lookUp, () => untold),
    (known) => settled(sent, stored, known, callback)
  )
}

/** What is known of the object that was stored. */
type Known = Pick<ObjectInfo, "crc64" | "etag" | "versionId">

const settled = <A>(
  sent: Sent,
  stored: Stored,
  known: Known | undefined,
  callback: Pick<Callback.Callback<A>, "decodeResponse"> | undefined
): Either.Either<Uploaded<A>, Crc64Mismatch | UnexpectedResponse | CallbackFailed> => {
  const { bucket, crc64, key, method, operation, size } = sent
  if (known?.crc64 === undefined) {
    const reason = "neither the answer nor HeadObject told the object's CRC-64"
    return Either.left(new UnexpectedResponse({ operation, status: 200, requestId: stored.requestId, reason }))
  }
  if (known.crc64 !== crc64) {
    return Either.left(new Crc64Mismatch({ of: `oss://${bucket}/${key}`, client: crc64, server: known.crc64 }))
  }
  const { etag, versionId } = known
  const { requestId } = stored
  const uploaded = { method, bucket, key, size, etag, crc64, versionId, requestId, callback: undefined }
  if (callback === undefined) return Either.right(uploaded as Uploaded<A>) // without a callback, A is undefined
  return Either.map(answer(uploaded, stored, callback), (callback) => ({ ...uploaded, callback }))
}

const answer = <A>(
  uploaded: Uploaded,
  { callback: outcome }: Stored,
  callback: Pick<Callback.Callback<A>, "decodeResponse">
): Either.Either<A, CallbackFailed> => {
  if (outcome?._tag === "Answered") {
    return Either.mapLeft(
      callback.decodeResponse(outcome.body),
      ({ reason, detail }) => new CallbackFailed({ stored: uploaded, reason, detail, ec: "" })
    )
  }
  const { reason, detail, ec } = outcome ?? {
    reason: "AnswerLost" as const,
    detail: "the answer was lost, so it is not known whether the application server was told",
    ec: ""
  }
  return Either.left(new CallbackFailed({ stored: uploaded, reason, detail, ec }))
}
