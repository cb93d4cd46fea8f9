/**
 * PostPolicy's laws: what is made can be read back; a form built from a policy satisfies it, and one wrong field is named;
 * no text, however mutilated or hostile, ends in anything but a policy or a refusal, in time linear in its length.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import { fastest } from "../../support/Cpu.ts"

const runs = { numRuns: 10_000 }
const now = Date.parse("2025-07-15T09:30:45Z")
const stamp = { credential: "ak/20250715/cn-hangzhou/oss/aliyun_v4_request", date: "20250715T093045Z" }
const signed = { ...stamp, signature: "f0".repeat(32) }

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("", "a", "user/eric/", "${filename}", '"', "\\", "\\$", "image/png")
)

const reserved = /^(?:bucket|policy|x-oss-(?:signature.*|credential|date|security-token)|\$.*)$/is
const field = fc
  .oneof(fc.constantFrom("key", "Key", "Content-Type", "callback", "x:user", "__proto__", "constructor"), text)
  .filter((name) => name !== "" && !reserved.test(name))

/** A condition, a value that satisfies it, and some that do not. */
interface Clause {
  readonly condition: Exclude<PostPolicy.Condition, { _tag: "ContentLengthRange" }>
  readonly good: string
  readonly bad: ReadonlyArray<string>
}

// The constructors give the union; each gives its own member of it, and none here gives a range.
const clause = (condition: PostPolicy.Condition, good: string, bad: ReadonlyArray<string>): Clause => ({
  condition: condition as Clause["condition"],
  good,
  bad
})

const texts = fc.array(text, { minLength: 1, maxLength: 3 })
const elsewhere = (values: ReadonlyArray<string>, value: string): string =>
  values.includes(value) ? `${values.join("")}~` : value

const clauseOf = (name: string): fc.Arbitrary<Clause> =>
  fc.oneof(
    fc
      .tuple(text, text)
      .map(([value, other]) => clause(PostPolicy.eq(name, value), value, [elsewhere([value], other)])),
    fc
      .tuple(text, text)
      .map(([prefix, tail]) =>
        clause(
          PostPolicy.startsWith(name, prefix),
          prefix + tail,
          prefix === "" ? [] : [`~~~${prefix}`, prefix.slice(0, -1)].filter((v) => !v.startsWith(prefix))
        )
      ),
    fc
      .tuple(texts, fc.nat(), text)
      .map(([values, index, other]) =>
        clause(PostPolicy.in(name, values), values[index % values.length]!, [elsewhere(values, other)])
      ),
    fc
      .tuple(texts, text)
      .map(([values, other]) => clause(PostPolicy.notIn(name, values), elsewhere(values, other), values))
  )

const clauses = fc
  .uniqueArray(field, { maxLength: 4, selector: PostPolicy.canonicalName })
  .chain((names) => fc.tuple(...names.map(clauseOf)))

const maxBytes = 5 * 1024 ** 3
const range = fc
  .tuple(
    fc.integer({ min: 0, max: maxBytes }),
    fc.integer({ min: 0, max: maxBytes }),
    fc.integer({ min: 0, max: maxBytes })
  )
  .map((sizes) => sizes.toSorted((a, b) => a - b) as [number, number, number]) // three in, three out

const expiration = fc.integer({ min: now, max: 253_402_300_799_999 })

const scenario = fc.record({ clauses, range, expiration })
type Scenario = typeof scenario extends fc.Arbitrary<infer A> ? A : never

const conditionsOf = ({ clauses, range: [min, , max] }: Scenario) => [
  PostPolicy.contentLengthRange(min, max),
  ...PostPolicy.withV4(
    clauses.map(({ condition }) => condition),
    { bucket: "media", ...stamp }
  )
]

const policyOf = (scenario: Scenario) =>
  Either.getOrThrow(PostPolicy.make({ expiration: scenario.expiration, conditions: conditionsOf(scenario) }))

/** The form that the policy's own fields and a good value for each other clause make. */
const formOf = (policy: PostPolicy.PostPolicy, { clauses, range: [, size] }: Scenario): PostPolicy.Form => {
  const own = PostPolicy.fields(policy, signed)
  const others = clauses.flatMap(({ condition, good }) =>
    condition._tag === "Eq" && PostPolicy.canonicalName(condition.field) !== "key"
      ? []
      : [[condition.field, good] as const]
  )
  return { bucket: "media", fields: [...Object.entries(own), ...others], file: { size } }
}

const changeField = (form: PostPolicy.Form, name: string, value: string | undefined): PostPolicy.Form => ({
  ...form,
  fields: [...form.fields].flatMap((entry) =>
    entry[0] !== name ? [entry] : value === undefined ? [] : [[name, value] as const]
  )
})

