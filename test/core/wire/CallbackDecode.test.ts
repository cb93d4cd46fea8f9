import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import { cpuMillis } from "../../support/Cpu.ts"

const VideoUploaded = (bodyType: "form" | "json") =>
  Callback.make({
    url: "https://api.example.com/oss/video-uploaded",
    bucket: "media",
    bodyType,
    body: {
      object: Callback.object,
      size: Callback.size,
      crc64: Callback.crc64,
      width: Callback.imageWidth,
      format: Callback.imageFormat,
      userId: Callback.var("user_id", Schema.String),
      rank: Callback.var("rank", Schema.NumberFromString)
    },
    response: Schema.Struct({ videoId: Schema.String })
  })

const decode = (bodyType: "form" | "json", body: string) => VideoUploaded(bodyType).decode(Utf8.encode(body))

const reason = (bodyType: "form" | "json", body: string) =>
  Either.match(decode(bodyType, body), { onLeft: (error) => error.message, onRight: () => "" })

const milliseconds = ([bodyType, body]: readonly ["form" | "json", string]): number => {
  const contract = VideoUploaded(bodyType)
  const bytes = Utf8.encode(body)
  const start = cpuMillis()
  contract.decode(bytes)
  return cpuMillis() - start
}

describe("decode", () => {
  it("reads sizes as texts and as numbers, a CRC-64 exactly, and missing image facts in every form", () => {
    const expected = {
      object: "a b",
      size: 9,
      crc64: 11051210869376104954n,
      width: undefined,
      format: undefined,
      userId: "u",
      rank: 3
    }
    const bodies = [
      `{"object":"a b","size":9,"crc64":11051210869376104954,"width":,"format":null,"userId":"u","rank":"3","bucket":"media"}`,
      `{"object":"a b","size":"9","crc64":"11051210869376104954","width":"","format":"","userId":"u","rank":"3","bucket":"media"}`,
      `{ "object" : "a b" , "size" : 9 , "crc64" : 11051210869376104954 , "format" : null, "userId":"u","rank":3,"bucket":"media", "width" : }`
    ]
    for (const body of bodies) assert.deepStrictEqual(Either.getOrThrow(decode("json", body)), expected)
    const tail = "size=9&crc64=11051210869376104954&width=&format=&userId=u&rank=3&bucket=media"
    assert.deepStrictEqual(Either.getOrThrow(decode("form", `object=a+b&${tail}`)), expected)
    assert.deepStrictEqual(Either.getOrThrow(decode("form", `object=a%20b&${tail}`)), expected)
  })

  it("refuses another bucket, whatever the rest says", () => {
    const other = decode("form", "object=a&size=9&crc64=1&userId=u&rank=3&bucket=other")
    assert.strictEqual(Either.isLeft(other) && other.left.reason, "WrongBucket")
    const none = decode("form", "object=a&size=9&crc64=1&userId=u&rank=3")
    assert.strictEqual(Either.isLeft(none) && none.left.reason, "WrongBucket")
  })

  it("refuses what does not fit, and names it", () => {
    assert.match(reason("form", "object=&size=9&bucket=media"), /"object" is missing/)
    assert.match(reason("form", "object=a&size=-9&bucket=media"), /"size" is not a whole number/)
    assert.match(reason("form", "object=a&object=b&bucket=media"), /it has "object" twice/)
    assert.match(reason("form", "object=%E0%A4%A&bucket=media"), /percent-encoded UTF-8/)
    assert.match(reason("json", `{"bucket":"media","object":{}}`), /"object" is neither a text nor a number/)
    assert.match(reason("json", `{"bucket":"media","object":true}`), /"object" is neither a text nor a number/)
    assert.match(reason("json", "[]"), /not a JSON object/)
    assert.match(reason("json", "{"), /not JSON/)
    assert.match(reason("json", `{"bucket":"media","bucket":"other"}`), /it has "bucket" twice/)
    assert.match(reason("json", `{"bucket":"media","size":007}`), /not JSON/)
    assert.match(reason("json", `{"bucket":"media"} {}`), /goes on behind its JSON/)
    assert.match(reason("json", `{"bucket":"media",}`), /not JSON/)
    assert.match(reason("json", `{1:2}`), /not JSON/)
    assert.match(reason("json", `{"\\x":2}`), /a name is a text that JSON does not allow/)
    assert.match(reason("json", `{"bucket":"\u0001"}`), /"bucket" is a text that JSON does not allow/)
    assert.match(reason("form", "object=a&size=9&crc64=18446744073709551616&bucket=media"), /"crc64" is not a CRC-64/)
    const notUtf8 = VideoUploaded("form").decode(Uint8Array.of(0x61, 0xff))
    assert.strictEqual(Either.isLeft(notUtf8) && notUtf8.left.detail, "the body is not UTF-8")
  })

  it("names what is wrong without repeating what was received, which may be a token", () => {
    const rejected = decode("form", "object=a&size=9&crc64=1&userId=u&rank=s3cret&bucket=media")
    assert.strictEqual(Either.isLeft(rejected) && rejected.left.detail, `"rank" expected NumberFromString`)
  })

  it("keeps every field, however it is called", () => {
    const odd = Callback.make({
      url: "http://a",
      bucket: "media",
      body: { ["__proto__"]: Callback.etag, constructor: Callback.object, "ключ =&": Callback.size },
      response: Schema.Unknown
    })
    const body = Callback.render(odd.template, odd.bodyType, (name) => ({ bucket: "media", size: 9 })[name] ?? name)
    assert.deepEqual(Object.entries(Either.getOrThrow(odd.decode(Utf8.encode(body)))), [
      ["__proto__", "etag"],
      ["constructor", "object"],
      ["ключ =&", 9]
    ])
  })

  // Any code point, but one in two of those that mean something in JSON, in forms or in templates: by chance alone a quote
  // would come once in a million.
  const unit = FastCheck.oneof(
    FastCheck.constantFrom(...'"\\/%&=+$ {},:;\n\0\u2028nu0'),
    FastCheck.string({ unit: "binary", minLength: 1, maxLength: 1 })
  )
  const anyText = FastCheck.string({ unit, maxLength: 40 })

  for (const bodyType of ["form", "json"] as const) {
    it(`is the inverse of what OSS renders, for arbitrary texts (${bodyType})`, () => {
      const contract = VideoUploaded(bodyType)
      const facts = FastCheck.record({
        object: FastCheck.string({ unit, minLength: 1, maxLength: 40 }),
        size: FastCheck.nat(),
        crc64: FastCheck.bigInt(0n, 2n ** 64n - 1n),
        width: FastCheck.option(FastCheck.nat(), { nil: undefined }),
        format: FastCheck.option(FastCheck.constantFrom("jpg", "png"), { nil: undefined }),
        userId: anyText,
        rank: FastCheck.integer()
      })
      FastCheck.assert(
        FastCheck.property(facts, (given) => {
          const values: Readonly<Record<string, string | number | bigint | undefined>> = {
            object: given.object,
            size: given.size,
            crc64: given.crc64,
            "imageInfo.width": given.width,
            "imageInfo.format": given.format,
            "x:user_id": given.userId,
            "x:rank": String(given.rank),
            bucket: "media"
          }
          const body = Callback.render(contract.template, contract.bodyType, (name) => values[name])
          const decoded = Either.getOrThrow(contract.decode(Utf8.encode(body)))
          return Object.entries(given).every(([name, value]) => decoded[name as keyof typeof decoded] === value)
        }),
        { numRuns: 10_000 }
      )
    })

    it(`ends 10,000 mutated bodies in a rejection or a value (${bodyType})`, () => {
      const contract = VideoUploaded(bodyType)
      const body = Callback.render(contract.template, contract.bodyType, () => 'a"%{}:,$')
      FastCheck.assert(
        FastCheck.property(FastCheck.nat(body.length), FastCheck.nat(body.length), anyText, (from, to, text) => {
          return Either.isEither(contract.decode(Utf8.encode(body.slice(0, from) + text + body.slice(to))))
        }),
        { numRuns: 10_000 }
      )
    })
  }

  it("reads every nasty megabyte within two seconds: no time grows with the square of the size", () => {
    const mega = 1_000_000
    const nasty: ReadonlyArray<readonly ["form" | "json", string]> = [
      ["form", "%".repeat(mega)],
      ["form", "=".repeat(mega)],
      ["form", "&".repeat(mega)],
      ["form", "+".repeat(mega)],
      ["json", `{"${"\\".repeat(mega)}`],
      ["json", `{"${'\\"'.repeat(mega / 2)}`],
      ["json", `{"${"\\".repeat(mega / 2)}${'"'.repeat(mega / 2)}`],
      ["json", `{"a":${"1".repeat(mega)}`],
      ["json", `{"a":${"1e".repeat(mega / 2)}`],
      ["json", `{"a":${"-".repeat(mega)}`],
      ["json", `{"a"${":".repeat(mega)}`],
      ["json", `{"a":${" ".repeat(mega)}`],
      ["json", `{"a":${"[".repeat(mega)}`],
      ["json", '"'.repeat(mega)],
      ["json", `{${Array.from({ length: mega / 10 }, (_, i) => `"${i}":${i}`).join(",")}}`]
    ]
    // Each takes some 0.1 s on an idle machine, which others may share; squares of a megabyte would take minutes.
    const slow = nasty.filter((given) => Math.min(milliseconds(given), milliseconds(given)) > 2000)
    assert.deepEqual(
      slow.map(([, body]) => body.slice(0, 8)),
      []
    )
  })
})

