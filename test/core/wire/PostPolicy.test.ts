/**
 * PostPolicy: made, rendered, turned into a form, and run against forms that fit and forms that do not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import file from "../../vectors/signature-v4.json" with { type: "json" }

const vectors = file.vectors.filter(({ kind }) => kind === "postPolicy").map((vector) => [vector.name, vector] as const)

const now = Date.parse("2025-07-15T09:30:45Z")
const stamp = { credential: "ak/20250715/cn-hangzhou/oss/aliyun_v4_request", date: "20250715T093045Z" }
const signed = { ...stamp, signature: "f0".repeat(32) }

const policyOf = (...conditions: ReadonlyArray<PostPolicy.Condition>) =>
  Either.getOrThrow(PostPolicy.make({ expiration: now + 600_000, conditions }))

type Fields = ReadonlyArray<readonly [string, string]>

const evaluate = (policy: PostPolicy.PostPolicy, fields: Fields, size = 1, at = now) =>
  PostPolicy.evaluate(policy, { bucket: "media", fields, file: { size } }, at)

const refusalOf = (policy: PostPolicy.PostPolicy, fields: Fields, size = 1, at = now) => {
  const { code, condition, ec, message, status } = Either.getOrThrow(Either.flip(evaluate(policy, fields, size, at)))
  return { status, code, message, ec, condition }
}

const failed = (ec: string, condition: string) => ({
  status: 403 as const,
  code: "AccessDenied" as const,
  message: `Invalid according to Policy: Policy Condition failed: ${condition}`,
  ec,
  condition
})

describe("PostPolicy.make", () => {
  it("renders the document once, as JSON and as its base64", () => {
    const policy = policyOf(
      PostPolicy.eq("bucket", "media"),
      PostPolicy.startsWith("key", "用户/😀/"),
      PostPolicy.in("content-type", ["image/png", "image/jpeg"]),
      PostPolicy.notIn("cache-control", ["no-cache"]),
      PostPolicy.contentLengthRange(1, Bytes.MiB(5))
    )
    assert.strictEqual(
      policy.json,
      '{"expiration":"2025-07-15T09:40:45.000Z","conditions":[{"bucket":"media"},["starts-with","$key","用户/😀/"],' +
        '["in","$content-type",["image/png","image/jpeg"]],["not-in","$cache-control",["no-cache"]],' +
        '["content-length-range",1,5242880]]}'
    )
    assert.strictEqual(policy.base64, Buffer.from(policy.json, "utf8").toString("base64"))
  })

  it.each([
    [
      { expiration: 0.5, conditions: [PostPolicy.eq("key", "a")] },
      "expiration: must be 0 to 253402300799999 whole milliseconds since 1970, got 0.5"
    ],
    [
      { expiration: -1, conditions: [PostPolicy.eq("key", "a")] },
      "expiration: must be 0 to 253402300799999 whole milliseconds since 1970, got -1"
    ],
    [
      { expiration: 8e15, conditions: [PostPolicy.eq("key", "a")] },
      "expiration: must be 0 to 253402300799999 whole milliseconds since 1970, got 8000000000000000"
    ],
    [{ expiration: now, conditions: [] }, "conditions: must be at least 1 condition, got 0 conditions"],
    [
      { expiration: now, conditions: [PostPolicy.eq("$key", "a")] },
      'conditions[0]: must name a field, without "$", got "$key"'
    ],
    [
      { expiration: now, conditions: [PostPolicy.startsWith("", "a")] },
      'conditions[0]: must name a field, without "$", got ""'
    ],
    [
      { expiration: now, conditions: [PostPolicy.eq("key", "a"), PostPolicy.in("key", [])] },
      "conditions[1]: must list at least 1 value for key, got 0 values"
    ],
    [
      { expiration: now, conditions: [PostPolicy.eq("key", "\ud800")] },
      "conditions[0]: must be well-formed Unicode, got a lone surrogate"
    ],
    [
      { expiration: now, conditions: [PostPolicy.eq("k".repeat(8193), "")] },
      "conditions[0]: a field's name must be at most 8192 bytes, got 8193 bytes"
    ],
    [
      { expiration: now, conditions: [PostPolicy.contentLengthRange(2, 1)] },
      "conditions[0]: must be whole bytes with 0 <= min <= max <= 5368709120, got 2 to 1 bytes"
    ],
    [
      { expiration: now, conditions: [PostPolicy.contentLengthRange(-1, 1)] },
      "conditions[0]: must be whole bytes with 0 <= min <= max <= 5368709120, got -1 to 1 bytes"
    ],
    [
      { expiration: now, conditions: [PostPolicy.contentLengthRange(0, 1.5)] },
      "conditions[0]: must be whole bytes with 0 <= min <= max <= 5368709120, got 0 to 1.5 bytes"
    ],
    [
      { expiration: now, conditions: [PostPolicy.contentLengthRange(0, Bytes.GiB(5) + 1)] },
      "conditions[0]: must be whole bytes with 0 <= min <= max <= 5368709120, got 0 to 5368709121 bytes"
    ],
    [
      { expiration: now, conditions: [PostPolicy.eq("key", "a".repeat(Bytes.MiB(2)))] },
      "conditions: must be fewer or shorter: Invalid Policy: it is longer than 2097152 bytes in base64."
    ],
    [
      {
        expiration: now,
        conditions: [
          PostPolicy.in(
            "key",
            Array.from({ length: 9994 }, () => "a")
          )
        ]
      },
      "conditions: must be fewer or shorter: Invalid Policy: Invalid JSON: more than 10000 values."
    ]
  ])("refuses what OSS would refuse, naming the place and the limit (%#)", (options, message) => {
    const refused = PostPolicy.make(options)
    assert.strictEqual(Either.getOrThrow(Either.flip(refused)).message, message)
  })

  it("takes the most values that the reader takes: 10,000", () =>
    assert.strictEqual(
      policyOf(
        PostPolicy.in(
          "key",
          Array.from({ length: 9993 }, () => "a")
        )
      ).conditions.length,
      1
    ))

  it("takes the bounds themselves: 0 to 5 GiB", () =>
    assert.isTrue(
      Either.isRight(PostPolicy.make({ expiration: 0, conditions: [PostPolicy.contentLengthRange(0, Bytes.GiB(5))] }))
    ))
})

const tokens = (token: string) => {
  const securityToken = Redacted.make(token)
  const policy = policyOf(...PostPolicy.withV4([], { bucket: "media", ...stamp, securityToken }))
  return {
    policy: policy.conditions.filter((condition) => "field" in condition && /token/.test(condition.field)),
    form: PostPolicy.fields(policy, { ...signed, securityToken })["x-oss-security-token"]
  }
}

describe("PostPolicy.withV4 and fields", () => {
  it("puts what V4 demands into the policy, and the same into the form", () => {
    const conditions = [PostPolicy.startsWith("key", "a/"), PostPolicy.eq("success_action_status", "201")]
    const policy = policyOf(...PostPolicy.withV4(conditions, { bucket: "media", ...stamp }))
    assert.deepStrictEqual(policy.conditions.slice(0, 4), [
      PostPolicy.eq("bucket", "media"),
      PostPolicy.eq("x-oss-signature-version", "OSS4-HMAC-SHA256"),
      PostPolicy.eq("x-oss-credential", "ak/20250715/cn-hangzhou/oss/aliyun_v4_request"),
      PostPolicy.eq("x-oss-date", "20250715T093045Z")
    ])
    assert.deepStrictEqual(PostPolicy.fields(policy, signed), {
      success_action_status: "201",
      "x-oss-signature-version": "OSS4-HMAC-SHA256",
      "x-oss-credential": "ak/20250715/cn-hangzhou/oss/aliyun_v4_request",
      "x-oss-date": "20250715T093045Z",
      policy: policy.base64,
      "x-oss-signature": signed.signature
    })
  })

  it("carries a security token in both, and an empty one in neither", () => {
    assert.deepStrictEqual(tokens("CAIS"), { policy: [PostPolicy.eq("x-oss-security-token", "CAIS")], form: "CAIS" })
    assert.deepStrictEqual(tokens(""), { policy: [], form: undefined })
  })

  it("leaves the key to the uploader, even when the policy fixes it, and no field stands twice", () => {
    const policy = policyOf(
      PostPolicy.eq("Key", "a.txt"),
      PostPolicy.eq("X-Oss-Meta-A", "1"),
      PostPolicy.eq("x-oss-meta-a", "2"),
      PostPolicy.eq("X-OSS-DATE", "20250715T093045Z")
    )
    assert.deepStrictEqual(Object.keys(PostPolicy.fields(policy, signed)).sort(), [
      "X-Oss-Meta-A",
      "policy",
      "x-oss-credential",
      "x-oss-date",
      "x-oss-signature",
      "x-oss-signature-version"
    ])
  })

  it("keeps a field called __proto__ a field", () => {
    const form = PostPolicy.fields(policyOf(PostPolicy.eq("__proto__", "a")), signed)
    assert.deepInclude(Object.entries(form), ["__proto__", "a"])
  })
})

describe("PostPolicy.parse and the policies that the official SDKs sign", () => {
  it("meets 11 vectors", () => assert.strictEqual(vectors.length, 11))

  it.each(vectors)("reads %s, and keeps its text as it is", (_, { expected, input }) => {
    const read = Either.getOrThrow(PostPolicy.parseBase64(expected.policyBase64!))
    assert.deepStrictEqual(read, Either.getOrThrow(PostPolicy.parse(input.policyJson!)))
    assert.deepStrictEqual([read.json, read.base64], [input.policyJson, expected.policyBase64])
  })

  it.each(vectors)("is satisfied by the form of %s", (_, { expected, input }) => {
    const policy = Either.getOrThrow(PostPolicy.parseBase64(expected.policyBase64!))
    // The vectors hold the signed fields only; these are what the other conditions of some of them ask for.
    const others = policy.conditions.flatMap((condition): Fields =>
      condition._tag === "StartsWith"
        ? [[condition.field, `${condition.prefix}a`]]
        : condition._tag === "Eq" && /^(?:callback|content-type|x-oss-meta-owner)$/.test(condition.field)
          ? [[condition.field, condition.value]]
          : []
    )
    const form = {
      bucket: "examplebucket",
      fields: [...Object.entries(expected.fields!), ...others],
      file: { size: 5 }
    }
    assert.deepStrictEqual(PostPolicy.evaluate(policy, form, Date.parse(input.time)), Either.void)
  })

  it.each(vectors)("makes the same policy as %s from its conditions", (_, { input }) => {
    const read = Either.getOrThrow(PostPolicy.parse(input.policyJson!))
    const made = Either.getOrThrow(PostPolicy.make(read))
    assert.deepStrictEqual(Either.getOrThrow(PostPolicy.parseBase64(made.base64)), made)
    assert.deepStrictEqual([made.expiration, made.conditions], [read.expiration, read.conditions])
  })
})

const refusalOfKey = (key: string, filename: string) =>
  Either.getOrThrow(Either.flip(PostPolicy.resolveKey(key, filename))).message

describe("PostPolicy.evaluate", () => {
  it.each([
    [PostPolicy.startsWith("key", "user/eric/"), "user/mallory/a", '["starts-with", "$key", "user/eric/"]'],
    [PostPolicy.eq("key", "a"), "b", '["eq", "$key", "a"]'],
    [PostPolicy.in("key", ["a", "b"]), "c", '["in", "$key", ["a", "b"]]'],
    [PostPolicy.notIn("key", ["a", "b"]), "b", '["not-in", "$key", ["a", "b"]]']
  ])("names the condition in OSS's words (%#)", (condition, value, text) => {
    assert.deepStrictEqual(refusalOf(policyOf(condition), [["key", value]]), failed("0006-00000227", text))
    assert.deepStrictEqual(refusalOf(policyOf(condition), []), failed("0006-00000226", text))
  })

  it("compares names without regard to case, and values with it", () => {
    const policy = policyOf(PostPolicy.eq("content-TYPE", "image/png"))
    assert.deepStrictEqual(evaluate(policy, [["Content-Type", "image/png"]]), Either.void)
    assert.isTrue(Either.isLeft(evaluate(policy, [["Content-Type", "image/PNG"]])))
  })

  it("takes no other letter for a Latin one: the Kelvin sign is not a k", () =>
    assert.strictEqual(refusalOf(policyOf(PostPolicy.eq("key", "a")), [["\u212aey", "a"]]).ec, "0006-00000226"))

  it("lets a field that stands twice satisfy no condition", () =>
    assert.strictEqual(
      refusalOf(policyOf(PostPolicy.startsWith("key", "")), [
        ["key", "a"],
        ["Key", "a"]
      ]).ec,
      "0006-00000227"
    ))

  it("holds the bucket against the one addressed, not against a field", () => {
    const policy = policyOf(PostPolicy.eq("bucket", "media"))
    assert.deepStrictEqual(evaluate(policy, []), Either.void)
    assert.deepStrictEqual(
      refusalOf(policyOf(PostPolicy.eq("bucket", "other")), [["bucket", "other"]]),
      failed("0006-00000227", '["eq", "$bucket", "other"]')
    )
  })

  it("takes the file part's type for content-type where the form has no such field", () => {
    const policy = policyOf(PostPolicy.in("content-type", ["image/png"]))
    const withTypes = (fields: Fields, contentType: string) =>
      PostPolicy.evaluate(policy, { bucket: "media", fields, file: { size: 1, contentType } }, now)
    assert.deepStrictEqual(withTypes([], "image/png"), Either.void)
    assert.isTrue(Either.isLeft(withTypes([], "text/html")))
    assert.isTrue(Either.isLeft(withTypes([["content-type", "text/html"]], "image/png")))
  })

  it("lets the last millisecond in, and not the next", () => {
    const policy = policyOf(PostPolicy.eq("bucket", "media"))
    assert.deepStrictEqual(evaluate(policy, [], 1, now + 600_000), Either.void)
    assert.deepStrictEqual(refusalOf(policy, [], 1, now + 600_001), {
      status: 403,
      code: "AccessDenied",
      message: "Invalid according to Policy: Policy expired.",
      ec: "0006-00000213",
      condition: undefined
    })
  })

  it("ends 7 days after x-oss-date, however long the policy says", () => {
    const policy = Either.getOrThrow(
      PostPolicy.parse('{"expiration":"2120-01-01T12:00:00.000Z","conditions":[{"x-oss-date":"20250715T093045Z"}]}')
    )
    const fields: Fields = [["x-oss-date", "20250715T093045Z"]]
    const week = 7 * 24 * 3600 * 1000
    assert.deepStrictEqual(evaluate(policy, fields, 1, now + week), Either.void)
    assert.strictEqual(refusalOf(policy, fields, 1, now + week + 1).ec, "0006-00000213")
  })

  it("refuses a V4 field that the policy does not name", () => {
    const fields: Fields = [
      ["x-oss-credential", stamp.credential],
      ["X-Oss-Date", stamp.date]
    ]
    assert.deepStrictEqual(refusalOf(policyOf(PostPolicy.eq("x-oss-date", stamp.date)), fields), {
      status: 403,
      code: "AccessDenied",
      message: "Invalid according to Policy: Extra input fields: x-oss-credential",
      ec: "0006-00000228",
      condition: undefined
    })
  })

  it("wants the security token named in a V4 form, and in no other", () => {
    const policy = policyOf(PostPolicy.eq("bucket", "media"))
    const token = ["x-oss-security-token", "CAIS"] as const
    assert.deepStrictEqual(evaluate(policy, [token, ["Signature", "c2ln"]]), Either.void)
    assert.strictEqual(
      refusalOf(policy, [token, ["x-oss-signature", "00"]]).message,
      "Invalid according to Policy: Extra input fields: x-oss-security-token"
    )
  })

  it("needs no condition for ordinary fields, unless it is told to be strict", () => {
    const policy = policyOf(PostPolicy.eq("key", "a"))
    const fields: Fields = [
      ["key", "a"],
      ["x:user", "u"],
      ["x-oss-meta-a", "1"],
      ["policy", policy.base64],
      ["OSSAccessKeyId", "ak"],
      ["Signature", "c2ln"]
    ]
    const form = { bucket: "media", fields, file: { size: 1, contentType: "text/plain" } }
    assert.deepStrictEqual(PostPolicy.evaluate(policy, form, now), Either.void)
    const strict = PostPolicy.evaluate(policy, form, now, { strict: true })
    assert.strictEqual(
      Either.getOrThrow(Either.flip(strict)).message,
      "Invalid according to Policy: Extra input fields: x:user, x-oss-meta-a"
    )
  })

  it("measures the file, both bounds included, and 5 GiB in any case", () => {
    const policy = policyOf(PostPolicy.contentLengthRange(10, 20))
    const codeAt = (size: number, of = policy) =>
      Either.match(evaluate(of, [], size), {
        onLeft: ({ code, condition, ec, status }) => [status, code, ec, condition],
        onRight: () => "stored"
      })
    const range = '["content-length-range", 10, 20]'
    assert.deepStrictEqual(
      [9, 10, 20, 21].map((size) => codeAt(size)),
      [
        [400, "EntityTooSmall", "0006-00000004", range],
        "stored",
        "stored",
        [400, "EntityTooLarge", "0006-00000003", range]
      ]
    )
    const unlimited = policyOf(PostPolicy.eq("bucket", "media"))
    assert.strictEqual(codeAt(Bytes.GiB(5), unlimited), "stored")
    assert.deepStrictEqual(codeAt(Bytes.GiB(5) + 1, unlimited), [400, "EntityTooLarge", "0006-00000003", undefined])
  })

  it("can look at the fields before the file is there, and at its size afterwards", () => {
    const policy = policyOf(PostPolicy.contentLengthRange(10, 20), PostPolicy.eq("key", "a"))
    const early = PostPolicy.evaluateFields(policy, { bucket: "media", fields: [["key", "a"]], file: {} }, now)
    assert.deepStrictEqual(early, Either.void)
    assert.deepStrictEqual(PostPolicy.evaluateSize(policy, 20), Either.void)
    assert.strictEqual(Either.getOrThrow(Either.flip(PostPolicy.evaluateSize(policy, 21))).code, "EntityTooLarge")
  })

  it("looks at the conditions before the size", () => {
    const policy = policyOf(PostPolicy.contentLengthRange(10, 20), PostPolicy.eq("key", "a"))
    assert.strictEqual(refusalOf(policy, [["key", "b"]], 99).ec, "0006-00000227")
  })

  it("checks the key before ${filename} is replaced", () => {
    const fields: Fields = [["key", "user/eric/${filename}"]]
    assert.deepStrictEqual(evaluate(policyOf(PostPolicy.eq("key", "user/eric/${filename}")), fields), Either.void)
    assert.strictEqual(refusalOf(policyOf(PostPolicy.eq("key", "user/eric/a.txt")), fields).ec, "0006-00000227")
    assert.strictEqual(Either.getOrThrow(PostPolicy.resolveKey("${filename}/${filename}", "$&.txt")), "$&.txt/$&.txt")
  })

  it("makes no key that is none, and builds none that is too long", () => {
    assert.match(refusalOfKey("${filename}", "/a"), /^key: must not begin with/)
    assert.match(refusalOfKey("${filename}", "é".repeat(600)), /got 1200 bytes$/)
    assert.match(refusalOfKey("${filename}".repeat(200_000), "a".repeat(8192)), /got 1638400000 characters$/)
    assert.strictEqual(Either.getOrThrow(PostPolicy.resolveKey("${filename}", "a".repeat(1023))).length, 1023)
  })

  it("tells no security token", () => {
    const policy = policyOf(PostPolicy.eq("X-Oss-Security-Token", "CAIS-secret"))
    assert.notInclude(JSON.stringify(refusalOf(policy, [["x-oss-security-token", "other"]])), "CAIS-secret")
  })
})