describe("PostPolicy", () => {
  it("what is made is read back as it was, from the JSON and from the base64", () =>
    fc.assert(
      fc.property(scenario, (scenario) => {
        const policy = policyOf(scenario)
        const { base64, json } = policy
        const given = {
          expiration: scenario.expiration,
          conditions: conditionsOf(scenario),
          json,
          base64
        }
        const read = [policy, PostPolicy.parse(json), PostPolicy.parseBase64(base64)]
        // One comparison of two texts: chai's deep one takes five times as long as all the rest.
        assert.strictEqual(JSON.stringify(read), JSON.stringify([given, Either.right(given), Either.right(given)]))
      }),
      runs
    ))

  it("a form built from a policy satisfies it, in whatever case its names are sent", () =>
    fc.assert(
      fc.property(scenario, fc.boolean(), (scenario, upper) => {
        const policy = policyOf(scenario)
        const form = formOf(policy, scenario)
        const fields = [...form.fields].map(
          ([name, value]) => [upper ? name.replace(/[a-z]/g, (c) => c.toUpperCase()) : name, value] as const
        )
        assert.strictEqual(PostPolicy.evaluate(policy, { ...form, fields }, now), Either.void)
      }),
      runs
    ))

  it("a form with one wrong field is refused, and its condition is named", () =>
    fc.assert(
      fc.property(
        scenario.filter(({ clauses }) => clauses.length > 0),
        fc.nat(),
        fc.nat(),
        (scenario, which, how) => {
          const policy = policyOf(scenario)
          const { bad, condition } = scenario.clauses[which % scenario.clauses.length]!
          const value = [undefined, ...bad][how % (bad.length + 1)]
          const form = changeField(formOf(policy, scenario), condition.field, value)
          const refusal = Either.getOrThrow(Either.flip(PostPolicy.evaluate(policy, form, now)))
          const ec = value === undefined ? "0006-00000226" : "0006-00000227"
          assert.strictEqual(`${refusal.ec} ${refusal.condition}`, `${ec} ${PostPolicy.text(condition)}`)
        }
      ),
      runs
    ))

  it("a form with one of V4's fields changed or left out is refused, and its condition is named", () =>
    fc.assert(
      fc.property(
        scenario,
        fc.constantFrom("x-oss-signature-version", "x-oss-credential", "x-oss-date"),
        fc.option(text, { nil: undefined }),
        (scenario, name, value) => {
          const policy = policyOf(scenario)
          const form = changeField(formOf(policy, scenario), name, value)
          const refusal = Either.getOrThrow(Either.flip(PostPolicy.evaluate(policy, form, now)))
          assert.isTrue(refusal.condition?.startsWith(`["eq", "$${name}", `))
        }
      ),
      runs
    ))

  it("a file outside of the range is refused, and the range is named", () =>
    fc.assert(
      fc.property(scenario, fc.integer({ min: 1, max: maxBytes }), fc.boolean(), (scenario, by, below) => {
        const [min, , max] = scenario.range
        const size = below ? min - by : max + by
        fc.pre(size >= 0 && size <= maxBytes)
        const policy = policyOf(scenario)
        const form = { ...formOf(policy, scenario), file: { size } }
        const refusal = Either.getOrThrow(Either.flip(PostPolicy.evaluate(policy, form, now)))
        const code = below ? "EntityTooSmall" : "EntityTooLarge"
        assert.strictEqual(`${refusal.code} ${refusal.condition}`, `${code} ["content-length-range", ${min}, ${max}]`)
      }),
      runs
    ))
})

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  remove: fc.nat({ max: 4 }),
  insert: fc.oneof(
    fc.constantFrom(
      "",
      "",
      '"',
      "\\",
      "\\$",
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      "0",
      "-",
      "1e999",
      "null",
      "true",
      "=",
      "\0",
      "\ud800"
    ),
    fc.string({ unit: "binary", maxLength: 3 })
  )
})
const edits = fc.array(edit, { minLength: 1, maxLength: 5 })

const mutilate = (text: string, changes: ReadonlyArray<{ at: number; remove: number; insert: string }>): string =>
  changes.reduce((text, { at, insert, remove }) => {
    const position = Math.floor(at * (text.length + 1))
    return text.slice(0, position) + insert + text.slice(position + remove)
  }, text)

/** Whether reading gave a policy that reads back as itself and can be run, or a refusal in full. */
const isSound = (read: Either.Either<PostPolicy.PostPolicy, PostPolicy.PolicyRefusal>): boolean =>
  Either.match(read, {
    onLeft: ({ code, ec, message }) =>
      code === "InvalidPolicyDocument" && /^0006-000002\d\d$/.test(ec) && message.startsWith("Invalid Policy: "),
    onRight: (policy) => {
      PostPolicy.evaluate(policy, { bucket: "media", fields: [["key", "a"]], file: { size: 1 } }, now, { strict: true })
      const again = PostPolicy.parse(policy.json)
      return Either.isRight(again) && JSON.stringify(again.right.conditions) === JSON.stringify(policy.conditions)
    }
  })

