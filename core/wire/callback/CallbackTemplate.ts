/**
 * The body of a callback as a template: text with `${…}` in it, for which OSS puts in what it knows. Pure.
 *
 * `render` does what OSS does, for the emulator and for tests. Facts: "Callback",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/callback; signed captures show `/` as `%2F` in form bodies,
 * bare numbers in JSON bodies, and raw text inside the quotes of a JSON template.
 */
import * as Either from "effect/Either"
import * as Uri from "../Uri.ts"

export type BodyType = "application/x-www-form-urlencoded" | "application/json"
/** The body as `name=value&…`: OSS's default. */
export const form: BodyType = "application/x-www-form-urlencoded"
/** The body as a JSON object. */
export const json: BodyType = "application/json"

/** OSS's own variables, by how it renders them in JSON: in quotes, or bare. Names are case-sensitive. */
export const systemVariables = {
  bucket: "text",
  object: "text",
  etag: "text",
  size: "number",
  mimeType: "text",
  "imageInfo.height": "number",
  "imageInfo.width": "number",
  "imageInfo.format": "text",
  crc64: "number",
  contentMd5: "text",
  vpcId: "text",
  clientIp: "text",
  reqId: "text",
  operation: "text"
} as const satisfies Readonly<Record<string, "text" | "number">>

export type SystemVariable = keyof typeof systemVariables

const kindOf = (variable: string): "text" | "number" =>
  Object.hasOwn(systemVariables, variable) ? systemVariables[variable as SystemVariable] : "text" // hasOwn says so

/** A template in pieces: literal texts, each followed by a variable, and a last literal. */
interface Pieces {
  readonly literals: ReadonlyArray<string>
  readonly variables: ReadonlyArray<string>
}

const split = (template: string): Either.Either<Pieces, string> => {
  const literals: Array<string> = []
  const variables: Array<string> = []
  let from = 0
  for (let at = template.indexOf("$"); at !== -1; at = template.indexOf("$", from)) {
    if (template[at + 1] !== "{") return Either.left('a "$" must be followed by "{" at once')
    const end = template.indexOf("}", at)
    if (end === -1) return Either.left('a "${" must be closed by "}"')
    literals.push(template.slice(from, at))
    variables.push(template.slice(at + 2, end))
    from = end + 1
  }
  return Either.right({ literals: [...literals, template.slice(from)], variables })
}

/** The variables that a template names, in order. Fails with a sentence when a `$` is not part of `${…}`. */
export const placeholders = (template: string): Either.Either<ReadonlyArray<string>, string> =>
  Either.map(split(template), ({ variables }) => variables)

/** Whether a JSON text, cut off where it is, leaves a string open. `open` says whether it began inside one. */
const endsInString = (text: string, open: boolean): boolean => {
  for (let i = 0; i < text.length; i++) {
    if (open && text[i] === "\\") i++
    else if (text[i] === '"') open = !open
  }
  return open
}

/**
 * Checks a hand-written JSON template. Fails with a sentence for a placeholder inside quotes, whose rendering is not known
 * for texts (probably broken JSON), and for what could not become JSON.
 */
export const checkJson = (template: string): Either.Either<void, string> =>
  Either.flatMap(split(template), ({ literals, variables }) => {
    let open = false
    for (const [i, variable] of variables.entries()) {
      open = endsInString(literals[i]!, open) // one literal before each variable
      if (open) return Either.left(`\${${variable}} must not stand inside quotes: OSS adds them to texts by itself`)
    }
    // Stand-ins of the right kind, so that a text right behind a digit is seen to be wrong.
    const standIns = variables.map((variable) => (kindOf(variable) === "number" ? "0" : '""'))
    const sample = literals.map((literal, i) => literal + (standIns[i] ?? "")).join("")
    return Either.mapLeft(
      Either.try(() => void JSON.parse(sample)),
      () => "must be JSON once the variables are put in"
    )
  })

/** What OSS knows of a variable; `undefined` when it knows nothing. */
export type Lookup = (variable: string) => string | number | bigint | undefined

/**
 * The body that OSS would send. A template that `placeholders` refuses is rendered as it is; a lone surrogate, which has no
 * UTF-8 form, as U+FFFD.
 */
export const render = (template: string, bodyType: BodyType, lookup: Lookup): string => {
  const pieces = split(template)
  if (Either.isLeft(pieces)) return template
  const { literals, variables } = pieces.right
  let body = literals[0]! // there is always one
  let open = endsInString(body, false)
  for (const [i, variable] of variables.entries()) {
    const value = lookup(variable)
    body += bodyType === json ? renderJson(variable, value, open) : Uri.encode(wellFormed(String(value ?? "")))
    const next = literals[i + 1]! // one literal after each variable
    if (bodyType === json) open = endsInString(next, open)
    body += next
  }
  return body
}

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd")

// A missing number leaves nothing, which makes the body invalid JSON: seen so, and decoded all the same.
const renderJson = (variable: string, value: ReturnType<Lookup>, inQuotes: boolean): string => {
  if (inQuotes) return String(value ?? "")
  if (value === undefined) return kindOf(variable) === "number" ? "" : "null"
  return typeof value === "string" ? JSON.stringify(value) : String(value)
}
