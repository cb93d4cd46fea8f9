/**
 * Who may do what: owners everything, strangers what the access control lists open to them. Pure.
 *
 * Source: "Overview of ACLs", https://www.alibabacloud.com/help/en/oss/user-guide/overview-of-acls: an object's own list, unless
 * `default`, takes the place of its bucket's.
 */
import * as Either from "effect/Either"
import * as Refusal from "../Refusal.ts"
import type * as Route from "../Route.ts"
import type * as State from "../State.ts"
import type { Principal } from "./Principal.ts"

const reads: ReadonlySet<Route.Operation> = new Set<Route.Operation>(["GetObject", "HeadObject", "GetObjectMeta"])
const readsBucket: ReadonlySet<Route.Operation> = new Set<Route.Operation>(["ListObjects", "ListObjectsV2"])
const writes: ReadonlySet<Route.Operation> = new Set<Route.Operation>([
  "PutObject",
  "PostObject",
  "AppendObject",
  "CopyObject",
  "DeleteObject",
  "DeleteMultipleObjects",
  "InitiateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
  "ListParts",
  "ListMultipartUploads"
])

/** Whether the operation is allowed, given the bucket and, where there is one, the object. */
export const check = (
  principal: Principal,
  operation: Route.Operation,
  bucket: State.Bucket,
  object: State.ObjectRecord | undefined
): Either.Either<void, Refusal.Refusal> => {
  if (principal._tag === "Owner") return Either.void
  const acl = object === undefined || object.acl === "default" ? bucket.acl : object.acl
  if (reads.has(operation) || readsBucket.has(operation)) {
    return acl === "private" ? Either.left(Refusal.anonymous) : Either.void
  }
  if (writes.has(operation)) return acl === "public-read-write" ? Either.void : Either.left(Refusal.anonymous)
  return Either.left(anonymousForbidden)
}

/** The refusal where no list can open the door. */
export const anonymousForbidden = Refusal.accessDenied(
  "Anonymous access is forbidden for this operation.",
  "0003-00000001"
)
