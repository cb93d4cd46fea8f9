import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as CallbackTemplate from "../../../core/wire/callback/CallbackTemplate.ts"

const form = (template: string, values: Readonly<Record<string, string | number | bigint>> = {}) =>
  CallbackTemplate.render(template, CallbackTemplate.form, (name) => values[name])

const json = (template: string, values: Readonly<Record<string, string | number | bigint>> = {}) =>
  CallbackTemplate.render(template, CallbackTemplate.json, (name) => values[name])

// What is known of OSS's rendering: two signed captures, and Alibaba's samples ("Callback").
describe("render, in a form body", () => {
  it("percent-encodes texts, slashes too", () => {
    assert.strictEqual(
      form("a=${object}&b=${x:u}", { object: "a/b c&=é", "x:u": "+~" }),
      "a=a%2Fb%20c%26%3D%C3%A9&b=%2B~"
    )
  })

  it("gives the body of a form upload that OSS once signed", () => {
    const template =
      "filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}&width=${imageInfo.width}"
    const values = {
      object: "headSculpture/jikang2.jpg",
      size: 108904,
      mimeType: "image/jpeg",
      "imageInfo.height": 278,
      "imageInfo.width": 200
    }
    assert.strictEqual(
      form(template, values),
      "filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200"
    )
  })

  it("leaves what is missing empty", () => {
    assert.strictEqual(form("h=${imageInfo.height}&m=${contentMd5}&u=${x:nobody}"), "h=&m=&u=")
  })
})

describe("render, in a JSON body", () => {
  it("puts texts in quotes, and numbers bare and whole", () => {
    const values = { object: 'a"\\\n', size: 114020, crc64: 11051210869376104954n, "x:u": "9" }
    assert.strictEqual(
      json('{"o":${object},"s":${size},"c":${crc64},"u":${x:u}}', values),
      '{"o":"a\\"\\\\\\n","s":114020,"c":11051210869376104954,"u":"9"}'
    )
  })

  it("puts values raw between quotes", () => {
    const values = { "imageInfo.width": 810, "imageInfo.height": 539, object: 'a"b' }
    assert.strictEqual(json('{"d":"${imageInfo.width},${imageInfo.height}"}', values), '{"d":"810,539"}')
    assert.strictEqual(json('{"d":"\\"${object}","e":${object}}', values), '{"d":"\\"a"b","e":"a\\"b"}')
  })

  it("leaves nothing for a missing number, and null for a missing text", () => {
    assert.strictEqual(
      json('{"h":${imageInfo.height},"f":${imageInfo.format},"m":${contentMd5},"u":${x:nobody}}'),
      '{"h":,"f":null,"m":null,"u":null}'
    )
  })
})

describe("render", () => {
  it("renders a lone surrogate as U+FFFD, and never throws", () => {
    assert.strictEqual(form("${x:a}", { "x:a": "\ud800x" }), "%EF%BF%BDx")
    assert.strictEqual(form("a=$object", { object: "a" }), "a=$object")
  })

  it("tells by name whether a variable is a number or a text", () => {
    const numbers = Object.entries(CallbackTemplate.systemVariables).flatMap(([name, kind]) =>
      kind === "number" ? [name] : []
    )
    assert.deepEqual(numbers, ["size", "imageInfo.height", "imageInfo.width", "crc64"])
    assert.strictEqual(Object.keys(CallbackTemplate.systemVariables).length, 14)
  })

  it("puts in nothing that is not in the template: a value's ${…} stays as it is", () => {
    assert.strictEqual(json('{"o":${object}}', { object: "${size}", size: 1 }), '{"o":"${size}"}')
  })
})

describe("placeholders", () => {
  it("are found in order, and a stray $ is told", () => {
    assert.deepEqual(
      CallbackTemplate.placeholders("a=${object}&b=${x:u}&a=${object}"),
      Either.right(["object", "x:u", "object"])
    )
    assert.deepEqual(CallbackTemplate.placeholders(""), Either.right([]))
    for (const stray of ["$", "a=$(object)", "a=$ {object}", "a=${object", "$${object}", "price=5$"]) {
      assert.isTrue(Either.isLeft(CallbackTemplate.placeholders(stray)), stray)
    }
  })

  it("are all there are: whatever is rendered by their names alone is the template again", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.constantFrom("$", "{", "}", "a", "x:b", '"', "${", "&")),
        (parts) => {
          const template = parts.join("")
          const names = Either.getOrElse(CallbackTemplate.placeholders(template), () => undefined)
          if (names === undefined) return true
          const seen: Array<string> = []
          CallbackTemplate.render(template, CallbackTemplate.form, (name) => void seen.push(name))
          return JSON.stringify(seen) === JSON.stringify(names)
        }
      ),
      { numRuns: 10_000 }
    )
  })
})

const ok = (template: string) => Either.isRight(CallbackTemplate.checkJson(template))

describe("checkJson", () => {
  it("takes placeholders where values stand, and only there", () => {
    assert.isTrue(ok('{"a":${object},"b":{"c":[${size},${crc64}]}}'))
    assert.isTrue(ok('{"\\"":${object}}'))
    for (const bad of [
      '{"a":"${object}"}',
      '{"a":1${object}}',
      '{"a":${object}1}',
      '{"a":${object}',
      "{${size}:1}",
      '{"a"${size}}'
    ]) {
      assert.isFalse(ok(bad), bad)
    }
  })

  it("takes nothing that could not be JSON, whatever the values are", () => {
    const piece = FastCheck.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      "1",
      "-",
      "${object}",
      "${size}",
      "\\"
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(piece, { maxLength: 12 }),
        FastCheck.string({ unit: "binary" }),
        (pieces, text) => {
          const template = pieces.join("")
          if (!ok(template)) return true
          JSON.parse(json(template, { object: text, size: 9 }))
          return true
        }
      ),
      { numRuns: 20_000 }
    )
  })
})
