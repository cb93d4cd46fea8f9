/**
 * The reader of multipart/form-data: the same parts, however the bytes are cut.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as MultipartForm from "../../../adapters/emulator/MultipartForm.ts"

interface Seen {
  readonly name: string
  readonly filename: string | undefined
  readonly contentType: string | undefined
  readonly content: string
}

async function* cut(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

const read = async (text: string | Uint8Array, boundary: string, step = 1 << 20): Promise<ReadonlyArray<Seen>> => {
  const bytes = typeof text === "string" ? Buffer.from(text) : text
  const seen: Array<Seen> = []
  for await (const part of MultipartForm.read(cut(bytes, step), boundary)) {
    const chunks: Array<Uint8Array> = []
    for await (const chunk of part.content) chunks.push(chunk)
    const { content: _, ...head } = part
    seen.push({ ...head, content: Buffer.concat(chunks).toString("latin1") })
  }
  return seen
}

const form = (...parts: ReadonlyArray<readonly [head: string, content: string]>): string =>
  parts.map(([head, content]) => `--B\r\n${head}\r\n\r\n${content}\r\n`).join("") + "--B--\r\n"

const field = (name: string, content: string) => [`Content-Disposition: form-data; name="${name}"`, content] as const

const rejects = async (text: string, message: RegExp): Promise<void> => {
  for (const step of [1, 3, 1000]) {
    const error: unknown = await read(text, "B", step).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert.instanceOf(error, MultipartForm.MalformedForm)
    assert.match(error.message, message)
  }
}

// Whether the first boundary after a content is the one that ends it.
const ends = (text: string): boolean => `${text}\r\n--B\r\n`.search(/\r\n--B(?:--|[ \t]*\r\n)/) === text.length

describe("MultipartForm", () => {
  it("reads fields and files in order, whatever their names say of their kind", async () => {
    const text = form(
      field("key", "a.txt"),
      ['Content-Disposition: form-data; name="file"; filename="x.png"\r\nContent-Type: image/png', "\x89PNG\r\n\r\n"],
      field("submit", "")
    )
    for (let step = 1; step < 40; step++) {
      assert.deepStrictEqual(await read(text, "B", step), [
        { name: "key", filename: undefined, contentType: undefined, content: "a.txt" },
        {
          name: "file",
          filename: "x.png",
          contentType: "image/png",
          content: Buffer.from("\x89PNG\r\n\r\n").toString("latin1")
        },
        { name: "submit", filename: undefined, contentType: undefined, content: "" }
      ])
    }
  })

  it("takes a line that only begins like the boundary for content", async () => {
    const text = form(field("file", "a\r\n--Bee\r\n--B x\r\n--B-\r\n--"))
    for (let step = 1; step < 40; step++) {
      assert.strictEqual((await read(text, "B", step))[0]?.content, "a\r\n--Bee\r\n--B x\r\n--B-\r\n--")
    }
  })

  it("passes over what stands before the first boundary and after the last, and blanks after a boundary", async () => {
    const text = `preamble\r\n--B \t\r\n${field("a", "1").join("\r\n\r\n")}\r\n--B--epilogue\r\n--B\r\n`
    assert.deepStrictEqual(
      (await read(text, "B", 2)).map(({ name, content }) => [name, content]),
      [["a", "1"]]
    )
  })

  it("passes over the rest of a part that is not read", async () => {
    const names: Array<string> = []
    for await (const part of MultipartForm.read(
      cut(Buffer.from(form(field("a", "x".repeat(99)), field("b", ""))), 7),
      "B"
    )) {
      names.push(part.name)
      for await (const _ of part.content) break
    }
    assert.deepStrictEqual(names, ["a", "b"])
  })

  it("reads names with quotes, semicolons, and other than ASCII", async () => {
    const names = ['x:a\\"b', "a; filename=z", "größe", "a%22b"]
    const seen = await read(form(...names.map((name) => field(name, ""))), "B", 5)
    assert.deepStrictEqual(
      seen.map(({ name, filename }) => [name, filename]),
      [
        ['x:a"b', undefined],
        ["a; filename=z", undefined],
        ["größe", undefined],
        ["a%22b", undefined]
      ]
    )
  })

  it("refuses a form that is not whole", async () => {
    const whole = form(field("file", "hello"))
    await rejects(whole.slice(0, -6), /closing boundary|midst of a boundary/)
    await rejects(whole.slice(0, 20), /head of a part/)
    await rejects("", /closing boundary/)
    await rejects("--B\r\nContent-Type: text/plain\r\n\r\n\r\n--B--", /no name/)
    await rejects("--B\r\n\r\nx\r\n--B--", /no name/)
    await rejects("--B\r\nrubbish\r\n\r\nx\r\n--B--", /no colon/)
    await rejects(`--B\r\nA: ${"x".repeat(40_000)}`, /too long/)
  })

  it("finds the boundary in a Content-Type", () => {
    const cases: ReadonlyArray<readonly [string, string | undefined]> = [
      ["multipart/form-data; boundary=abc", "abc"],
      ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', "a b"],
      ["multipart/form-data;boundary=----WebKit'()+_,-./:=?", undefined],
      ["multipart/form-data", undefined],
      ["multipart/form-data; boundary=", undefined],
      [`multipart/form-data; boundary=${"a".repeat(71)}`, undefined],
      ["multipart/mixed; boundary=abc", undefined]
    ]
    for (const [type, expected] of cases) assert.strictEqual(MultipartForm.boundary(type), expected, type)
  })

  it("gives back what was written, however it is cut", async () => {
    const content = FastCheck.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"))
    // Made of what boundaries are made of, so that near misses are common.
    const tricky = FastCheck.array(FastCheck.constantFrom("\r", "\n", "-", "--", "B", "\r\n--B", " ", "x")).map((a) =>
      a.join("")
    )
    const body = FastCheck.oneof(content, tricky).filter(ends)
    await FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.array(body, { maxLength: 4 }),
        FastCheck.integer({ min: 1, max: 30 }),
        async (contents, step) => {
          const bytes = Buffer.from(form(...contents.map((text, i) => field(`f${i}`, text))), "latin1")
          const seen = (await read(bytes, "B", step)).map((part) => part.content)
          return JSON.stringify(seen) === JSON.stringify(contents)
        }
      ),
      { numRuns: 10_000 }
    )
  })
})
