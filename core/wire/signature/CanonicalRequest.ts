/**
 * A request as the one text that both ends hash: six parts, joined by line feeds. Pure.
 *
 * Method; path with the bucket in it, however the request is addressed; query; signed headers; names of the additional
 * ones; payload word. OSS does not take a hash of the body, so the payload word is UNSIGNED-PAYLOAD.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import { InvalidParam } from "../../model/OssError.ts"
import * as Uri from "../Uri.ts"
import * as SignedHeaders from "./SignedHeaders.ts"
import type { Checked } from "./Signing.ts"

/** What is signed of a request. All texts as they are before percent-encoding. */
export interface Request {
  /** In capitals: HTTP tells "put" from "PUT". */
  readonly method: string
  /** `undefined` for requests to the service itself, such as ListBuckets. */
  readonly bucket: string | undefined
  /** `undefined` for requests to the bucket itself. */
  readonly key: string | undefined
  readonly query: Uri.Query
  /** All that is sent but what the signer adds. Names in any case, none twice. */
  readonly headers: Readonly<Record<string, string>>
  /** Names of further headers to sign, such as `host`. Each must be among `headers`. */
  readonly additionalHeaders?: ReadonlyArray<string> | undefined
}

/** All parts but the query, which a presigned URL makes of these. */
export interface Parts {
  readonly method: string
  readonly path: string
  readonly headers: SignedHeaders.SignedHeaders
}

/** The value of `x-oss-content-sha256`, and the last line of the text where that header is absent. */
export const unsignedPayload = "UNSIGNED-PAYLOAD"

/**
 * Checks and encodes all parts but the query. `own` are the signer's headers, names in lower case; they stand in for the
 * request's of the same name; `undefined` for a received request. Gives `InvalidParam` for the part at fault.
 */
export const make = (request: Request, own: ReadonlyArray<SignedHeaders.Entry> | undefined): Checked<Parts> => {
  const path = pathOf(request)
  if (path instanceof InvalidParam) return path
  const headers = SignedHeaders.make(request.headers, own, request.additionalHeaders)
  return headers instanceof InvalidParam ? headers : { method: request.method, path, headers }
}

/** The query as it is signed. Gives `InvalidParam` for `query`. */
export const query = (query: Uri.Query): Checked<string> => encodable("query", query, Uri.encodeQuery)

/** The whole text; `query` as the function above gives it. */
export const text = ({ headers, method, path }: Parts, query: string): string =>
  `${method}\n${path}\n${query}\n${headers.lines}\n${headers.additional}\n${headers.payload || unsignedPayload}`

const refusal = (field: string, reason: string) => new InvalidParam({ field, reason })

const methodForm = /^[A-Z]+$/

/** Bucket and key as they are signed: `/bucket/key`, `/bucket/`, `/`. */
const pathOf = ({ bucket, key, method }: Request): Checked<string> => {
  if (!methodForm.test(method)) return refusal("method", `must be in capitals, got ${JSON.stringify(method)}`)
  if (bucket === undefined) return key === undefined ? "/" : refusal("bucket", "must be given where a key is")
  const encodedBucket = encodable("bucket", bucket, Uri.encode)
  if (encodedBucket instanceof InvalidParam || key === undefined) {
    return encodedBucket instanceof InvalidParam ? encodedBucket : `/${encodedBucket}/`
  }
  const encodedKey = encodable("key", key, Uri.encodePath)
  return encodedKey instanceof InvalidParam ? encodedKey : `/${encodedBucket}/${encodedKey}`
}

// encodeURIComponent throws for lone surrogates, and only for them; asking beforehand would read every text twice.
const encodable = <A>(field: string, from: A, encode: (from: A) => string): Checked<string> => {
  try {
    return encode(from)
  } catch {
    return refusal(field, "must be well-formed Unicode, got a lone surrogate")
  }
}
