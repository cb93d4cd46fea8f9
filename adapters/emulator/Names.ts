/**
 * Whether bucket and key are names that OSS allows. Pure.
 *
 * Source: "Bucket naming conventions" and "Object naming conventions",
 * https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions
 */
import * as Either from "effect/Either"
import * as Bucket from "../../core/model/Bucket.ts"
import * as ObjectKey from "../../core/model/ObjectKey.ts"
import * as Refusal from "./Refusal.ts"

type Checked = Either.Either<void, Refusal.Refusal>

/** The refusal of a key that is none. */
export const refusal = (key: string): Refusal.Refusal =>
  Buffer.byteLength(key) > ObjectKey.maxBytes ? Refusal.objectNameTooLong(key) : Refusal.invalidObjectName(key)

/** A key: 1 to 1,023 bytes, not beginning with a slash. */
export const checkKey = (key: string): Checked =>
  Either.isRight(ObjectKey.make(key)) ? Either.void : Either.left(refusal(key))

/** What a request is about; `undefined` stands for the service, or for the bucket. */
export const check = (bucket: string | undefined, key: string | undefined): Checked => {
  if (bucket === undefined && key === undefined) return Either.void
  if (Either.isLeft(Bucket.checkName(bucket ?? ""))) return Either.left(Refusal.invalidBucketName(bucket ?? ""))
  return key === undefined ? Either.void : checkKey(key)
}
