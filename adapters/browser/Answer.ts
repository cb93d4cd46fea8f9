/**
 * OSS's answers as a page sees them: what CORS hides is missing. Pure.
 *
 * A small reading of the few XML elements that an error has, because a whole parser would double this entry's size. The text
 * comes from OSS and is only shown. Source: "Error responses",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses
 */
import { type Details, UploadFailed } from "./UploadFailed.ts"

export interface Answer {
  readonly status: number
  /** `null` when it is not there, or hidden. */
  readonly header: (name: string) => string | null
  readonly text: string
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }

const element = (text: string, name: string): string =>
  (new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "").replace(
    /&(lt|gt|quot|apos|amp);/g,
    (_, entity: string) => entities[entity]! // the pattern names all of them
  )

/** What an error's answer tells. */
export const details = (answer: Answer): Details & { readonly message: string } => ({
  status: answer.status,
  ossCode: element(answer.text, "Code"),
  requestId: answer.header("x-oss-request-id") || element(answer.text, "RequestId"),
  ec: answer.header("x-oss-ec") || element(answer.text, "EC"),
  message: element(answer.text, "Message")
})

/** Whether it may go better next time: 5xx, 429, and a body that arrived too slowly or incomplete. */
export const isTransient = ({ status, text }: Answer): boolean =>
  status >= 500 || status === 429 || /<Code>(?:RequestTimeout|IncompleteBody)</.test(text)

/** Whether a form's policy or a URL is over. */
export const isExpired = ({ status, text }: Answer): boolean =>
  status === 403 && /expired/i.test(element(text, "Message")) && element(text, "Code") !== "SecurityTokenExpired"

/** The failure that an answer is. */
export const toFailure = (answer: Answer): UploadFailed => {
  const { message, ...rest } = details(answer)
  const code = isExpired(answer) ? "Expired" : "Refused"
  const named = rest.ossCode || `status ${answer.status}`
  return new UploadFailed(code, `OSS refused: ${named}${message && `: ${message}`}`, rest)
}

/** The CRC-64 that OSS has computed, where the page may see it. */
export const crc64 = (answer: Answer): string | null => answer.header("x-oss-hash-crc64ecma")

/** The ETag without its quotes; empty where it is hidden. */
export const etag = (answer: Answer): string => (answer.header("etag") ?? "").replace(/"/g, "")
