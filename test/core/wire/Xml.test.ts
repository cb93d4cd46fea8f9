import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as Xml from "../../../core/wire/Xml.ts"
import { fastest } from "../../support/Cpu.ts"

const parse = (text: string) => Xml.parse(Utf8.encode(text), "R")
const reason = (text: string) => Either.match(parse(text), { onLeft: (why) => why, onRight: () => "" })

describe("Xml.parse", () => {
  it("gives texts, records and, for names that stand twice, arrays", () => {
    const xml = `<?xml version="1.0"?><R xmlns="http://x"><A>1 &amp; 2</A><P><N>1</N></P><P><N>2</N></P><E/></R>`
    assert.deepEqual(Either.getOrThrow(parse(xml)), { A: "1 & 2", P: [{ N: "1" }, { N: "2" }], E: "" })
  })

  it("refuses what a document from the network must not be", () => {
    assert.strictEqual(reason(`<!DOCTYPE R [<!ENTITY x "y">]><R>&x;</R>`), "its XML has a DOCTYPE")
    assert.strictEqual(reason("<R>&x;</R>"), "its body is not well-formed XML")
    assert.strictEqual(reason("<R>".repeat(33)), "its XML is nested deeper than 32 elements")
    assert.strictEqual(reason(`<a b="/>">`.repeat(100_000)), "its XML is nested deeper than 32 elements")
    assert.strictEqual(reason("<Q/>"), "its root element is not R")
    assert.strictEqual(reason("{}"), "its body is not well-formed XML")
    assert.strictEqual(
      Either.getOrElse(Either.flip(Xml.parse(Uint8Array.of(0xff), "R")), () => ""),
      "its body is not UTF-8"
    )
    assert.strictEqual(
      Either.getOrElse(Either.flip(Xml.parse(new Uint8Array(Xml.maxBytes + 1), "R")), () => ""),
      `its XML is longer than ${Xml.maxBytes} bytes`
    )
  })

  it("counts depth as a parser does: what only looks like a tag is none", () => {
    const deep = (n: number, before: string, tag = "<a>") => `<R>${before}${tag.repeat(n)}${"</a>".repeat(n)}</R>`
    const hides = ["", "<!-- </a> -->", "<![CDATA[</a></a>]]>", "<?x </a></a> ?>", `<b d='>'/>`]
    const tags = ["<a>", `<a b="/>">`, `<a b='>' c="/">`, "<a >"]
    const depths = [31, 32].map((n) =>
      hides.flatMap((before) => tags.map((tag) => reason(deep(n, before.repeat(40), tag))))
    )
    assert.deepEqual([...new Set(depths[0])], [""])
    assert.deepEqual([...new Set(depths[1])], ["its XML is nested deeper than 32 elements"])
    // As many as there are, of those that nest nothing.
    const flat = ["<a/>", `<a b=">"/>`, "<!-- <a><a> -->", "<![CDATA[<a><a>]]>", "<?x <a><a> ?>"]
    assert.deepEqual(
      flat.map((one) => reason(`<R>${one.repeat(40)}</R>`)),
      flat.map(() => "")
    )
  })

  it("reads every line end as a line feed", () => {
    assert.deepEqual(Either.getOrThrow(parse("<R><A>1\r\n2\r3\n4\r\r\n</A></R>")), { A: "1\n2\n3\n4\n\n" })
  })

  it("is not confused by names that objects inherit", () => {
    assert.deepEqual(
      JSON.stringify(Either.getOrThrow(parse("<R><__proto__>x</__proto__><constructor>y</constructor></R>"))),
      `{"__proto__":"x","constructor":"y"}`
    )
  })

  it("reads back what escape wrote", () => {
    const printable = FastCheck.string({ unit: "grapheme" })
    FastCheck.assert(
      FastCheck.property(printable, (text) => {
        const record = Either.getOrThrow(parse(`<R><A>${Xml.escape(text)}</A></R>`))
        return record["A"] === text
      }),
      { numRuns: 10_000 }
    )
  })

  it("ends in a reason or a value for 10,000 mutations of a real answer", () => {
    const real = `<?xml version="1.0" encoding="UTF-8"?>\n<R><Bucket>b</Bucket><Part><PartNumber>1</PartNumber><ETag>"A"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>&#34;B&#34;</ETag></Part></R>`
    const bytes = Utf8.encode(real)
    const mutation = FastCheck.tuple(
      FastCheck.nat(bytes.length - 1),
      FastCheck.nat(255),
      FastCheck.constantFrom("set", "cut", "repeat", "insert")
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        let mutated = [...bytes]
        for (const [at, value, how] of mutations) {
          if (how === "set") mutated[at % mutated.length] = value
          else if (how === "cut") mutated = mutated.slice(0, at + 1)
          else if (how === "repeat") mutated = [...mutated, ...mutated.slice(at)]
          else mutated.splice(at, 0, value)
        }
        const result = Xml.parse(Uint8Array.from(mutated), "R")
        return Either.isLeft(result) ? typeof result.left === "string" : typeof result.right === "object"
      }),
      { numRuns: 10_000 }
    )
  })

  it("takes no longer for nasty megabytes than for a benign one, within 50 ms", () => {
    const time = (text: string, enough?: number) => {
      const bytes = Utf8.encode(text)
      return fastest(() => Xml.parse(bytes, "R"), enough, 3)
    }
    const mega = 1_000_000
    const limit = time(`<R>${"<B>x</B>".repeat(mega / 8)}</R>`) + 50
    const nasty = [
      "<R>".repeat(mega / 3),
      `<R>${"<!--".repeat(mega / 4)}`,
      `<R>${"&".repeat(mega)}`,
      `<R>&${"x".repeat(mega)}`,
      `<R ${"a ".repeat(mega / 2)}>`,
      `<R${" ".repeat(mega)}`,
      "<".repeat(mega),
      `<R>${"<![CDATA[".repeat(mega / 9)}`,
      `<R>${"]]>".repeat(mega / 3)}</R>`,
      `<R a="${"<".repeat(mega)}`,
      `<R>${"\r".repeat(mega)}</R>`,
      `<R>${"\r\n".repeat(mega / 2)}</R>`,
      `<R a="${"\r".repeat(mega)}"/>`,
      `<R>${"<a b='".repeat(mega / 6)}`,
      `<R>${'<a b=">">'.repeat(mega / 9)}`,
      `<R>${"<?".repeat(mega / 2)}`
    ]
    const slow = nasty.filter((text) => time(text, limit) > limit)
    assert.deepEqual(
      slow.map((text) => text.slice(0, 20)),
      []
    )
  })
})
