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
    Either.map(CanonicalRequest.query(draft.query), (search) => sign(signer, draft, draft.query, search))
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
  return Either.flatMap(draft(signer, request, terms), (draft) =>
    // Every name stands once, so the bare name marks the place where each number goes.
    Either.map(CanonicalRequest.query({ ...draft.query, partNumber: "" }), (search) => {
      const end = `&${search}&`.indexOf("&partNumber&") + "partNumber".length
      const before = `${search.slice(0, end)}=`
      const after = search.slice(end)
      return partNumbers.map((number) =>
        sign(signer, draft, { ...draft.query, partNumber: `${number}` }, `${before}${number}${after}`)
      )
    })
  )
}

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

/** All of a presigned request but its signature. */
interface Draft extends Begun {
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
      ...begun,
      parts,
      query: complete(request.query, expiresIn, begun, parts.headers.additional),
      headers: Object.fromEntries(parts.headers.entries)
    }))
  )
}

const complete = (
  own: Uri.Query,
  expiresIn: number,
  { datetime, key, token }: Begun,
  additional: string
): Uri.Query => {
  // Three names may be left over from an earlier signing without being overwritten below.
  const { "x-oss-signature": _1, "x-oss-security-token": _2, "x-oss-additional-headers": _3, ...rest } = own
  return {
    ...rest,
    "x-oss-signature-version": algorithm,
    "x-oss-credential": key.credential,
    "x-oss-date": datetime,
    "x-oss-expires": `${expiresIn}`,
    ...(token === "" ? {} : { "x-oss-security-token": token }),
    ...(additional === "" ? {} : { "x-oss-additional-headers": additional })
  }
}

const sign = (signer: Signer, draft: Draft, query: Uri.Query, search: string): Presigned => {
  const signed = finish(signer, draft.key, draft.datetime, CanonicalRequest.text(draft.parts, search))
  return {
    ...signed,
    query: { ...query, "x-oss-signature": signed.signature },
    search: `${search}&x-oss-signature=${signed.signature}`,
    headers: draft.headers
  }
}
