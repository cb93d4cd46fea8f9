/**
 * What a failed `fetch` means. Pure.
 *
 * Runtimes tell very different amounts: Node a code of the system, a browser nothing at all. Nothing of an error's text is
 * passed on, because some (Deno) quote the URL in it, which may be signed.
 * Source: codes of Node (nodejs.org/api/errors.html) and of undici, which is Node's fetch (undici.nodejs.org, "Errors").
 */
import type { TransportError } from "../../core/model/OssError.ts"

export type Failure = Pick<TransportError, "reason" | "sent" | "detail">

/** Bun and undici put the code on the error, or on one of its causes. */
const codeOf = (cause: unknown, depth = 0): string | undefined => {
  if (!(cause instanceof Error) || depth > 3) return undefined
  if ("code" in cause && typeof cause.code === "string") return cause.code
  if (cause.name === "HTTPParserError") return "HPE_ERROR" // undici 7 gives it no code
  if (cause instanceof AggregateError) return codeOf(cause.errors[0], depth + 1)
  return codeOf(cause.cause, depth + 1)
}

// No connection: name, address, certificate.
const noConnection =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_\w+)$/

/** No answer has begun. */
export const beforeAnswer = (cause: unknown): Failure => {
  const code = codeOf(cause)
  if (code === undefined) {
    const detail = "no answer (browsers do not tell why: no connection, a lost one, or the bucket's CORS rules)"
    return { reason: "Reset", sent: "unknown", detail }
  }
  if (noConnection.test(code)) return { reason: "Connect", sent: "nothing", detail: `cannot connect: ${code}` }
  if (code.startsWith("HPE_")) return { reason: "BadResponse", sent: "unknown", detail: `not HTTP: ${code}` }
  return { reason: "Reset", sent: "unknown", detail: `connection lost before the answer: ${code}` }
}

/** The answer's body broke off. */
export const withinAnswer = (cause: unknown): Failure => {
  const code = codeOf(cause) ?? "no more is told"
  return code.startsWith("HPE_")
    ? { reason: "BadResponse", sent: "unknown", detail: `not HTTP: ${code}` }
    : { reason: "Reset", sent: "unknown", detail: `connection lost within the answer: ${code}` }
}
