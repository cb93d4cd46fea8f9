/**
 * The form of a PostObject: its fields, then its one file, still unread.
 *
 * Limits are in bytes. Sources: "PostObject", https://www.alibabacloud.com/help/en/oss/developer-reference/postobject; error
 * articles 0006-00000104 (form broken, or file not last), -110 (field name), -112 (all fields together).
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as PostPolicy from "../../core/wire/PostPolicy.ts"
import type * as Http from "./Http.ts"
import * as MultipartForm from "./MultipartForm.ts"
import * as Refusal from "./Refusal.ts"
import type { Limits } from "./Settings.ts"

export interface Form {
  /** As they came, in their order; names in their own case. */
  readonly entries: ReadonlyArray<readonly [name: string, value: string]>
  /** By name in lower case; of two of the same name, the first. `x:` variables keep their case. */
  readonly fields: ReadonlyMap<string, string>
  readonly file: MultipartForm.Part
  /** Reads on to the end of the request, to be done when the file is read. Refuses a second file and a broken end. */
  readonly finish: Effect.Effect<void, Refusal.Refusal>
  /** The MD5 of the whole body, once it is finished. */
  readonly md5: () => Buffer
}

const maxName = 8 * 1024
const maxValue = 2 * 1024 * 1024

/** The refusal for whatever reading a form may throw. */
export const refusalOf = (cause: unknown): Refusal.Refusal => {
  if (Refusal.isRefusal(cause)) return cause
  return cause instanceof MultipartForm.MalformedForm ? Refusal.malformedPost(cause.detail) : Refusal.incompleteBody
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readValue = async (part: MultipartForm.Part, room: number): Promise<string> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of part.content) {
    size += chunk.length
    if (size > maxValue) throw Refusal.fieldTooLong(part.name)
    if (size > room) throw Refusal.fieldsTooLong
    chunks.push(chunk)
  }
  try {
    return strict.decode(Buffer.concat(chunks))
  } catch {
    throw Refusal.malformedPost(`the field ${part.name} is not UTF-8`)
  }
}

const isFile = ({ name }: MultipartForm.Part): boolean => PostPolicy.canonicalName(name) === "file"

const readFields = async (
  parts: AsyncIterator<MultipartForm.Part>,
  limits: Limits
): Promise<Pick<Form, "entries" | "file">> => {
  const entries: Array<readonly [string, string]> = []
  let total = 0
  while (true) {
    const next = await parts.next()
    if (next.done === true) throw Refusal.filesInPost
    const part = next.value
    if (isFile(part)) return { entries, file: part }
    const name = Buffer.byteLength(part.name)
    if (name > maxName) throw Refusal.fieldNameTooLong
    const value = await readValue(part, limits.maxFormFields - total - name)
    total += name + Buffer.byteLength(value)
    entries.push([part.name, value])
  }
}

const readRest = async (parts: AsyncIterator<MultipartForm.Part>): Promise<void> => {
  while (true) {
    const next = await parts.next()
    if (next.done === true) return
    // What follows the file is passed over, like the button in Alibaba's own sample; but not a second file.
    if (isFile(next.value)) throw Refusal.filesInPost
  }
}

const byName = (entries: Form["entries"]): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>()
  for (const [name, value] of entries) {
    const canonical = name.startsWith("x:") ? name : PostPolicy.canonicalName(name)
    if (!fields.has(canonical)) fields.set(canonical, value)
  }
  return fields
}

/** Reads a request up to its file. Refuses what is no form, what is broken, and what has no file or too many fields. */
export const open = (request: Http.Request, limits: Limits): Effect.Effect<Form, Refusal.Refusal> =>
  Effect.gen(function* () {
    const contentType = request.headers["content-type"] ?? ""
    if (!MultipartForm.isForm(contentType)) return yield* Effect.fail(Refusal.notAForm)
    const boundary = MultipartForm.boundary(contentType)
    if (boundary === undefined) return yield* Effect.fail(Refusal.malformedPost("it has no boundary"))
    request.sendContinue()
    const md5 = NodeCrypto.createHash("md5")
    const source = request.body[Symbol.asyncIterator]()
    async function* hashed(): AsyncGenerator<Uint8Array> {
      while (true) {
        const next = await source.next()
        if (next.done === true) return
        md5.update(next.value)
        yield next.value
      }
    }
    const bytes = hashed()
    const parts = MultipartForm.read({ [Symbol.asyncIterator]: () => ({ next: () => bytes.next() }) }, boundary)
    const { entries, file } = yield* Effect.tryPromise({ try: () => readFields(parts, limits), catch: refusalOf })
    const finish = Effect.tryPromise({
      try: async () => {
        await readRest(parts)
        for await (const _ of bytes) continue // what follows the last boundary
      },
      catch: refusalOf
    })
    return { entries, fields: byName(entries), file, finish, md5: () => md5.copy().digest() }
  })