const readCondition = (condition: unknown) =>
  PostPolicy.parse(JSON.stringify({ expiration: "2025-07-15T09:40:45Z", conditions: [condition] }))

describe("PostPolicy.parse on anything", () => {
  it("a mutilated JSON is a policy or a refusal", () =>
    fc.assert(
      fc.property(scenario, edits, (scenario, edits) =>
        isSound(PostPolicy.parse(mutilate(policyOf(scenario).json, edits)))
      ),
      runs
    ))

  it("a mutilated base64 is a policy or a refusal", () =>
    fc.assert(
      fc.property(scenario, edits, (scenario, edits) =>
        isSound(PostPolicy.parseBase64(mutilate(policyOf(scenario).base64, edits)))
      ),
      runs
    ))

  it("any text at all is a policy or a refusal", () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.base64String()),
        (text) => isSound(PostPolicy.parse(text)) && isSound(PostPolicy.parseBase64(text))
      ),
      runs
    ))

  it("any JSON value in the place of a condition is a policy or a refusal", () =>
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom("eq", "starts-with", "in", "not-in", "content-length-range"),
        (value, mode) => {
          return [value, [mode, value, value], [mode, "$key", value]].every((condition) =>
            isSound(readCondition(condition))
          )
        }
      ),
      runs
    ))
})

const megabyte = 1_000_000
const head = '{"expiration":"2025-07-15T09:40:45.000Z","conditions":['
const filled = (start: string, piece: string, end: string): string =>
  start + piece.repeat(Math.floor((megabyte - start.length - end.length) / piece.length)) + end

const benign = filled(`${head}["in","$key",["`, `${"user/eric/photo.jpg ".repeat(10)}","`, '"]]]}')

const hostile: ReadonlyArray<readonly [string, string]> = [
  ["arrays without an end", "[".repeat(megabyte)],
  ["arrays in each other", "[".repeat(megabyte / 2) + "]".repeat(megabyte / 2)],
  ["arrays in a condition", filled(head, "[", "")],
  ["objects in each other", filled(head, '{"a":', "")],
  ["many conditions", filled(head, '{"a":"b"},', '{"a":"b"}]}')],
  ["many conditions of other fields", `${head}${Array.from({ length: 60_000 }, (_, i) => `{"a${i}":"b"}`).join()}]}`],
  ["many names in one object", `{${Array.from({ length: 60_000 }, (_, i) => `"a${i}":"b"`).join()}}`],
  ["many ranges", filled(head, '["content-length-range",0,9],', '["content-length-range",0,9]]}')],
  ["one long string", filled(`${head}{"key":"`, "a", '"}]}')],
  ["one string without an end", filled(`${head}{"key":"`, "a", "")],
  ["backslashes", filled(`${head}{"key":"`, "\\\\", '"}]}')],
  ["escaped dollars", filled(`${head}{"key":"`, "\\$", '"}]}')],
  ["backslashes and one escaped dollar", filled(`${head}{"key":"`, "\\\\", '\\$"}]}')],
  ["escaped quotes", filled(`${head}{"key":"`, '\\"', "")],
  ["one long number", filled(`${head}["content-length-range",0,`, "9", "]]}")],
  ["one long fraction", filled(`${head}["content-length-range",0.`, "0", "]]}")],
  ["blanks", filled(head, " ", "]}")],
  ["commas", filled(head, ",", "]}")],
  ["quotes", filled(head, '"', "]}")],
  ["a long time", filled('{"expiration":"2025-07-15T09:40:45.', "0", 'Z","conditions":[]}')],
  ["a long mode", filled(`${head}["`, "a", '","$key","a"]]}')]
]

const readAndRun = (json: string, fields: PostPolicy.Form["fields"] = [["key", "a"]]) => {
  const base64 = Buffer.from(json).toString("base64")
  return () =>
    Either.map(PostPolicy.parseBase64(base64), (policy) =>
      PostPolicy.evaluate(policy, { bucket: "media", fields, file: { size: 1 } }, 0)
    )
}

describe("PostPolicy on 1 MB of hostile text", () => {
  // Taken each time: what runs beside it takes caches and clock rates from both.
  const isCheap = (run: () => unknown): void => {
    const limit = fastest(readAndRun(benign), 0, 5) + 50
    assert.isAtMost(fastest(run, limit, 40), limit)
  }

  it.each(hostile)("costs at most 50 ms more than a benign policy of that size: %s", (_, json) =>
    isCheap(readAndRun(json))
  )

  it("costs no more where the form repeats one field and the policy names it as often", () => {
    const fields = Array.from({ length: 100_000 }, () => ["a", "b"] as const)
    const json = `${head}${'["starts-with","$a",""],'.repeat(2_000)}["starts-with","$a",""]]}`
    isCheap(readAndRun(json, fields))
  })
})
