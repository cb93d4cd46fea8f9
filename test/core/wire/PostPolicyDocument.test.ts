/**
 * PostPolicy.parse: each way in which a policy's text can be wrong has OSS's own EC. The examples are those of the EC pages.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"

const expiration = '"expiration":"2023-02-19T13:19:00.000Z"'
const withConditions = (conditions: string) => `{${expiration},"conditions":${conditions}}`
const withExpiration = (value: string) => `{"expiration":${value},"conditions":[["content-length-range",0,1]]}`

const refusalOf = (read: Either.Either<PostPolicy.PostPolicy, PostPolicy.PolicyRefusal>) => {
  const { code, ec, message, status } = Either.getOrThrow(Either.flip(read))
  return [status, code, ec.replace("0006-00000", "-"), message]
}

const invalid = (ec: string, cause: string) => [400, "InvalidPolicyDocument", ec, `Invalid Policy: ${cause}`]

describe("PostPolicy.parse", () => {
  it.each([
    ["-204", "Invalid JSON: unknown char e.", "expiration"],
    ["-204", "Invalid JSON: , or ] expected.", withConditions('[["eq","$key","a"]')],
    ["-204", "Invalid JSON: unexpected end.", ""],
    ["-204", "Invalid JSON: { expected.", "[]"],
    ["-204", "Invalid JSON: { expected.", "null"],
    ["-204", "Invalid JSON: unknown char ].", withConditions('[{"a":"b"},]')],
    ["-204", 'Invalid JSON: " expected.', "{expiration:1}"],
    ["-204", "Invalid JSON: : expected.", '{"expiration",1}'],
    ["-204", "Invalid JSON: , or } expected.", '{"expiration":"x" "conditions":[]}'],
    ["-204", "Invalid JSON: unknown char x.", `${withConditions('[{"a":"b"}]')}x`],
    ["-204", "Invalid JSON: unknown char \ufeff.", `\ufeff${withConditions('[{"a":"b"}]')}`],
    ["-204", 'Invalid JSON: " expected.', '{"expiration'],
    ["-204", "Invalid JSON: unknown escape.", withConditions(String.raw`[{"a":"\x"}]`)],
    ["-204", "Invalid JSON: unknown escape.", withConditions(String.raw`[{"a":"\u12"}]`)],
    ["-204", "Invalid JSON: control character in a string.", withConditions('[{"a":"\n"}]')],
    ["-204", 'Invalid JSON: "conditions" stands twice.', `{"conditions":[],"conditions":[{"a":"b"}]}`],
    ["-204", "Invalid JSON: nested deeper than 16 levels.", "[".repeat(17)],
    ["-204", "Invalid JSON: more than 10000 values.", withConditions(`[["in","$key",[${'"a",'.repeat(10_000)}"a"]]]`)],
    ["-203", "it is not UTF-8.", withConditions('[{"a":"\ud800"}]')],
    [
      "-206",
      'it may hold expiration and conditions only, not "test".',
      `{"test":"test",${expiration},"conditions":[]}`
    ],
    ["-207", "it lacks conditions.", `{${expiration}}`],
    ["-208", "it lacks expiration.", '{"conditions":[["content-length-range",0,1048576000]]}'],
    ["-209", "it lacks expiration and conditions.", "{}"],
    ["-210", "expiration must be a string.", withExpiration("123")],
    ["-210", "expiration must be a string.", withExpiration("null")],
    ["-211", "expiration is empty.", withExpiration('""')],
    ...[
      "2023-02-19 13:19:00",
      "2023-02-30T00:00:00Z",
      "2023-02-19T24:00:00Z",
      "2023-02-19T13:19:00",
      "2023-02-19",
      "now"
    ].map(
      (time) =>
        [
          "-212",
          "expiration must be an ISO 8601 time in UTC, such as 2025-07-15T09:30:45.000Z.",
          withExpiration(JSON.stringify(time))
        ] as const
    ),
    ["-214", "conditions must be a list.", withConditions("123")],
    ["-214", "conditions must be a list.", withConditions('{"key":"a"}')],
    ["-215", "conditions must not be empty.", withConditions("[]")],
    ["-216", "a condition lacks its mode.", withConditions('[["$key"]]')],
    ["-216", "a condition lacks its mode.", withConditions("[[]]")],
    ["-216", "a condition lacks its mode.", withConditions('[[1,"$key","a"]]')],
    [
      "-217",
      'the mode "ends-with" of a condition is not known.',
      withConditions('[["ends-with","$key","user/user1"]]')
    ],
    [
      "-218",
      "the condition starts-with must have exactly two arguments.",
      withConditions('[["starts-with","$key","user/user1","test"]]')
    ],
    ["-218", "the condition eq must have exactly two arguments.", withConditions('[["eq","$key"]]')],
    [
      "-218",
      "the condition content-length-range must have exactly two arguments.",
      withConditions('[["content-length-range",1]]')
    ],
    [
      "-218",
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
      withConditions("[{}]")
    ],
    [
      "-218",
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
      withConditions('[{"a":"b","c":"d"}]')
    ],
    [
      "-219",
      "the maximum of content-length-range is below its minimum.",
      withConditions('[["content-length-range",20,10]]')
    ],
    [
      "-220",
      "the minimum of content-length-range must be a whole number of bytes, 0 or more.",
      withConditions('[["content-length-range","test",10]]')
    ],
    [
      "-220",
      "the minimum of content-length-range must be a whole number of bytes, 0 or more.",
      withConditions('[["content-length-range",-1,10]]')
    ],
    [
      "-221",
      "the maximum of content-length-range must be a whole number of bytes, 0 or more.",
      withConditions('[["content-length-range",10,"test"]]')
    ],
    [
      "-221",
      "the maximum of content-length-range must be a whole number of bytes, 0 or more.",
      withConditions('[["content-length-range",10,10.5]]')
    ],
    ["-222", "a condition must be an object or a list.", withConditions('[123,["content-length-range",10,1024]]')],
    ["-222", "a condition must be an object or a list.", withConditions("[null]")],
    [
      "-223",
      "the bounds of content-length-range must be numbers.",
      withConditions('[["content-length-range",[1],"test"]]')
    ],
    [
      "-224",
      "the condition not-in must be given a list of strings.",
      withConditions('[["not-in","cache-control","no-cache"]]')
    ],
    ["-224", "the condition in must be given a list of strings.", withConditions('[["in","$key",["a",1]]]')],
    ["-224", "the condition eq must be given a string.", withConditions('[["eq","$success_action_status",200]]')],
    ["-224", "the condition eq must be given a string.", withConditions('[{"success_action_status":200}]')],
    ["-224", "the condition starts-with must be given a field's name.", withConditions('[["starts-with",1,"a"]]')]
  ] as ReadonlyArray<readonly [string, string, string]>)("refuses with EC …%s: %s (%#)", (ec, cause, json) => {
    assert.deepStrictEqual(refusalOf(PostPolicy.parse(json)), invalid(ec, cause))
  })

  it("reads all five modes, and a simple condition as eq", () => {
    const policy = PostPolicy.parse(
      ' {"conditions" :[ {"bucket": "johnsmith" }, ["content-length-range", 1, 10], ["eq", "$success_action_status", "201"],\n' +
        '["starts-with", "$key", "user/eric/"], ["in", "$content-type", ["image/jpg", "image/png"]],\r\n\t' +
        '["not-in", "$cache-control", ["no-cache"]] ] , "expiration": "2014-12-01T12:00:00.000Z"} '
    )
    assert.deepStrictEqual(
      Either.map(policy, ({ conditions, expiration }) => [expiration, conditions]),
      Either.right([
        Date.UTC(2014, 11, 1, 12),
        [
          PostPolicy.eq("bucket", "johnsmith"),
          PostPolicy.contentLengthRange(1, 10),
          PostPolicy.eq("success_action_status", "201"),
          PostPolicy.startsWith("key", "user/eric/"),
          PostPolicy.in("content-type", ["image/jpg", "image/png"]),
          PostPolicy.notIn("cache-control", ["no-cache"])
        ]
      ])
    )
  })

  it.each([
    ["2014-12-01T12:00:00Z", 0],
    ["2014-12-01T12:00:00.5Z", 500],
    ["2014-12-01T12:00:00.123456Z", 123]
  ])("reads the time %s", (time, milliseconds) => {
    const read = Either.getOrThrow(PostPolicy.parse(withExpiration(JSON.stringify(time))))
    assert.strictEqual(read.expiration, Date.UTC(2014, 11, 1, 12, 0, 0, milliseconds))
  })

  it.each([
    [String.raw`\$key`, "$key"],
    [String.raw`a\$b\$`, "a$b$"],
    [String.raw`\\$`, "\\$"],
    [String.raw`\\\$`, "\\$"],
    [String.raw`\n\$\u0024\"`, '\n$$"'],
    ["${filename}", "${filename}"]
  ])("reads %s as OSS's help escapes a dollar sign", (raw, value) => {
    const read = Either.getOrThrow(PostPolicy.parse(withConditions(`[["eq","$key","${raw}"]]`)))
    assert.deepStrictEqual(read.conditions, [PostPolicy.eq("key", value)])
  })

  it("takes a field's name without its dollar sign, as samples write it, and puts it back in the message", () => {
    const read = Either.getOrThrow(PostPolicy.parse(withConditions('[["eq","success_action_status","200"]]')))
    assert.deepStrictEqual(read.conditions.map(PostPolicy.text), ['["eq", "$success_action_status", "200"]'])
  })

  it("keeps a field called __proto__ a field", () => {
    const read = Either.getOrThrow(PostPolicy.parse(withConditions('[{"__proto__":"a"}]')))
    assert.deepStrictEqual(read.conditions, [PostPolicy.eq("__proto__", "a")])
  })
})

describe("PostPolicy.parseBase64", () => {
  it.each([
    ["-205", "it is empty.", ""],
    ["-202", "it is not base64.", "{}"],
    ["-202", "it is not base64.", "YQ"],
    ["-202", "it is not base64.", "Y=Q="],
    ["-202", "it is not base64.", "_-_-"],
    ["-203", "it is not UTF-8.", "//79/w=="],
    ["-204", "Invalid JSON: unknown char a.", "YQ=="],
    ["-201", "it is longer than 2097152 bytes in base64.", "YWFh".repeat(524_289)]
  ] as const)("refuses with EC …%s: %s", (ec, cause, base64) => {
    assert.deepStrictEqual(refusalOf(PostPolicy.parseBase64(base64)), invalid(ec, cause))
  })

  it("bounds the JSON by the same limit", () =>
    assert.deepStrictEqual(
      refusalOf(PostPolicy.parse(withConditions(`[{"a":"${"b".repeat(1_600_000)}"}]`))),
      invalid("-201", "it is longer than 2097152 bytes in base64.")
    ))
})
