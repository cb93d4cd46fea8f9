/**
 * What becomes of a callback: the application's own answer, or the message of a `CallbackFailed`. Pure.
 *
 * An answer counts when its status is exactly 200, its Content-Length is there, positive and at most 1 MiB, and its body
 * is JSON without a byte-order mark, or XML when its Content-Type is application/xml. (One row of one page says 3 MB.)
 * The messages are OSS's, misspelling and all. Not known, and modelled here: the ECs of the Content-Length messages, the
 * message about bad XML, and 502 for a server that breaks off, which OSS shows for servers behind a failing gateway.
 * Sources: "HTTP status code 203", https://www.alibabacloud.com/help/en/oss/support/http-status-code-203; the articles
 * by EC 0007-00000203 and 0007-00000205; what clients' own tests recorded ("Error status : 301.").
 */
import { parseXml } from "@rgrove/parse-xml"
import * as Option from "effect/Option"
import * as Utf8 from "../../../core/model/Utf8.ts"

/** The longest answer, in bytes. */
export const maxBytes = 1024 * 1024

export interface Answered {
  readonly _tag: "Answered"
  /** The bytes as they came. */
  readonly body: Uint8Array
  readonly contentType: string | undefined
}

export interface Failed {
  readonly _tag: "Failed"
  readonly message: string
  readonly ec: string
}

export type Outcome = Answered | Failed

/** The status line and headers of an answer, as far as they matter. */
export interface Head {
  readonly status: number
  readonly contentLength: string | undefined
  readonly contentType: string | undefined
}

const failed =
  (ec: string) =>
  (message: string): Failed => ({ _tag: "Failed", message, ec: `0007-00000${ec}` })
const badAnswer = failed("203")
const badBody = failed("205")

/** Any other status than 200; redirects are not followed. */
export const badStatus = (status: number): Failed => badAnswer(`Error status : ${status}.`)

/** No connection, or none in time. */
export const cannotConnect = badAnswer("Error status : -1.OSS can not connect to your callbackUrl, please check it.")

/** Connected (TCP or TLS), but the answer broke off or is no HTTP. */
export const brokeOff = badStatus(502)

/** No whole answer within the time. `peer` is address and port; the time is in milliseconds. */
export const timedOut = (peer: string, timeout: number): Failed =>
  badAnswer(`Error status : -1 ${peer} reply timeout, cost:${timeout}ms, timeout:${timeout}ms (err -4, errno115)`)

export const missingLength = badAnswer("Error Status : 400.User server missing content-length.")
export const invalidLength = badAnswer("Error Status : 400.User server return invalid conent-length value.")
export const tooLong = badAnswer("Error Status : 400.User server return too long content-length value.")
export const notJson = badBody("Response body is not valid json format.")
export const notXml = badBody("Response body is not valid xml format.")

/** What the head alone decides; `undefined` when the body must be read, whose length is then 1 to `maxBytes`. */
export const ofHead = ({ status, contentLength }: Head): Failed | undefined => {
  if (status !== 200) return badStatus(status)
  if (contentLength === undefined) return missingLength
  if (!/^[0-9]+$/.test(contentLength) || Number(contentLength) === 0) return invalidLength
  return Number(contentLength) > maxBytes ? tooLong : undefined
}

/** What a whole body decides. */
export const ofBody = ({ contentType }: Head, body: Uint8Array): Outcome => {
  if (isXmlType(contentType)) return isXml(body) ? { _tag: "Answered", body, contentType } : notXml
  return isJson(body) ? { _tag: "Answered", body, contentType } : notJson
}

const isXmlType = (contentType: string | undefined): boolean =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/xml"

// A byte-order mark survives the decoding, and is no JSON.
const isJson = (body: Uint8Array): boolean => {
  const text = Utf8.decode(body)
  if (Option.isNone(text)) return false
  try {
    JSON.parse(text.value)
    return true
  } catch {
    return false
  }
}

const isXml = (body: Uint8Array): boolean => {
  const text = Utf8.decode(body)
  if (Option.isNone(text)) return false
  try {
    parseXml(text.value)
    return true
  } catch {
    // Not well-formed; or nested so deep that the parser's stack does not do.
    return false
  }
}
