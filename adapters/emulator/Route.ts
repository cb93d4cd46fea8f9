/**
 * Which of OSS's operations a request is, by method, place and sub-resources. Pure. The names are the API's own.
 *
 * Source: "List of operations by function", https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function
 */
import * as Either from "effect/Either"
import type { Location } from "./Addressing.ts"
import type { Headers } from "./Http.ts"
import * as Refusal from "./Refusal.ts"

/** Those that need no bucket to be there. */
export const serviceOperations = ["ListBuckets", "PutBucket"] as const

export const bucketOperations = [
  "DeleteBucket",
  "HeadBucket",
  "GetBucketInfo",
  "GetBucketLocation",
  "GetBucketAcl",
  "PutBucketAcl",
  "GetBucketCors",
  "PutBucketCors",
  "DeleteBucketCors",
  "GetBucketCallbackPolicy",
  "PutBucketCallbackPolicy",
  "DeleteBucketCallbackPolicy",
  "ListObjects",
  "ListObjectsV2",
  "ListMultipartUploads",
  "DeleteMultipleObjects",
  "PostObject"
] as const

export const objectOperations = [
  "PutObject",
  "CopyObject",
  "AppendObject",
  "GetObject",
  "HeadObject",
  "GetObjectMeta",
  "DeleteObject",
  "GetObjectAcl",
  "PutObjectAcl",
  "InitiateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
  "ListParts"
] as const

/** All there are. `OptionObject` is the preflight of browsers: unsigned, about a bucket or an object. */
export const operations = [...serviceOperations, ...bucketOperations, ...objectOperations, "OptionObject"] as const

export type ServiceOperation = (typeof serviceOperations)[number]
export type BucketOperation = (typeof bucketOperations)[number]
export type ObjectOperation = (typeof objectOperations)[number]
export type Operation = (typeof operations)[number]

const objectNames: ReadonlySet<string> = new Set(objectOperations)

export const isObjectOperation = (operation: Operation): operation is ObjectOperation => objectNames.has(operation)

type Route = Either.Either<Operation, Refusal.Refusal>
type Query = ReadonlyMap<string, string>

// What OSS has behind these, the emulator does not. Passing over them would store or read something else.
const absent = [
  "restore",
  "symlink",
  "tagging",
  "x-oss-process",
  "x-oss-async-process",
  "versions",
  "versionId",
  "policy",
  "lifecycle",
  "logging",
  "website",
  "referer",
  "encryption",
  "worm",
  "replication",
  "inventory",
  "requestPayment",
  "stat",
  "live",
  "vod",
  "select"
]

const object = (method: string, query: Query, headers: Headers): Operation | undefined => {
  const copies = headers["x-oss-copy-source"] !== undefined
  switch (method) {
    case "PUT":
      if (query.has("uploadId") || query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart"
      if (query.has("acl")) return "PutObjectAcl"
      return copies ? "CopyObject" : "PutObject"
    case "POST":
      if (query.has("uploads")) return "InitiateMultipartUpload"
      if (query.has("uploadId")) return "CompleteMultipartUpload"
      return query.has("append") ? "AppendObject" : undefined
    case "GET":
      if (query.has("uploadId")) return "ListParts"
      if (query.has("acl")) return "GetObjectAcl"
      return query.has("objectMeta") ? "GetObjectMeta" : "GetObject"
    case "HEAD":
      return query.has("objectMeta") ? "GetObjectMeta" : "HeadObject"
    case "DELETE":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject"
    default:
      return undefined
  }
}

// `?policy` alone is another thing: who may do what in the bucket.
const isCallbackPolicy = (query: Query): boolean => query.has("policy") && query.get("comp") === "callback"

const callbackPolicy = (method: string): Operation | undefined => {
  switch (method) {
    case "GET":
      return "GetBucketCallbackPolicy"
    case "PUT":
      return "PutBucketCallbackPolicy"
    case "DELETE":
      return "DeleteBucketCallbackPolicy"
    default:
      return undefined
  }
}

const bucket = (method: string, query: Query): Operation | undefined => {
  if (isCallbackPolicy(query)) return callbackPolicy(method)
  switch (method) {
    case "GET":
      if (query.has("uploads")) return "ListMultipartUploads"
      if (query.has("acl")) return "GetBucketAcl"
      if (query.has("cors")) return "GetBucketCors"
      if (query.has("location")) return "GetBucketLocation"
      if (query.has("bucketInfo")) return "GetBucketInfo"
      return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects"
    case "PUT":
      if (query.has("acl")) return "PutBucketAcl"
      return query.has("cors") ? "PutBucketCors" : "PutBucket"
    case "DELETE":
      return query.has("cors") ? "DeleteBucketCors" : "DeleteBucket"
    case "POST":
      return query.has("delete") ? "DeleteMultipleObjects" : "PostObject"
    case "HEAD":
      return "HeadBucket"
    default:
      return undefined
  }
}

/** The operation, or a refusal: 405 for a method that the place does not have, 400 for what the emulator lacks. */
export const find = (method: string, location: Location, headers: Headers): Route => {
  const { query } = location
  if (method === "OPTIONS") return Either.right("OptionObject")
  const inBucket = location.bucket !== undefined && location.key === undefined
  const lacking = absent.find((name) => query.has(name) && !(name === "policy" && inBucket && isCallbackPolicy(query)))
  if (lacking !== undefined) return Either.left(Refusal.notImplemented(lacking))
  const place = location.key !== undefined ? "OBJECT" : location.bucket !== undefined ? "BUCKET" : "SERVICE"
  const found =
    place === "OBJECT"
      ? object(method, query, headers)
      : place === "BUCKET"
        ? bucket(method, query)
        : method === "GET"
          ? "ListBuckets"
          : undefined
  return found === undefined ? Either.left(Refusal.methodNotAllowed(method, place)) : Either.right(found)
}
