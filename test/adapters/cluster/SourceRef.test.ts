/** What a source may be called in durable state: by names that any machine can open, and that hold no secret. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"

const decode = Schema.decodeUnknownEither(SourceRef.SourceRef)
const complaint = (input: unknown): string => Either.match(decode(input), { onLeft: String, onRight: () => "taken" })
const url = (text: string, more: object = {}) => ({ _tag: "Url", url: text, ...more })

describe("SourceRef", () => {
  it("names files, URLs and objects, and comes back from JSON as it was", () => {
    const refs = [
      SourceRef.path("/mnt/videos/a b.mp4"),
      SourceRef.path("C:\\videos\\a.mp4"),
      SourceRef.url("https://example.com/a%20b.mp4"),
      SourceRef.url("http://[::1]:8080/v?id=9", { public: true }),
      SourceRef.object("media", "日本/a..b")
    ]
    const through = refs.map((ref) => Schema.decodeUnknownSync(SourceRef.SourceRef)(JSON.parse(JSON.stringify(ref))))
    assert.deepStrictEqual(through, refs)
  })

  it("refuses a URL that carries a secret, without quoting it", () => {
    for (const text of [
      "https://ann:hunter2@example.com/v",
      "https://hunter2@example.com/",
      "https://a.b/v?Signature=hunter2"
    ]) {
      assert.notInclude(complaint(url(text)), "hunter2")
      assert.include(complaint(url(text)), "url: ")
      assert.throws(() => SourceRef.url(text), /url: /)
    }
    assert.include(complaint(url("https://ann:hunter2@example.com/v", { public: true })), "url: ")
  })

  it("takes a query that is said to be public, and leaves it out of messages", () => {
    const ref = SourceRef.url("https://a.b/v?id=9", { public: true })
    assert.strictEqual(SourceRef.describe(ref), "https://a.b/v")
  })

  it("refuses what URL parsers read in more than one way", () => {
    const odd = [
      "https:/a.b/",
      "https:\\\\a@b/",
      "https://a.b\\@c/",
      "https://a.b/#x",
      "https://a.b/ü",
      "https://a.b/ x"
    ]
    const more = ["ftp://a.b/", "file:///etc/passwd", "https://", "https://a.b:99999/", "https://a.b/\n", "//a.b/", ""]
    assert.deepStrictEqual(
      [...odd, ...more].filter((text) => Either.isRight(decode(url(text, { public: true })))),
      []
    )
  })

  it("refuses a path that another machine would look for elsewhere", () => {
    const paths = ["", "a.mp4", "./a.mp4", "../a.mp4", "~/a.mp4", "/a\0b", "C:a.mp4"]
    assert.deepStrictEqual(
      paths.filter((path) => Either.isRight(decode({ _tag: "Path", path }))),
      []
    )
  })

  it("refuses objects that cannot be", () => {
    const wrong = [
      { _tag: "Object", bucket: "Media", key: "a" },
      { _tag: "Object", bucket: "media", key: "" },
      { _tag: "Object", bucket: "media", key: "/a" },
      { _tag: "Object", bucket: "../x", key: "a" }
    ]
    assert.deepStrictEqual(
      wrong.filter((ref) => Either.isRight(decode(ref))),
      []
    )
  })

  it("whatever URL it takes has no user, and names the server that URL parsers find", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "@", ":", "/", "\\", "?", "[", "]", ".", "%40", "#", " "), { maxLength: 12 }),
        (pieces) => {
          const text = `http://${pieces.join("")}`
          if (Either.isLeft(decode(url(text, { public: true })))) return true
          const parsed = new URL(text)
          const host = /^https?:\/\/([^/]*)/.exec(text)![1]!
          return parsed.username === "" && parsed.password === "" && !host.includes("@") && text.includes(host)
        }
      ),
      { numRuns: 10_000 }
    )
  })
})
