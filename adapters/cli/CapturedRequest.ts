/**
 * A request as somebody captured it: request line, headers, an empty line, and the body's bytes. Pure.
 *
 * The body is what Content-Length says of what follows, so that an editor's line feed at the end does no harm; without a
 * Content-Length it is all of it. Lines may end in CR LF or LF.
 */
import * as Either from "effect/Either"
import type { Request } from "../../core/programs/CallbackReceiver.ts"

const requestLine = /^([A-Z]+) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/

/** Reads it. Fails with a sentence. */
export const parse = (raw: Uint8Array): Either.Either<Request, string> => {
  const text = Buffer.from(raw).toString("latin1") // one character a byte, so that offsets are the same
  const end = /\r?\n\r?\n/.exec(text)
  const [first = "", ...lines] = text.slice(0, end?.index ?? text.length).split(/\r?\n/)
  const [, method, target] = requestLine.exec(first.trim()) ?? []
  if (method === undefined || target === undefined) {
    return Either.left('the first line is no request line, such as "POST /oss/uploaded HTTP/1.1"')
  }
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf(":")
    if (at <= 0) return Either.left(`"${line.slice(0, 40)}" is no header, such as "Host: example.com"`)
    headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim()
  }
  const rest = raw.subarray(end === null ? raw.length : end.index + end[0].length)
  const length = Number(headers["content-length"] ?? rest.length)
  if (!Number.isInteger(length) || length > rest.length) {
    return Either.left(`the body has ${rest.length} bytes, and Content-Length says ${headers["content-length"]}`)
  }
  const path = target.replace(/^https?:\/\/[^/?]+/i, "")
  const question = path.indexOf("?")
  return Either.right({
    method,
    path: question === -1 ? path : path.slice(0, question),
    query: question === -1 ? undefined : path.slice(question + 1),
    headers,
    body: rest.subarray(0, length)
  })
}
