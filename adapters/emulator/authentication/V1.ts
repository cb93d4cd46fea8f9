/**
 * Signature version 1 of a received request: HMAC-SHA1 in its headers, its query or a form. Pure.
 *
 * The library itself signs version 4 only; older clients still sign like this. Unlike version 4, only listed parameters of
 * the query are signed, as sub-resources of the path, and all of it as decoded text.
 * Source: "Include V1 signatures in the Authorization header" and "Add signatures to URLs",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header; the list of
 * sub-resources is the union of the official SDKs' lists. Error articles 0002-00000040 to -0069, -0502 to -0504.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as NodeCrypto from "node:crypto"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Refusal from "../Refusal.ts"
import type { AccessKey } from "../Settings.ts"
import * as Clocks from "./Clocks.ts"
import * as Keys from "./Keys.ts"
import type { Principal } from "./Principal.ts"
import type { Received, Terms } from "./V4.ts"

type Verified = Either.Either<Principal, Refusal.Refusal>

const subResources = new Set([
  "response-content-type",
  "response-content-language",
  "response-cache-control",
  "response-content-encoding",
  "response-content-disposition",
  "response-expires",
  "acl",
  "append",
  "asyncFetch",
  "bucketInfo",
  "callback",
  "callback-var",
  "cloudboxes",
  "cname",
  "comp",
  "continuation-token",
  "cors",
  "delete",
  "encryption",
  "endTime",
  "group",
  "inventory",
  "inventoryId",
  "lifecycle",
  "link",
  "live",
  "location",
  "logging",
  "objectInfo",
  "objectMeta",
  "partNumber",
  "policy",
  "position",
  "qos",
  "qosInfo",
  "referer",
  "regionList",
  "replication",
  "replicationLocation",
  "replicationProgress",
  "requestPayment",
  "resourceGroup",
  "restore",
  "security-token",
  "sequential",
  "startTime",
  "stat",
  "status",
  "symlink",
  "tagging",
  "transferAcceleration",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "vod",
  "website",
  "worm",
  "wormExtend",
  "wormId",
  "x-oss-ac-forward-allow",
  "x-oss-ac-source-ip",
  "x-oss-ac-subnet-mask",
  "x-oss-ac-vpc-id",
  "x-oss-process",
  "x-oss-request-payer",
  "x-oss-traffic-limit"
])

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0)

const resource = ({ bucket, key, query }: Received): string => {
  const signed = Object.entries(query)
    .filter(([name]) => subResources.has(name))
    .sort(byName)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
  const path = bucket === undefined ? "/" : `/${bucket}/${key ?? ""}`
  return signed.length === 0 ? path : `${path}?${signed.join("&")}`
}

/** The text that is signed; `date` is the Date line: a date, or the moment a URL ends. */
export const stringToSign = (received: Received, date: string): string => {
  const { method, headers } = received
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-oss-"))
    .sort(byName)
    .map(([name, value]) => `${name}:${value}\n`)
    .join("")
  return `${method}\n${headers["content-md5"] ?? ""}\n${headers["content-type"] ?? ""}\n${date}\n${own}${resource(received)}`
}

/** Base64 of the HMAC-SHA1. */
export const sign = (secret: Redacted.Redacted, text: string): string =>
  NodeCrypto.createHmac("sha1", Redacted.value(secret)).update(text).digest("base64")

/** The refusal for a signature that is another. */
export const mismatch = (accessKeyId: string, provided: string, text: string, ec = "0002-00000040"): Refusal.Refusal =>
  Refusal.forbidden(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ec,
    [
      ["OSSAccessKeyId", accessKeyId],
      ["SignatureProvided", provided],
      ["StringToSign", text],
      ["StringToSignBytes", Keys.hexBytes(text)]
    ]
  )

const compare = (key: AccessKey, provided: string, text: string): Either.Either<void, Refusal.Refusal> =>
  Signature.equal(sign(key.accessKeySecret, text), provided)
    ? Either.void
    : Either.left(mismatch(key.accessKeyId, provided, text))

/** Verifies `Authorization: OSS <ID>:<signature>`. The date is that of `x-oss-date`, else of `Date`. */
export const inHeaders = (terms: Terms, received: Received): Verified =>
  Either.gen(function* () {
    const { headers } = received
    const authorization = headers["authorization"] ?? ""
    const match = /^OSS +([\w.-]+):([A-Za-z0-9+/=]+)$/.exec(authorization)
    if (match === null) {
      return yield* Either.left(
        Refusal.badRequest("InvalidArgument", "Authorization header is invalid.", "0002-00000064", [
          ["Authorization", authorization]
        ])
      )
    }
    const [, accessKeyId = "", signature = ""] = match
    const key = yield* Keys.find(terms.accessKeys, accessKeyId)
    const date = headers["x-oss-date"] ?? headers["date"] ?? ""
    if (date === "") return yield* Either.left(Clocks.missingDate)
    const time = Date.parse(date)
    if (Number.isNaN(time) || !/GMT|Z$/.test(date)) return yield* Either.left(Clocks.badDate)
    yield* Clocks.checkSkew(time, terms.now)
    yield* compare(key, signature, stringToSign(received, date))
    yield* Keys.checkToken(key, headers["x-oss-security-token"], terms.now)
    return { _tag: "Owner", accessKeyId, version: "V1", via: "header" }
  })

/** Verifies `?OSSAccessKeyId&Expires&Signature`; Expires is in seconds since 1970. */
export const inQuery = (terms: Terms, received: Received): Verified =>
  Either.gen(function* () {
    const { query, headers } = received
    const accessKeyId = query["OSSAccessKeyId"] ?? ""
    const expires = query["Expires"]
    const signature = query["Signature"]
    if (expires === undefined || signature === undefined) {
      // Which of the two: only for Expires is the EC known.
      return yield* Either.left(
        Refusal.accessDenied(
          "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters",
          expires === undefined ? "0002-00000067" : ""
        )
      )
    }
    if (!/^\d{1,12}$/.test(expires)) {
      const ec = expires === "" ? "0002-00000068" : "0002-00000070"
      return yield* Either.left(Refusal.accessDenied("Invalid date (should be seconds since epoch)", ec))
    }
    const key = yield* Keys.find(terms.accessKeys, accessKeyId)
    const end = Number(expires) * 1000
    if (terms.now > end) return yield* Either.left(Clocks.expired(end, terms.now, "0002-00000069"))
    yield* compare(key, signature, stringToSign(received, expires))
    yield* Keys.checkToken(key, query["security-token"] ?? headers["x-oss-security-token"], terms.now)
    return { _tag: "Owner", accessKeyId, version: "V1", via: "query" }
  })
