/**
 * Percent-encoding, queries and paths, by their laws. References: RFC 3986 §2.3, the URL Standard's parser (Node's own).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as Uri from "../../../core/wire/Uri.ts"

const law = (property: FastCheck.IRawProperty<unknown>, numRuns = 10_000) => FastCheck.assert(property, { numRuns })

const text = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.string({ unit: "grapheme" }),
  FastCheck.string({ unit: FastCheck.constantFrom(..."aZ09-._~!'()*/%+& =?#\\😀é") })
)
const queries = FastCheck.dictionary(text, text, { maxKeys: 8 })
// An empty name with an empty value is an empty pair, which a query does not show.
const shownQueries = queries.filter((query) => query[""] !== "")

/** The definition, byte by byte. */
const encodeByBytes = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
    })
    .join("")

describe("Uri.encode", () => {
  it("encodes every code point of Unicode as its UTF-8 bytes, and decodes it back", () => {
    for (let from = 0; from < 0x110000; from += 0x800) {
      if (from >= 0xd800 && from < 0xe000) continue // surrogates have no UTF-8 form
      const block = String.fromCodePoint(...Array.from({ length: 0x800 }, (_, i) => from + i))
      const encoded = Uri.encode(block)
      assert.isTrue(encoded === encodeByBytes(block), `block ${from.toString(16)} is encoded otherwise`)
      assert.isTrue(
        Either.getOrThrow(Uri.decode(encoded, "key")) === block,
        `block ${from.toString(16)} is decoded otherwise`
      )
    }
  })

  it("is undone by decode, for any text", () => {
    law(FastCheck.property(text, (text) => Either.getOrThrow(Uri.decode(Uri.encode(text), "key")) === text))
  })

  it("is the byte-by-byte definition, for any text", () => {
    law(FastCheck.property(text, (text) => Uri.encode(text) === encodeByBytes(text)))
  })

  it("keeps slashes in paths, and encodes them elsewhere", () => {
    assert.strictEqual(Uri.encode("a/b c"), "a%2Fb%20c")
    assert.strictEqual(Uri.encodePath("a/b c"), "a/b%20c")
    law(FastCheck.property(text, (text) => Uri.encodePath(text) === text.split("/").map(Uri.encode).join("/")))
  })
})

describe("Uri.decode", () => {
  it.each(["%", "%4", "%zz", "%FF", "%C0%AF", "%ED%A0%80"])("refuses %s, and names the field", (broken) => {
    assert.deepStrictEqual(
      Either.flip(Uri.decode(broken, "key")).pipe(Either.getOrThrow).message,
      "key: must be percent-encoded UTF-8"
    )
  })

  it("leaves a plus a plus", () => assert.strictEqual(Either.getOrThrow(Uri.decode("a+b%2B", "key")), "a+b+"))
})

describe("Uri.encodeQuery", () => {
  it("does not depend on the order of the parameters", () => {
    law(
      FastCheck.property(
        queries.chain((query) => {
          const pairs = Object.entries(query)
          return FastCheck.tuple(
            FastCheck.constant(query),
            FastCheck.shuffledSubarray(pairs, { minLength: pairs.length })
          )
        }),
        ([query, shuffled]) => Uri.encodeQuery(Object.fromEntries(shuffled)) === Uri.encodeQuery(query)
      )
    )
  })

  it("sorts encoded names by their bytes", () => {
    law(
      FastCheck.property(shownQueries, (query) => {
        const names = Uri.encodeQuery(query)
          .split("&")
          .map((pair) => pair.split("=")[0]!)
        return names.every((name, i) => i === 0 || Buffer.compare(Buffer.from(names[i - 1]!), Buffer.from(name)) < 0)
      })
    )
  })

  it("writes a name alone for an empty value", () => {
    assert.strictEqual(Uri.encodeQuery({ uploads: "", prefix: "a b", "x/y": "z" }), "prefix=a%20b&uploads&x%2Fy=z")
  })

  it("is empty for no parameters", () => assert.strictEqual(Uri.encodeQuery({}), ""))
})

describe("Uri.decodeQuery", () => {
  it("undoes encodeQuery", () => {
    law(
      FastCheck.property(shownQueries, (query) => {
        const decoded = Either.getOrThrow(Uri.decodeQuery(Uri.encodeQuery(query)))
        return (
          Object.keys(decoded).length === Object.keys(query).length &&
          Object.entries(query).every(([name, value]) => Object.hasOwn(decoded, name) && decoded[name] === value)
        )
      })
    )
  })

  it("reads a name with and without an equals sign alike, and a plus as a plus", () => {
    assert.deepStrictEqual(Either.getOrThrow(Uri.decodeQuery("uploads=&&a+b=c+d=e&acl")), {
      uploads: "",
      "a+b": "c+d=e",
      acl: ""
    })
  })

  it("refuses a name that stands twice, however it is spelled", () => {
    assert.strictEqual(
      Either.getOrThrow(Either.flip(Uri.decodeQuery("a%62=1&ab=2"))).message,
      'query: must have "ab" once'
    )
  })

  it("refuses broken escapes in names and in values", () => {
    assert.isTrue(Either.isLeft(Uri.decodeQuery("%=1")) && Either.isLeft(Uri.decodeQuery("a=%FF")))
  })
})

const bucket = (options: Partial<Bucket.Options>) =>
  Either.getOrThrow(Bucket.make({ bucket: "media", region: "cn-hangzhou", ...options }))
const virtual = bucket({})
const pathStyle = bucket({ endpoint: "http://127.0.0.1:9000" })

const segment = FastCheck.oneof(
  FastCheck.constantFrom(".", "..", "...", "", "a", "%2e", "%2E%2E", ".%2e", "..;", "\\", "?", "#", "\t..", " "),
  text
)
const keys = FastCheck.oneof(
  text,
  FastCheck.array(segment, { maxLength: 6 }).map((segments) => segments.join("/"))
)

describe("Uri.path", () => {
  it("survives a URL parser, for every key but the two that are a dot segment alone", () => {
    law(
      FastCheck.property(
        keys.filter((key) => key !== "." && key !== ".."),
        (key) => new URL(Uri.url(virtual, key, {})).pathname === Uri.path(virtual, key)
      )
    )
  })

  it("decodes to the key, in virtual-hosted and in path style", () => {
    law(FastCheck.property(keys, (key) => decodeURIComponent(Uri.path(virtual, key)) === `/${key}`))
    law(FastCheck.property(keys, (key) => decodeURIComponent(Uri.path(pathStyle, key)) === `/media/${key}`))
  })

  it("keeps slashes that no parser would fold, and hides those that one would", () => {
    assert.deepStrictEqual(
      ["a/b", "a//b/", "a/../b", "../a", "a/.", "a/..b"].map((key) => Uri.path(virtual, key)),
      ["/a/b", "/a//b/", "/a%2F..%2Fb", "/..%2Fa", "/a%2F.", "/a/..b"]
    )
  })

  it("ends in a slash for the bucket itself", () => {
    assert.deepStrictEqual([Uri.path(virtual), Uri.path(pathStyle)], ["/", "/media/"])
  })
})

describe("Uri.url", () => {
  it("has a question mark only before a query", () => {
    assert.strictEqual(Uri.url(virtual, "a b", {}), "https://media.oss-cn-hangzhou.aliyuncs.com/a%20b")
    assert.strictEqual(Uri.url(pathStyle, undefined, { uploads: "" }), "http://127.0.0.1:9000/media/?uploads")
  })
})