describe("the application's answer", () => {
  const { decodeResponse, encodeResponse } = VideoUploaded("form")

  it("is decoded by the contract, or off it", () => {
    assert.deepEqual(Either.getOrThrow(decodeResponse(Utf8.encode(`{"videoId":"v"}`))), { videoId: "v" })
    assert.deepEqual(Either.getLeft(decodeResponse(Utf8.encode("<ok/>"))).pipe(Option.getOrThrow), {
      reason: "NotJson",
      detail: "the answer is not JSON"
    })
    assert.deepEqual(Either.getLeft(decodeResponse(Uint8Array.of(0xff))).pipe(Option.getOrThrow), {
      reason: "NotJson",
      detail: "the answer is not UTF-8"
    })
  })

  it("is told where it is off, in one line and without its values", () => {
    const Answer = Schema.Struct({
      videos: Schema.Array(Schema.Struct({ id: Schema.NumberFromString, kind: Schema.Literal("a", "b") })),
      state: Schema.Union(Schema.Struct({ ok: Schema.Boolean }), Schema.Null),
      title: Schema.String.pipe(Schema.minLength(3))
    })
    const contract = Callback.make({ url: "http://a", bucket: "media", body: {}, response: Answer })
    const off = (answer: unknown) =>
      Either.match(contract.decodeResponse(Utf8.encode(JSON.stringify(answer))), {
        onLeft: ({ reason, detail }) => `${reason}: ${detail.replace("the answer does not fit the contract: ", "")}`,
        onRight: () => ""
      })
    const good = { videos: [{ id: "1", kind: "a" }], state: null, title: "abc" }
    assert.strictEqual(off(good), "")
    assert.strictEqual(
      off({ ...good, videos: [{ id: "s3cret", kind: "a" }] }),
      "OffContract: videos.0.id: expected NumberFromString"
    )
    assert.strictEqual(
      off({ ...good, videos: [{ id: "1", kind: "s3cret" }] }),
      `OffContract: videos.0.kind: expected "a" | "b"`
    )
    assert.strictEqual(off({ ...good, title: "s" }), "OffContract: title: expected minLength(3)")
    assert.strictEqual(off({ ...good, title: undefined }), "OffContract: title: is missing")
    assert.match(off({ ...good, state: "s3cret" }), /^OffContract: state: expected \{ readonly ok: boolean \} \| null$/)
    assert.match(off("s3cret"), /^OffContract: expected \{ readonly videos: .{0,120}…$/)
  })

  const Throwing = Schema.transform(Schema.String, Schema.String, {
    decode: (): string => {
      throw new Error("s3cret")
    },
    encode: (): string => {
      throw new Error("s3cret")
    }
  })

  it("is off the contract when the Schema throws: the object is stored all the same", () => {
    const contract = Callback.make({ url: "http://a", bucket: "media", body: {}, response: Throwing })
    assert.deepEqual(Either.getLeft(contract.decodeResponse(Utf8.encode(`"x"`))).pipe(Option.getOrThrow), {
      reason: "OffContract",
      detail: "the answer does not fit the contract: its Schema threw"
    })
    assert.deepEqual(contract.encodeResponse("x"), Either.left("its Schema threw"))
  })

  it("is not come to when a variable's Schema throws, at either end", () => {
    const body = { v: Callback.var("v", Throwing) }
    const contract = Callback.make({ url: "http://a", bucket: "media", body, response: Schema.Unknown })
    const said = [contract({ v: "x" }).encoded, contract.decode(Utf8.encode("bucket=media&v=x"))].map(
      (either: Either.Either<unknown, Error>) => (Either.isLeft(either) ? either.left.message : "")
    )
    assert.deepEqual(said, ["v: its Schema threw", 'callback rejected: "v" its Schema threw (BadBody)'])
  })

  it("is encoded by the contract", () => {
    assert.strictEqual(Either.getOrThrow(encodeResponse({ videoId: "v" })), `{"videoId":"v"}`)
    for (const response of [Schema.Undefined, Schema.BigIntFromSelf] as const) {
      const contract = Callback.make({
        url: "http://a",
        bucket: "media",
        body: {},
        response: response as Schema.Schema<unknown>
      })
      const value = response === Schema.Undefined ? undefined : 1n
      assert.deepEqual(contract.encodeResponse(value), Either.left("it has no JSON form"))
    }
  })
})
