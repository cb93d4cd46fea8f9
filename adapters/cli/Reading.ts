/**
 * What a command reads whole: a file, or standard input by the name `-`.
 */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs/promises"
import { SourceError } from "../../core/model/OssError.ts"
import { Problem } from "./Run.ts"
import { note } from "./Terminal.ts"

/** More than any grant, capture or error document has, in bytes. */
const maxBytes = 16 * 1024 * 1024

const standardInput = async (): Promise<Buffer> => {
  if (process.stdin.isTTY) note("paste it, then Ctrl-D on a line of its own")
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer) // no encoding is set
    size += (chunk as Buffer).length
    if (size > maxBytes) throw new Error(`is longer than ${maxBytes} bytes`)
  }
  return Buffer.concat(chunks)
}

/** How reading fails. */
export type ReadError = SourceError

/** The bytes of a file, or of standard input. */
export const bytes = (file: string): Effect.Effect<Buffer, SourceError> =>
  Effect.tryPromise({
    try: () => (file === "-" ? standardInput() : Fs.readFile(file)),
    catch: (cause) => {
      const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT"
      return new SourceError({
        reason: missing ? "NotFound" : "Read",
        source: file === "-" ? "standard input" : file,
        detail: missing ? "there is no such file" : cause instanceof Error ? cause.message : String(cause),
        cause
      })
    }
  })

/** The same as text. */
export const text = (file: string): Effect.Effect<string, SourceError> =>
  Effect.map(bytes(file), (content) => content.toString("utf8"))

/** A value in JSON, checked by its Schema; `what` it should be is said when it is not. */
export const json = <A, I>(
  file: string,
  schema: Schema.Schema<A, I>,
  what: string
): Effect.Effect<A, SourceError | Problem> =>
  Effect.flatMap(text(file), (content) =>
    Schema.decodeUnknown(Schema.parseJson(schema))(content).pipe(
      Effect.mapError((error) => {
        const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
        const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`
        // Not the value itself: grants are secrets.
        return new Problem(`${file}: is not ${what}${where}`)
      })
    )
  )
