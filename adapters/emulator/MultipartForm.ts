/**
 * multipart/form-data, read as a stream: part after part, each part's bytes as they come, in memory that does not grow.
 *
 * Strict where a lenient reader would lose or invent bytes: a form without its closing line is broken, and a line that
 * only begins like the boundary is content. A part is what its name says, with a file name or without: oss2's sample
 * sends its file without one. (multipasta 0.2.8, which could have been used, takes a closing line that arrives in two
 * pieces for the head of another part.) Sources: RFC 7578, RFC 2046 §5.1.1; forms of browsers, curl and the samples.
 */
import * as Data from "effect/Data"

/** The form is not what it claims to be. */
export class MalformedForm extends Data.TaggedError("MalformedForm")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

export interface Part {
  readonly name: string
  readonly filename: string | undefined
  readonly contentType: string | undefined
  /** To be read to its end before the next part is asked for; what is not read is passed over. */
  readonly content: AsyncIterable<Uint8Array>
}

/** The longest head of a part, in bytes: a name may have 8 KiB. */
const maxHead = 32 * 1024

/** The boundary in a Content-Type; `undefined` when it is no multipart/form-data with a boundary of 1 to 70 characters. */
export const boundary = (contentType: string): string | undefined => {
  const [, quoted, token] =
    /^multipart\/form-data\s*(?:;[^;]*)*?;\s*boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))\s*(?:;|$)/i.exec(
      contentType
    ) ?? []
  return quoted ?? token
}

/** Whether a Content-Type is multipart/form-data at all. */
export const isForm = (contentType: string): boolean => /^multipart\/form-data\s*(?:;|$)/i.test(contentType)

const crlf = Buffer.from("\r\n")

/** Bytes that can be looked at before they are taken. */
class Window {
  private held: Buffer = crlf // so that the first boundary is found like all others: at the beginning of a line
  private ended = false
  readonly source: AsyncIterator<Uint8Array>

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]()
  }

  get bytes(): Buffer {
    return this.held
  }

  take(length: number): Buffer {
    const taken = this.held.subarray(0, length)
    this.held = this.held.subarray(length)
    return taken
  }

  /** Holds more bytes than before, or says that there are none. */
  async more(): Promise<boolean> {
    if (this.ended) return false
    const next = await this.source.next()
    if (next.done === true) {
      this.ended = true
      return false
    }
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength)
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    return true
  }
}

const broken = (detail: string): MalformedForm => new MalformedForm({ detail })

type Mark = { readonly kind: "part" | "end" | "content"; readonly length: number } | "unknown"

// What stands at a place that looks like a boundary; "unknown" while too little has come to tell.
const markAt = (bytes: Buffer, from: number): Mark => {
  const after = bytes.subarray(from, from + 256)
  if (after.length >= 2 && after[0] === 0x2d && after[1] === 0x2d) return { kind: "end", length: 2 }
  const blanks = after.findIndex((byte) => byte !== 0x20 && byte !== 0x09)
  const at = blanks === -1 ? after.length : blanks
  if (at > 64) return { kind: "content", length: 0 }
  if (at === 0 && after.length === 1 && after[0] === 0x2d) return "unknown"
  if (after.length < at + 2)
    return after.length === at || after[at] === 0x0d ? "unknown" : { kind: "content", length: 0 }
  return after[at] === 0x0d && after[at + 1] === 0x0a
    ? { kind: "part", length: at + 2 }
    : { kind: "content", length: 0 }
}

/** Yields the content up to the next boundary; returns what the boundary opens. */
async function* content(window: Window, delimiter: Buffer): AsyncGenerator<Uint8Array, "part" | "end"> {
  let from = 0
  while (true) {
    const at = window.bytes.indexOf(delimiter, from)
    if (at === -1) {
      // All but the bytes that may be the beginning of a boundary is content.
      const safe = window.bytes.length - (delimiter.length - 1)
      if (safe > 0) yield window.take(safe)
      from = 0
      if (!(await window.more())) throw broken("it ends without its closing boundary")
      continue
    }
    const mark = markAt(window.bytes, at + delimiter.length)
    if (mark === "unknown") {
      if (at > 0) yield window.take(at)
      from = 0
      if (!(await window.more())) throw broken("it ends in the midst of a boundary")
      continue
    }
    if (mark.kind === "content") {
      from = at + delimiter.length
      continue
    }
    if (at > 0) yield window.take(at)
    window.take(delimiter.length + mark.length)
    return mark.kind
  }
}

const blankLine = Buffer.from("\r\n\r\n")

const readHead = async (window: Window): Promise<string> => {
  // A part without any header begins with the blank line.
  while (true) {
    if (window.bytes.subarray(0, 2).equals(crlf)) return window.take(2).toString("latin1")
    const at = window.bytes.indexOf(blankLine)
    if (at > maxHead || (at === -1 && window.bytes.length > maxHead)) throw broken("the head of a part is too long")
    if (at !== -1) return utf8(window.take(at + blankLine.length))
    if (!(await window.more())) throw broken("it ends in the head of a part")
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const utf8 = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes)
  } catch {
    throw broken("the head of a part is not UTF-8")
  }
}

const parameterForm = /\s*;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y

// `name="a\"b"`: curl escapes quotes with a backslash, browsers write %22, which stays.
const parameters = (header: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  parameterForm.lastIndex = header.indexOf(";") === -1 ? header.length : header.indexOf(";")
  while (true) {
    const [, name, quoted, token] = parameterForm.exec(header) ?? []
    if (name === undefined) return found
    const lower = name.toLowerCase()
    if (!found.has(lower)) found.set(lower, quoted?.replace(/\\(["\\])/g, "$1") ?? token ?? "")
  }
}

const describe = (head: string): Omit<Part, "content"> => {
  const headers = new Map<string, string>()
  for (const line of head.split("\r\n")) {
    if (line === "") continue
    const at = line.indexOf(":")
    if (at <= 0) throw broken("a header of a part has no colon")
    headers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim())
  }
  const disposition = headers.get("content-disposition") ?? ""
  const given = parameters(disposition)
  const name = given.get("name")
  if (name === undefined || !/^form-data\s*;/i.test(disposition)) throw broken("a part has no name")
  return { name, filename: given.get("filename"), contentType: headers.get("content-type") }
}

/** The parts of a form. Throws `MalformedForm`, and whatever the body itself throws. */
export async function* read(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const window = new Window(body)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  let next = await skip(content(window, delimiter)) // what stands before the first boundary means nothing
  while (next === "part") {
    const iterator = content(window, delimiter)
    let opened: "part" | "end" | undefined
    async function* rest(): AsyncGenerator<Uint8Array> {
      opened = yield* iterator
    }
    const unread = rest()
    yield { ...describe(await readHead(window)), content: { [Symbol.asyncIterator]: () => keepOpen(unread) } }
    for await (const _ of unread) continue
    if (opened === undefined) throw broken("a part was left in the midst")
    next = opened
  }
}

// Whoever stops reading a part early must not end the form.
const keepOpen = (iterator: AsyncGenerator<Uint8Array>): AsyncIterator<Uint8Array> => ({ next: () => iterator.next() })

const skip = async (iterator: AsyncGenerator<Uint8Array, "part" | "end">): Promise<"part" | "end"> => {
  while (true) {
    const next = await iterator.next()
    if (next.done === true) return next.value
  }
}
