/**
 * Signature version 4 of a received request, in its headers or in its query. Pure, but for the signer's cache of keys.
 *
 * The expected signature is computed by the library's own signer, which vectors from five official SDKs hold to OSS's; what
 * is decided here is what OSS's server decides: form, clock, lifetime, key, token, region.
 * Sources: "Signature Version 4"; error articles 0002-00000201 to -236,
 * https://help.aliyun.com/en/oss/user-guide/0002-00000213 and its siblings; refusals seen in public bug reports.
 */
import * as Either from "effect/Either"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Refusal from "../Refusal.ts"
import type { AccessKey } from "../Settings.ts"
import * as Clocks from "./Clocks.ts"
import * as Keys from "./Keys.ts"
import type { Principal } from "./Principal.ts"

/** A request as it is verified. Query and headers decoded, header names in lower case. */
export interface Received {
  readonly method: string
  readonly bucket: string | undefined
  readonly key: string | undefined
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export interface Terms {
  readonly signer: Signature.Signer
  readonly accessKeys: ReadonlyMap<string, AccessKey>
  /** The region that must have been signed for. */
  readonly region: string
  /** Milliseconds since 1970. */
  readonly now: number
}

type Verified = Either.Either<Principal, Refusal.Refusal>

const malformed = (message: string, ec: string, authorization: string) =>
  Either.left(Refusal.badRequest("InvalidArgument", message, ec, [["Authorization", authorization]]))

const refuse = (refusal: Refusal.Refusal) => Either.left(refusal)

// What is wrong with an Authorization header, most telling first: the library's parser says only that it is wrong.
const explainHeader = (value: string, date: string | undefined): Either.Either<never, Refusal.Refusal> => {
  if (date === undefined || date === "") return refuse(Clocks.missingDate)
  if (!/^\d{8}T\d{6}Z$/.test(date)) return refuse(Clocks.badDate)
  const credential = /Credential=([^,\s]*)/.exec(value)?.[1]
  if (credential === undefined) return malformed("Missing Credential in Authorization header.", "0002-00000205", value)
  if (!/Signature=/.test(value)) return malformed("Missing Signature in Authorization header.", "0002-00000202", value)
  const [id = "", day, , ...rest] = credential.split("/")
  if (!/^[\w.-]+$/.test(id)) return malformed("Invalid AccessKeyId in Authorization header.", "0002-00000206", value)
  if (rest.length !== 2 || rest[0] !== "oss" || rest[1] !== "aliyun_v4_request") {
    return malformed("Invalid Credential in Authorization header.", "0002-00000213", value)
  }
  if (day !== date.slice(0, 8)) {
    return malformed("Invalid signing date in Authorization header.", "0002-00000212", value)
  }
  return /AdditionalHeaders=/.test(value)
    ? malformed("Invalid AdditionalHeaders in Authorization header.", "0002-00000077", value)
    : malformed("Authorization header is invalid.", "0002-00000202", value)
}

const explainQuery = (query: Received["query"]): Either.Either<never, Refusal.Refusal> => {
  const bad = (name: string, ec: string) =>
    refuse(Refusal.invalidArgument(`Invalid ${name} in query.`, name, query[name] ?? "", ec))
  if (query["x-oss-signature"] === undefined) return bad("x-oss-signature", "0002-00000219")
  if (query["x-oss-expires"] === undefined) return bad("x-oss-expires", "0002-00000215")
  if (!/^[1-9]\d{0,5}$/.test(query["x-oss-expires"]) || Number(query["x-oss-expires"]) > Signature.maxExpiresIn) {
    return bad("x-oss-expires", "0002-00000232")
  }
  if (!/^\d{8}T\d{6}Z$/.test(query["x-oss-date"] ?? "")) return bad("x-oss-date", "0002-00000223")
  const [, day, , ...rest] = (query["x-oss-credential"] ?? "").split("/")
  if (rest.join("/") !== "oss/aliyun_v4_request") return bad("x-oss-credential", "0002-00000224")
  if (day !== query["x-oss-date"]?.slice(0, 8)) return bad("x-oss-credential", "0002-00000224")
  return query["x-oss-additional-headers"] === undefined
    ? bad("x-oss-signature-version", "")
    : bad("x-oss-additional-headers", "0002-00000076")
}

const mismatch = (provided: string, accessKeyId: string, expected?: Signature.Signed): Refusal.Refusal =>
  Refusal.forbidden(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    "0002-00000201",
    [
      ["OSSAccessKeyId", accessKeyId],
      ["SignatureProvided", provided],
      ...(expected === undefined
        ? []
        : ([
            ["StringToSign", expected.stringToSign],
            ["StringToSignBytes", Keys.hexBytes(expected.stringToSign)],
            ["CanonicalRequest", expected.canonicalRequest]
          ] as const))
    ]
  )

const compare = (terms: Terms, claim: Signature.Claim, received: Received, key: AccessKey) => {
  const expected = Signature.expected(terms.signer, claim, received, key.accessKeySecret)
  if (Either.isLeft(expected)) return refuse(mismatch(claim.signature, claim.accessKeyId))
  return Signature.equal(expected.right.signature, claim.signature)
    ? Either.right(undefined)
    : refuse(mismatch(claim.signature, claim.accessKeyId, expected.right))
}

/** Verifies the signature in the Authorization header. */
export const inHeaders = (terms: Terms, received: Received): Verified =>
  Either.gen(function* () {
    const { headers } = received
    const authorization = headers["authorization"] ?? ""
    const parsed = Signature.claimInHeaders(headers)
    if (Either.isLeft(parsed)) return yield* explainHeader(authorization, headers["x-oss-date"])
    const claim = parsed.right
    const payload = headers["x-oss-content-sha256"]
    if (payload !== undefined && payload !== "UNSIGNED-PAYLOAD") {
      return yield* refuse(
        Refusal.invalidArgument(
          "The x-oss-content-sha256 header must be UNSIGNED-PAYLOAD.",
          "x-oss-content-sha256",
          payload,
          "0002-00000214"
        )
      )
    }
    if (claim.product !== "oss") {
      return yield* malformed("Invalid Credential in Authorization header.", "0002-00000213", authorization)
    }
    if (claim.region !== terms.region) {
      return yield* malformed("Invalid signing region in Authorization header.", "0002-00000226", authorization)
    }
    const key = yield* Keys.find(terms.accessKeys, claim.accessKeyId)
    yield* Clocks.checkSkew(claim.time, terms.now)
    yield* compare(terms, claim, received, key)
    yield* Keys.checkToken(key, headers["x-oss-security-token"], terms.now)
    return { _tag: "Owner", accessKeyId: claim.accessKeyId, version: "V4", via: "header" }
  })

/** Verifies the signature in the query of a presigned URL. */
export const inQuery = (terms: Terms, received: Received): Verified =>
  Either.gen(function* () {
    const { query } = received
    const parsed = Signature.claimInQuery(query)
    if (Either.isLeft(parsed)) return yield* explainQuery(query)
    const claim = parsed.right
    const credential = query["x-oss-credential"] ?? ""
    if (claim.product !== "oss") {
      return yield* refuse(
        Refusal.invalidArgument("Invalid x-oss-credential in query.", "x-oss-credential", credential, "0002-00000224")
      )
    }
    if (claim.region !== terms.region) {
      return yield* refuse(
        Refusal.invalidArgument("Invalid signing region in query.", "x-oss-credential", credential, "0002-00000228")
      )
    }
    const key = yield* Keys.find(terms.accessKeys, claim.accessKeyId)
    yield* Clocks.checkLifetime(claim.time, claim.expiresIn ?? 0, terms.now)
    yield* compare(terms, claim, received, key)
    yield* Keys.checkToken(key, query["x-oss-security-token"] ?? received.headers["x-oss-security-token"], terms.now)
    return { _tag: "Owner", accessKeyId: claim.accessKeyId, version: "V4", via: "query" }
  })
