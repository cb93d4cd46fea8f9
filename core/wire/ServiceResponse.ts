/**
 * What an answer from OSS means: status, headers and body become a receipt or a typed error. Pure.
 *
 * Sources: "Error responses", https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses;
 * "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback; error-code articles 0007-00000201 ff.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Crc64 from "../model/Crc64.ts"
import { ServiceError, UnexpectedResponse, type CallbackFailure } from "../model/OssError.ts"
import type { Response } from "../ports/Transport.ts"
import * as FailureReason from "./callback/FailureReason.ts"
import * as Xml from "./Xml.ts"

/** What became of the callback of a request that stored an object. */
export type CallbackOutcome =
  | { readonly _tag: "Answered"; readonly body: Uint8Array }
  | { readonly _tag: "Failed"; readonly reason: CallbackFailure; readonly detail: string; readonly ec: string }

/** The answer to a request that stored an object. A 203 need not carry the object's headers. */
export interface Stored {
  readonly etag: string | undefined
  readonly crc64: bigint | undefined
  readonly versionId: string | undefined
  readonly requestId: string
  /** `undefined` when the request asked for no callback. */
  readonly callback: CallbackOutcome | undefined
}

/** What OSS calls the request, for its support; empty when the answer does not tell. */
export const requestId = (response: Response): string => response.headers["x-oss-request-id"] ?? ""

/** An ETag without its quotes. */
export const unquote = (etag: string): string =>
  etag.length > 1 && etag.startsWith('"') && etag.endsWith('"') ? etag.slice(1, -1) : etag

/** The ETag header without quotes. */
export const etag = (response: Response): string | undefined => {
  const quoted = response.headers["etag"]
  return quoted === undefined ? undefined : unquote(quoted)
}

/** The CRC-64 header; `undefined` when it is absent or not a number. */
export const crc64 = (response: Response): bigint | undefined =>
  Option.getOrUndefined(Crc64.parse(response.headers["x-oss-hash-crc64ecma"] ?? ""))

/** The error for a success that cannot be read; `reason` completes "answered 200, but …". */
export const unexpected = (operation: string, response: Response, reason: string): UnexpectedResponse =>
  new UnexpectedResponse({ operation, status: response.status, requestId: requestId(response), reason })

const field = (record: Xml.Record, name: string): string => {
  const value = record[name]
  return typeof value === "string" ? value : ""
}

/** The fields of an error document, from the body or, for HEAD, from the base64 in `x-oss-err`. */
const errorDocument = (response: Response): Xml.Record => {
  const inHeader = Option.getOrUndefined(
    Encoding.decodeBase64(response.headers["x-oss-err"] ?? "").pipe(Option.getRight)
  )
  const document = response.body.length > 0 ? response.body : (inHeader ?? response.body)
  return Either.getOrElse(Xml.parse(document, "Error"), () => ({}))
}

// Where an answer without a document (HEAD, or a proxy's own page) leaves only the status to go by.
const codeByStatus: { readonly [status: number]: string } = {
  304: "NotModified",
  400: "BadRequest",
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "Conflict",
  411: "MissingContentLength",
  412: "PreconditionFailed",
  416: "InvalidRange",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable"
}

const serverTime = (response: Response, document: Xml.Record): number | undefined => {
  const time = Date.parse(field(document, "ServerTime") || (response.headers["date"] ?? ""))
  return Number.isNaN(time) ? undefined : time
}

/** What explains a refusal beyond OSS's own words; see `Explain`. */
export type Explainer = (texts: {
  readonly canonicalRequest: string
  readonly stringToSign: string
}) => string | undefined

/** An answer that is no success, as a `ServiceError`. Never fails: what the answer lacks is left empty. */
export const toError = (operation: string, response: Response, explain?: Explainer): ServiceError => {
  const document = errorDocument(response)
  const code = field(document, "Code") || codeByStatus[response.status] || `Http${response.status}`
  const time = serverTime(response, document)
  const explanation =
    code === "SignatureDoesNotMatch"
      ? explain?.({
          canonicalRequest: field(document, "CanonicalRequest"),
          stringToSign: field(document, "StringToSign")
        })
      : undefined
  return new ServiceError({
    operation,
    status: response.status,
    code,
    ec: field(document, "EC") || (response.headers["x-oss-ec"] ?? ""),
    requestId: requestId(response) || field(document, "RequestId"),
    hostId: field(document, "HostId"),
    serverMessage: field(document, "Message"),
    ...(time === undefined ? {} : { serverTime: time }),
    ...(explanation === undefined ? {} : { explanation })
  })
}

const callbackFailure = (response: Response): CallbackOutcome => {
  const document = errorDocument(response)
  const detail = field(document, "Message")
  const ec = field(document, "EC") || (response.headers["x-oss-ec"] ?? "")
  return {
    _tag: "Failed",
    reason: FailureReason.of(detail, ec),
    detail: detail || "no reason given",
    ec
  }
}

/**
 * The answer to a request that stores an object. Status 203 is OSS's way to say: stored, but the callback failed.
 * With a callback, a 200 carries the application's bytes in place of OSS's own body. Fails with the `ServiceError` that any
 * other status is.
 */
export const toStored = (
  operation: string,
  response: Response,
  withCallback: boolean,
  explain?: Explainer
): Either.Either<Stored, ServiceError> => {
  const { status, body, headers } = response
  if (status < 200 || status > 299) return Either.left(toError(operation, response, explain))
  const answered: CallbackOutcome | undefined = withCallback ? { _tag: "Answered", body } : undefined
  return Either.right({
    etag: etag(response),
    crc64: crc64(response),
    versionId: headers["x-oss-version-id"],
    requestId: requestId(response),
    callback: status === 203 ? callbackFailure(response) : answered
  })
}
