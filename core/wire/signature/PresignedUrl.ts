/**
 * A signature in the query: a URL that works by itself for a while, and the headers that must come with it. Pure, but for
 * the cache of signing keys inside a `Signer`.
 *
 * All parameters of the query are signed, so a callback given as the parameters `callback` and `callback-var` is too.
 * Sources: "Add signatures to URLs (V4)",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls; error-code article 0002-00000232.
 */
import * as Either from "effect/Either"
import { InvalidParam } from "../../model/OssError.ts"
import type * as Uri from "../Uri.ts"
import * as CanonicalRequest from "./CanonicalRequest.ts"
import { algorithm, begin, finish, type Begun, type Signed, type Signer } from "./Signing.ts"
import type { Terms } from "./SigningKey.ts"

export interface PresignTerms extends Terms {
  /** For how many whole seconds after `time` the URL holds, 1 to 604,800. */
  readonly expiresIn: number
}

export interface Presigned extends Signed {
  /** The whole query: the request's own, the signer's, and the signature. */
  readonly query: Uri.Query
  /** The same, encoded, as it stands after the "?" of the URL. */
  readonly search: string
  /**
   * What whoever uses the URL must send: these values exactly, and no further `content-type`, `content-md5` or `x-oss-*`.
   * Headers of the request that are not signed are not here.
   */
  readonly headers: Readonly<Record<string, string>>
}

/** The longest a presigned URL may hold, in seconds: 7 days. */
export const maxExpiresIn = 604_800

type Result<A> = Either.Either<A, InvalidParam>

/**
 * Signs a URL. What an earlier signing left in the query is replaced or removed. Fails with `InvalidParam` for what cannot
 * be signed.
 */
export const presign = (signer: Signer, request: CanonicalRequest.Request, terms: PresignTerms): Result<Presigned> =>
  Either.flatMap(draft(signer, request, terms), (draft) =>
    Either.map(CanonicalRequest.query(draft.query), (canonical) => sign(signer, draft, draft.query, canonical))
  )

/**
 * Signs the same URL for many part numbers (1 to 10,000) of one multipart upload, in their order. All but the number is
 * checked and encoded once. Fails with `InvalidParam` for what cannot be signed.
 */
export const presignParts = (
  signer: Signer,
  request: CanonicalRequest.Request,
  terms: PresignTerms,
  partNumbers: ReadonlyArray<number>
): Result<ReadonlyArray<Presigned>> => {
  const wrong = partNumbers.find((number) => !(Number.isInteger(number) && number >= 1 && number <= 10_000))
  if (wrong !== undefined) return refuse("partNumbers", `must be whole numbers from 1 to 10000, got ${wrong}`)
  const { partNumber: _, ...query } = request.query
  return Either.flatMap(draft(signer, { ...request, query }, terms), (draft) =>
    // Every name stands once, so the bare name marks the place where each number goes.
    Either.map(CanonicalRequest.query({ partNumber: "", ...draft.query }), (canonical) => {
      const end = `&${canonical}&`.indexOf("&partNumber&") + "partNumber".length
      const before = `${canonical.slice(0, end)}=`
      const after = canonical.slice(end)
      return partNumbers.map((number) =>
        sign(signer, draft, { partNumber: `${number}`, ...draft.query }, `${before}${number}${after}`)
      )
    })
  )
}

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

/** All of a presigned request but its signature. */
interface Draft extends Pick<Begun, "key" | "datetime"> {
  readonly parts: CanonicalRequest.Parts
  readonly query: Uri.Query
  readonly headers: Readonly<Record<string, string>>
}

const draft = (signer: Signer, request: CanonicalRequest.Request, terms: PresignTerms): Result<Draft> => {
  const { expiresIn } = terms
  if (!(Number.isInteger(expiresIn) && expiresIn >= 1 && expiresIn <= maxExpiresIn)) {
    return refuse("expiresIn", `must be 1 to ${maxExpiresIn} whole seconds (7 days), got ${expiresIn}`)
  }
  return Either.flatMap(begin(signer, terms), (begun) =>
    Either.map(CanonicalRequest.make(request, {}), (parts) => ({
      key: begun.key,
      datetime: begun.datetime,
      parts,
      query: complete(request.query, expiresIn, begun, parts.headers.additional),
      headers: Object.fromEntries(parts.headers.entries)
    }))
  )
}

// In this file named members stand before a spread: the other way round one such object costs V8 7 µs, as much as signing.
const complete = (
  own: Uri.Query,
  expiresIn: number,
  { datetime, key, token }: Begun,
  additional: string
): Uri.Query => {
  const query: Record<string, string> = {
    "x-oss-signature-version": algorithm,
    "x-oss-credential": key.credential,
    "x-oss-date": datetime,
    "x-oss-expires": `${expiresIn}`,
    ...withoutSigning(own)
  }
  if (token !== "") query["x-oss-security-token"] = token
  if (additional !== "") query["x-oss-additional-headers"] = additional
  return query
}

const signing: ReadonlyArray<string> = [
  "x-oss-signature-version",
  "x-oss-credential",
  "x-oss-date",
  "x-oss-expires",
  "x-oss-security-token",
  "x-oss-additional-headers",
  "x-oss-signature"
]

/** The query without what an earlier signing left in it. */
const withoutSigning = (query: Uri.Query): Uri.Query =>
  signing.every((name) => query[name] === undefined)
    ? query
    : Object.fromEntries(Object.entries(query).filter(([name]) => !signing.includes(name)))

const sign = (signer: Signer, draft: Draft, query: Uri.Query, canonical: string): Presigned => {
  const { canonicalRequest, signature, stringToSign } = finish(
    signer,
    draft.key,
    draft.datetime,
    CanonicalRequest.text(draft.parts, canonical)
  )
  return {
    canonicalRequest,
    stringToSign,
    signature,
    query: { "x-oss-signature": signature, ...query },
    search: `${canonical}&x-oss-signature=${signature}`,
    headers: draft.headers
  }
}
