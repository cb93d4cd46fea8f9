/**
 * A request as the one text that both ends hash: six parts, joined by line feeds. Pure.
 *
 * Method; path with the bucket in it, however the request is addressed; query; signed headers; names of the additional
 * ones; payload word. OSS does not take a hash of the body, so the payload word is UNSIGNED-PAYLOAD.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import { InvalidParam } from "../../model/OssError.ts"
import * as Uri from "../Uri.ts"
import * as SignedHeaders from "./SignedHeaders.ts"

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
 * request's of the same name; `undefined` for a received request. Fails with `InvalidParam` for the part at fault.
 */
export const make = (
  request: Request,
  own: Readonly<Record<string, string>> | undefined
): Either.Either<Parts, InvalidParam> =>
  Either.flatMap(path(request), (path) =>
    Either.map(SignedHeaders.make(request.headers, own, request.additionalHeaders), (headers) => ({
      method: request.method,
      path,
      headers
    }))
  )

/** The query as it is signed. Fails with `InvalidParam` for `query`. */
export const query = (query: Uri.Query): Either.Either<string, InvalidParam> =>
  encodable("query", query, Uri.encodeQuery)

/** The whole text; `query` as the function above gives it. */
export const text = ({ headers, method, path }: Parts, query: string): string =>
  `${method}\n${path}\n${query}\n${headers.lines}\n${headers.additional}\n${headers.payload || unsignedPayload}`

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const methodForm = /^[A-Z]+$/

/** Bucket and key as they are signed: `/bucket/key`, `/bucket/`, `/`. */
const path = ({ bucket, key, method }: Request): Either.Either<string, InvalidParam> => {
  if (!methodForm.test(method)) return refuse("method", `must be in capitals, got ${JSON.stringify(method)}`)
  if (bucket === undefined) {
    return key === undefined ? Either.right("/") : refuse("bucket", "must be given where a key is")
  }
  return Either.flatMap(encodable("bucket", bucket, Uri.encode), (bucket) =>
    key === undefined
      ? Either.right(`/${bucket}/`)
      : Either.map(encodable("key", key, Uri.encodePath), (key) => `/${bucket}/${key}`)
  )
}

// encodeURIComponent throws for lone surrogates, and only for them; asking beforehand would read every text twice.
const encodable = <A>(field: string, from: A, encode: (from: A) => string): Either.Either<string, InvalidParam> => {
  try {
    return Either.right(encode(from))
  } catch {
    return refuse(field, "must be well-formed Unicode, got a lone surrogate")
  }
}
