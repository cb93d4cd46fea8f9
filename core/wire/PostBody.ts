/**
 * A form upload's body, multipart/form-data, as what comes before the file's bytes and what comes after. Pure.
 *
 * The length is known beforehand, so the file need not be in memory. All sizes are in bytes. Names are escaped as browsers
 * do it: a quote becomes %22, CR %0D, LF %0A, all else is UTF-8 as it stands. Values are data and are not touched.
 * Sources: HTML Standard, "Multipart form data", https://html.spec.whatwg.org/multipage/form-control-infrastructure.html;
 * RFC 7578; RFC 2046 §5.1.1 (boundaries); "PostObject" and the pages of EC 0006-00000104, -110, -112 and 0007-00000001.
 */
import * as Either from "effect/Either"
import * as Bytes from "../model/Bytes.ts"
import { InvalidParam } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import { canonicalName, maxFileBytes, maxNameBytes } from "./policy/Condition.ts"
import { maxBase64Bytes } from "./policy/Document.ts"

export interface Options {
  /** In the order they are to be sent, `key` first by custom. No name twice, in whatever case, and none is `file`. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
  readonly file: {
    /** Bytes. */
    readonly size: number
    /** What `${filename}` in the key becomes. Default `file`: a part without one is taken for a field by many servers. */
    readonly filename?: string | undefined
    /** Counts before a `content-type` field. Default: none is sent, and that field counts. */
    readonly contentType?: string | undefined
  }
  /** See `boundary`. The file's bytes are not searched for it, so it must be left to chance. */
  readonly boundary: string
}

export interface PostBody {
  /** The request's Content-Type. */
  readonly contentType: string
  /** To be sent before the file. */
  readonly prefix: Uint8Array<ArrayBuffer>
  /** To be sent after the file. */
  readonly suffix: Uint8Array<ArrayBuffer>
  /** Prefix, file and suffix: the request's Content-Length. */
  readonly size: number
}

/** What the fields may take together, with their headers, in bytes. */
export const maxFieldsBytes = Bytes.MiB(8)
/** The longest value of a field, in bytes. One page of OSS's says 4 KB, another 2 MB: the smaller is safe. */
export const maxValueBytes = Bytes.KiB(4)

const ownLimits: ReadonlyMap<string, number> = new Map([
  ["policy", maxBase64Bytes],
  ["callback", Bytes.KiB(5)],
  ["callback-var", Bytes.KiB(5)]
])

/** A boundary of 128 bits of chance. */
export const boundary = (random: bigint): string =>
  `effect-oss-${BigInt.asUintN(128, random).toString(16).padStart(32, "0")}`

// Of what RFC 2046 allows, that which needs no quotes in a header.
const boundaryForm = /^[A-Za-z0-9_-]{1,70}$/
const visible = /^[ -~]*$/

/**
 * Builds the body around a file. Fails with `InvalidParam` for `boundary`, `file.size`, `file.filename`,
 * `file.contentType`, `fields`, or the field at fault, `fields.callback`, naming unit and limit.
 */
export const make = (options: Options): Either.Either<PostBody, InvalidParam> =>
  Either.gen(function* () {
    const { boundary, fields, file } = options
    if (!boundaryForm.test(boundary)) {
      return yield* refuse("boundary", 'must be 1 to 70 of A-Z, a-z, 0-9, "_" and "-"')
    }
    const seen = new Set<string>()
    let text = ""
    for (const [name, value] of fields) {
      yield* checkField(name, value, boundary)
      const canonical = canonicalName(name)
      if (seen.has(canonical)) return yield* refuse(`fields.${name}`, "must not be given twice")
      seen.add(canonical)
      text += `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"\r\n\r\n${value}\r\n`
    }
    const fieldsBytes = Utf8.byteLength(text)
    if (fieldsBytes > maxFieldsBytes) {
      return yield* refuse(
        "fields",
        `must be at most ${maxFieldsBytes} bytes with their headers, got ${fieldsBytes} bytes`
      )
    }
    text += yield* fileHeader(file, boundary)
    const prefix = Utf8.encode(text)
    const suffix = Utf8.encode(`\r\n--${boundary}--\r\n`)
    const size = prefix.length + file.size + suffix.length
    return { contentType: `multipart/form-data; boundary=${boundary}`, prefix, suffix, size }
  })

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const checkField = (name: string, value: string, boundary: string): Either.Either<void, InvalidParam> => {
  if (name === "") return refuse("fields", "a field's name must not be empty")
  if (Utf8.byteLength(name) > maxNameBytes) {
    return refuse("fields", `a field's name must be at most ${maxNameBytes} bytes, got ${Utf8.byteLength(name)} bytes`)
  }
  const field = `fields.${name}`
  const canonical = canonicalName(name)
  if (canonical === "file") return refuse(field, "must not be a field: the file comes by itself, and last")
  const limit = ownLimits.get(canonical) ?? maxValueBytes
  const bytes = Utf8.byteLength(value)
  if (bytes > limit) return refuse(field, `must be at most ${limit} bytes, got ${bytes} bytes`)
  return checkText(field, name + value, boundary)
}

const checkText = (field: string, text: string, boundary: string): Either.Either<void, InvalidParam> => {
  if (!Utf8.isWellFormed(text)) return refuse(field, "must be well-formed Unicode, got a lone surrogate")
  return text.includes(boundary) ? refuse("boundary", `must not occur in ${field}: choose another`) : Either.void
}

const fileHeader = (file: Options["file"], boundary: string): Either.Either<string, InvalidParam> =>
  Either.gen(function* () {
    const { contentType, filename = "file", size } = file
    if (!Number.isInteger(size) || size < 0 || size > maxFileBytes) {
      return yield* refuse("file.size", `must be whole bytes, 0 to ${maxFileBytes}, got ${size} bytes`)
    }
    if (Utf8.byteLength(filename) > maxNameBytes) {
      const bytes = Utf8.byteLength(filename)
      return yield* refuse("file.filename", `must be at most ${maxNameBytes} bytes, got ${bytes} bytes`)
    }
    yield* checkText("file.filename", filename, boundary)
    if (contentType !== undefined && (!visible.test(contentType) || contentType.length > maxNameBytes)) {
      return yield* refuse("file.contentType", `must be at most ${maxNameBytes} bytes of visible ASCII`)
    }
    yield* checkText("file.contentType", contentType ?? "", boundary)
    const type = contentType === undefined ? "" : `\r\nContent-Type: ${contentType}`
    const disposition = `form-data; name="file"; filename="${escape(filename)}"`
    return `--${boundary}\r\nContent-Disposition: ${disposition}${type}\r\n\r\n`
  })

const escapes: Readonly<Record<string, string>> = { '"': "%22", "\r": "%0D", "\n": "%0A" }

const escape = (name: string): string => name.replace(/["\r\n]/g, (character) => escapes[character]!)
