/**
 * PostBody: the bytes of a form upload, their number, and what may not become one. An independent reader, the platform's
 * own `Response.formData`, finds in the body what was put into it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as PostBody from "../../../core/wire/PostBody.ts"

const boundary = PostBody.boundary(1n)

const make = (
  fields: PostBody.Options["fields"],
  file: PostBody.Options["file"] = { size: 2 },
  with_: string = boundary
) => PostBody.make({ fields, file, boundary: with_ })

const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes)

const fieldsOf = (count: number) => Array.from({ length: count }, (_, i) => [`x:${i}`, "v".repeat(4096)] as const)

describe("PostBody.make", () => {
  it("puts the fields in their order, and the file last", () => {
    const body = Either.getOrThrow(
      make(
        [
          ["key", "avatars/用户/${filename}"],
          ["x:user", "a\r\nb"]
        ],
        { size: 7, filename: "😀.png", contentType: "image/png" },
        "B"
      )
    )
    assert.strictEqual(
      text(body.prefix),
      '--B\r\nContent-Disposition: form-data; name="key"\r\n\r\navatars/用户/${filename}\r\n' +
        '--B\r\nContent-Disposition: form-data; name="x:user"\r\n\r\na\r\nb\r\n' +
        '--B\r\nContent-Disposition: form-data; name="file"; filename="😀.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    assert.strictEqual(text(body.suffix), "\r\n--B--\r\n")
    assert.strictEqual(body.size, body.prefix.length + 7 + body.suffix.length)
    assert.strictEqual(body.contentType, "multipart/form-data; boundary=B")
  })

  it("names the file in any case, and its type only when it is given", () =>
    assert.strictEqual(
      text(Either.getOrThrow(make([], { size: 0 }, "b")).prefix),
      '--b\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
    ))

  it("escapes names as browsers do, so that none can begin another header", () => {
    const body = Either.getOrThrow(make([['a"\r\nb', "1"]], { size: 0, filename: '"\r\nX-Evil: 1\\%22' }, "B"))
    assert.include(text(body.prefix), 'name="a%22%0D%0Ab"')
    assert.include(text(body.prefix), 'filename="%22%0D%0AX-Evil: 1\\%22"')
  })

  const max = (name: string, length: number) => make([[name, "v".repeat(length)]])

  it.each([
    ["value", max("key", 4096), max("key", 4097), "fields.key: must be at most 4096 bytes, got 4097 bytes"],
    [
      "value in UTF-8",
      max("key", 4096),
      make([["key", "é".repeat(2049)]]),
      "fields.key: must be at most 4096 bytes, got 4098 bytes"
    ],
    [
      "callback",
      max("callback", 5120),
      max("callback", 5121),
      "fields.callback: must be at most 5120 bytes, got 5121 bytes"
    ],
    [
      "policy",
      max("policy", Bytes.MiB(2)),
      max("Policy", Bytes.MiB(2) + 1),
      "fields.Policy: must be at most 2097152 bytes, got 2097153 bytes"
    ],
    [
      "name",
      make([["n".repeat(8192), ""]]),
      make([["n".repeat(8193), ""]]),
      "fields: a field's name must be at most 8192 bytes, got 8193 bytes"
    ],
    ["empty name", make([["n", ""]]), make([["", "v"]]), "fields: a field's name must not be empty"],
    [
      "name given twice",
      make([
        ["key", "a"],
        ["keys", "a"]
      ]),
      make([
        ["key", "a"],
        ["Key", "b"]
      ]),
      "fields.Key: must not be given twice"
    ],
    [
      "field called file",
      make([["files", "a"]]),
      make([["FILE", "a"]]),
      "fields.FILE: must not be a field: the file comes by itself, and last"
    ],
    [
      "lone surrogate",
      make([["key", "\ud83d\ude00"]]),
      make([["key", "\ud83d"]]),
      "fields.key: must be well-formed Unicode, got a lone surrogate"
    ],
    [
      "all fields",
      make(fieldsOf(2000)),
      make(fieldsOf(2001)),
      "fields: must be at most 8388608 bytes with their headers, got 8391084 bytes"
    ],
    [
      "size",
      make([], { size: Bytes.GiB(5) }),
      make([], { size: Bytes.GiB(5) + 1 }),
      "file.size: must be whole bytes, 0 to 5368709120, got 5368709121 bytes"
    ],
    [
      "negative size",
      make([], { size: 0 }),
      make([], { size: -1 }),
      "file.size: must be whole bytes, 0 to 5368709120, got -1 bytes"
    ],
    [
      "broken size",
      make([], { size: 1 }),
      make([], { size: 1.5 }),
      "file.size: must be whole bytes, 0 to 5368709120, got 1.5 bytes"
    ],
    [
      "filename",
      make([], { size: 1, filename: "n".repeat(8192) }),
      make([], { size: 1, filename: "n".repeat(8193) }),
      "file.filename: must be at most 8192 bytes, got 8193 bytes"
    ],
    [
      "filename's text",
      make([], { size: 1, filename: "" }),
      make([], { size: 1, filename: "\udc00" }),
      "file.filename: must be well-formed Unicode, got a lone surrogate"
    ],
    [
      "type",
      make([], { size: 1, contentType: "a/b; c=d" }),
      make([], { size: 1, contentType: "a/b\r\nX: 1" }),
      "file.contentType: must be at most 8192 bytes of visible ASCII"
    ],
    [
      "boundary",
      make([], { size: 1 }, "b".repeat(70)),
      make([], { size: 1 }, "b".repeat(71)),
      'boundary: must be 1 to 70 of A-Z, a-z, 0-9, "_" and "-"'
    ],
    [
      "boundary's letters",
      make([], { size: 1 }, "a-_9"),
      make([], { size: 1 }, "a b"),
      'boundary: must be 1 to 70 of A-Z, a-z, 0-9, "_" and "-"'
    ],
    [
      "boundary in a value",
      make([["key", `--${boundary.slice(1)}`]]),
      make([["key", `--${boundary}`]]),
      "boundary: must not occur in fields.key: choose another"
    ],
    [
      "boundary in a name",
      make([[boundary.slice(1), ""]]),
      make([[boundary, ""]]),
      `boundary: must not occur in fields.${boundary}: choose another`
    ],
    [
      "boundary in the filename",
      make([], { size: 1, filename: "b" }),
      make([], { size: 1, filename: boundary }),
      "boundary: must not occur in file.filename: choose another"
    ],
    [
      "boundary in the type",
      make([], { size: 1, contentType: "b" }),
      make([], { size: 1, contentType: boundary }),
      "boundary: must not occur in file.contentType: choose another"
    ]
  ])("limits the %s", (_, taken, refused, message) => {
    assert.isTrue(Either.isRight(taken))
    assert.strictEqual(Either.getOrThrow(Either.flip(refused)).message, message)
  })
})

describe("PostBody.boundary", () => {
  it("spells 128 bits, whatever number it is given", () => {
    assert.strictEqual(PostBody.boundary(0xabcn), "effect-oss-00000000000000000000000000000abc")
    assert.strictEqual(PostBody.boundary(-1n), `effect-oss-${"f".repeat(32)}`)
    assert.strictEqual(PostBody.boundary(1n << 128n), `effect-oss-${"0".repeat(32)}`)
  })

  it("is a boundary that make takes", () => assert.isTrue(Either.isRight(make([]))))
})

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.stringOf(fc.constantFrom("\r", "\n", '"', "-", "%22", "%", "\\", ";", "=", "b", "\0"), { maxLength: 12 })
)

// The platform's reader removes a byte-order mark from a value, and reads %22, %0D and %0A in names as what they stand for.
const value = anyText.filter((text) => !text.startsWith("\ufeff"))
const name = value.filter((text) => text !== "" && !/%(?:22|0d|0a)/i.test(text) && !/^file$/i.test(text))

const form = fc.record({
  fields: fc.uniqueArray(fc.tuple(name, value), {
    maxLength: 5,
    selector: ([name]) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  }),
  filename: name,
  content: fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.from(bytes)),
  boundary: fc.bigInt().map(PostBody.boundary)
})

const read = async ({ contentType, prefix, suffix }: PostBody.PostBody, content: Uint8Array<ArrayBuffer>) => {
  const body = new Blob([prefix, content, suffix])
  const entries = [...(await new Response(body, { headers: { "content-type": contentType } }).formData())]
  return Promise.all(
    entries.map(async ([name, value]) =>
      typeof value === "string"
        ? [name, value]
        : [name, value.name, [...new Uint8Array(await value.arrayBuffer())].join()]
    )
  )
}

describe("PostBody and another's reader", () => {
  it("says of itself the size it has", () =>
    fc.assert(
      fc.property(form, ({ boundary, content, fields, filename }) => {
        const { prefix, size, suffix } = Either.getOrThrow(make(fields, { size: content.length, filename }, boundary))
        return size === Buffer.concat([prefix, content, suffix]).length
      }),
      { numRuns: 10_000 }
    ))

  it("is read as what was put into it, in the same order", () =>
    fc.assert(
      fc.asyncProperty(form, async ({ boundary, content, fields, filename }) => {
        const body = Either.getOrThrow(make(fields, { size: content.length, filename }, boundary))
        const put = [...fields, ["file", filename, content.join()]]
        assert.strictEqual(JSON.stringify(await read(body, content)), JSON.stringify(put))
      }),
      { numRuns: 10_000 }
    ))
})
