import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as Callback from "../../../core/wire/Callback.ts"

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

const sent = (callback: Callback.Callback<unknown>): unknown =>
  JSON.parse(Either.getOrThrow(Encoding.decodeBase64String(Either.getOrThrow(callback.encoded).callback)))

const message = (callback: { readonly encoded: Either.Either<unknown, InvalidParam> }): string =>
  Either.match(callback.encoded, { onLeft: (error) => error.message, onRight: () => "" })

const raw = (options: Partial<Callback.RawOptions<unknown, unknown>>) =>
  message(
    Callback.raw({ url: "http://a.example.com/", body: "bucket=${bucket}", response: Schema.Unknown, ...options })
  )

describe("Callback.make", () => {
  it("encodes a form body: the bucket always travels", () => {
    const callback = VideoUploaded("form")({ userId: "u 1", rank: 3 })
    assert.deepEqual(sent(callback), {
      callbackUrl: "https://api.example.com/oss/video-uploaded",
      callbackBody:
        "object=${object}&size=${size}&crc64=${crc64}&width=${imageInfo.width}&format=${imageInfo.format}&userId=${x:user_id}&rank=${x:rank}&bucket=${bucket}",
      callbackBodyType: "application/x-www-form-urlencoded",
      callbackSNI: true
    })
    const { callbackVar } = Either.getOrThrow(callback.encoded)
    assert.strictEqual(
      Either.getOrThrow(Encoding.decodeBase64String(callbackVar ?? "")),
      `{"x:user_id":"u 1","x:rank":"3"}`
    )
  })

  it("encodes a JSON body with its placeholders outside of quotes", () => {
    const contract = Callback.make({
      url: ["http://a.example.com/cb", "http://b.example.com/cb"],
      host: "cb.example.com",
      bucket: "media",
      bodyType: "json",
      body: { bucket: Callback.etag, key: Callback.object },
      response: Schema.Unknown
    })
    assert.deepEqual(sent(contract()), {
      callbackUrl: "http://a.example.com/cb;http://b.example.com/cb",
      callbackHost: "cb.example.com",
      callbackBody: '{"bucket":${etag},"key":${object},"oss_bucket":${bucket}}',
      callbackBodyType: "application/json"
    })
  })

  it("travels as headers, as a query, or as form fields", () => {
    const callback = VideoUploaded("form")({ userId: "u", rank: 1 })
    const { callback: text, callbackVar = "" } = Either.getOrThrow(callback.encoded)
    assert.deepEqual(Either.getOrThrow(Callback.headers(callback)), {
      "x-oss-callback": text,
      "x-oss-callback-var": callbackVar
    })
    assert.deepEqual(Either.getOrThrow(Callback.query(callback)), { callback: text, "callback-var": callbackVar })
    assert.deepEqual(Either.getOrThrow(Callback.formFields(callback)), {
      callback: text,
      "x:user_id": "u",
      "x:rank": "1"
    })
  })

  it("names a policy of the bucket's", () => {
    assert.deepEqual(sent(Callback.policy("videos", Schema.Unknown)), { callbackPolicy: "videos" })
  })

  it("is typed from end to end", () => {
    const contract = VideoUploaded("form")
    expectTypeOf(contract).parameters.toEqualTypeOf<[variables: { readonly userId: string; readonly rank: number }]>()
    expectTypeOf(contract({ userId: "", rank: 1 })).toEqualTypeOf<Callback.Callback<{ readonly videoId: string }>>()
    expectTypeOf<Either.Either.Right<ReturnType<typeof contract.decode>>>().toEqualTypeOf<{
      readonly object: string
      readonly size: number
      readonly crc64: bigint
      readonly width: number | undefined
      readonly format: string | undefined
      readonly userId: string
      readonly rank: number
    }>()
    const plain = Callback.make({ url: "http://a", bucket: "media", body: {}, response: Schema.Unknown })
    expectTypeOf(plain).parameters.toEqualTypeOf<[]>()
  })

  it("can be checked without an upload", () => {
    assert.isTrue(Option.isNone(Callback.check(VideoUploaded("json"))))
    const bad = Callback.make({ url: "ftp://a", bucket: "media", body: {}, response: Schema.Unknown })
    assert.isTrue(Option.isSome(Callback.check(bad)))
  })
})

describe("a callback that OSS would refuse is refused before anything is sent", () => {
  it("URLs", () => {
    assert.strictEqual(raw({ url: [] }), "url: must be 1 to 5 URLs, got 0 URLs")
    assert.strictEqual(
      raw({ url: Array.from({ length: 6 }, () => "http://a") }),
      "url: must be 1 to 5 URLs, got 6 URLs"
    )
    assert.strictEqual(raw({ url: "a.example.com:8080/x?y=1" }), "")
    assert.match(raw({ url: "http://[::1]/" }), /^url: must not be an IPv6 address/)
    assert.match(raw({ url: "http://a:0/" }), /^url: must have a port of 1 to 65535/)
    for (const url of [
      "",
      "ftp://a",
      "http://a/日",
      "http://a/ b",
      "http://u@a/",
      "http://a/;b",
      "http://a/#b",
      "http://a\r\n"
    ]) {
      assert.match(raw({ url }), /^url: must be an http or https URL in printable ASCII/, url)
    }
  })

  it("more than 5 KiB of base64, in bytes", () => {
    assert.match(
      raw({ body: `b=${"x".repeat(4000)}` }),
      /^callback: must be at most 5120 bytes in base64, got \d+ bytes$/
    )
    assert.match(
      raw({ body: "b=${x:a}", variables: { "x:a": "v".repeat(4000) } }),
      /^callback-var: must be at most 5120 bytes in base64/
    )
  })

  it("variables in upper case, undefined, unknown, or not well-formed", () => {
    assert.match(raw({ body: "b=${x:User}", variables: { "x:User": "1" } }), /^x:User: .* a-z \(lower case\)/)
    assert.strictEqual(raw({ body: "b=${x:user}" }), "body: ${x:user} is not defined: OSS would put in nothing")
    assert.match(raw({ body: "b=${Size}" }), /^body: \$\{Size\} is not one of OSS's variables/)
    assert.match(raw({ body: "b=${toString}" }), /^body: \$\{toString\} is not one of OSS's variables/)
    assert.match(raw({ body: "b=${x:a}", variables: { "x:a": "\ud800" } }), /^x:a: must be well-formed/)
    const upper = Callback.make({
      url: "http://a",
      bucket: "media",
      body: { user: Callback.var("User", Schema.String) },
      response: Schema.Unknown
    })
    assert.match(message(upper({ user: "1" })), /^x:User: /)
  })

  it("templates that cannot work", () => {
    assert.strictEqual(raw({ body: "" }), "body: must not be empty")
    assert.strictEqual(raw({ body: "a=$(object)" }), 'body: a "$" must be followed by "{" at once')
    assert.strictEqual(raw({ body: "a=${object" }), 'body: a "${" must be closed by "}"')
    assert.match(
      raw({ bodyType: "json", body: '{"a":"${object}"}' }),
      /^body: \$\{object\} must not stand inside quotes/
    )
    assert.match(raw({ bodyType: "json", body: '{"a\\"":${object}' }), /^body: must be JSON once/)
    assert.strictEqual(raw({ bodyType: "json", body: '{"a\\"":${object}}' }), "")
  })

  it("a contract's bucket that cannot be, and a variable that its Schema refuses", () => {
    const bad = Callback.make({ url: "http://a", bucket: "Media", body: {}, response: Schema.Unknown })
    assert.match(message(bad()), /^bucket: /)
    const Digit = Schema.String.pipe(Schema.pattern(/^\d$/))
    const strict = Callback.make({
      url: "http://a",
      bucket: "media",
      body: { digit: Callback.var("d", Digit) },
      response: Schema.Unknown
    })
    assert.match(message(strict({ digit: "x" })), /^digit: /)
  })
})

describe("decode", () => {
  const decode = (bodyType: "form" | "json", body: string) => VideoUploaded(bodyType).decode(Utf8.encode(body))

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
    const reason = (bodyType: "form" | "json", body: string) =>
      Either.match(decode(bodyType, body), { onLeft: (error) => error.message, onRight: () => "" })
    assert.match(reason("form", "object=&size=9&bucket=media"), /"object" is missing/)
    assert.match(reason("form", "object=a&size=-9&bucket=media"), /"size" is not a whole number/)
    assert.match(reason("form", "object=a&object=b&bucket=media"), /it has "object" twice/)
    assert.match(reason("form", "object=%E0%A4%A&bucket=media"), /percent-encoded UTF-8/)
    assert.match(reason("json", `{"bucket":"media","object":{}}`), /holds more than texts and numbers/)
    assert.match(reason("json", `{"bucket":"media","object":true}`), /"object" is neither a text nor a number/)
    assert.match(reason("json", "[]"), /not a JSON object/)
    assert.match(reason("json", "{"), /not JSON/)
  })

  const anyText = FastCheck.string({ unit: "binary", maxLength: 40 })

  for (const bodyType of ["form", "json"] as const) {
    it(`is the inverse of what OSS renders, for arbitrary texts (${bodyType})`, () => {
      const contract = VideoUploaded(bodyType)
      const facts = FastCheck.record({
        object: FastCheck.string({ unit: "binary", minLength: 1, maxLength: 40 }),
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

  it("takes no more than 50 ms longer for a nasty megabyte than for a benign one", () => {
    const time = (bodyType: "form" | "json", body: string) => {
      const contract = VideoUploaded(bodyType)
      const bytes = Utf8.encode(body)
      const once = () => {
        const start = performance.now()
        contract.decode(bytes)
        return performance.now() - start
      }
      return Math.min(once(), once(), once())
    }
    const mega = 1_000_000
    const benign = { form: time("form", "a".repeat(mega)), json: time("json", `{"a":"${"a".repeat(mega)}"}`) }
    const nasty: ReadonlyArray<readonly ["form" | "json", string]> = [
      ["form", "%".repeat(mega)],
      ["form", "=".repeat(mega)],
      ["json", `"${"\\".repeat(mega)}`],
      ["json", "1".repeat(mega)],
      ["json", "-".repeat(mega)],
      ["json", "1e".repeat(mega / 2)],
      ["json", `${":".repeat(mega)}`],
      ["json", `:${" ".repeat(mega)}`],
      ["json", '"'.repeat(mega)],
      ["json", "[".repeat(mega)]
    ]
    const slow = nasty.filter(([bodyType, body]) => time(bodyType, body) > benign[bodyType] + 50)
    assert.deepEqual(
      slow.map(([, body]) => body.slice(0, 4)),
      []
    )
  })
})

describe("the application's answer", () => {
  const { decodeResponse, encodeResponse } = VideoUploaded("form")

  it("is decoded by the contract, or off it", () => {
    assert.deepEqual(Either.getOrThrow(decodeResponse(Utf8.encode(`{"videoId":"v"}`))), { videoId: "v" })
    const detail = (text: string) =>
      Either.match(decodeResponse(Utf8.encode(text)), { onLeft: (off) => off.detail, onRight: () => "" })
    assert.strictEqual(detail("<ok/>"), "the answer is not JSON")
    assert.match(detail(`{"videoId":1}`), /^the answer does not fit the contract/)
  })

  it("is encoded by the contract", () => {
    assert.strictEqual(Either.getOrThrow(encodeResponse({ videoId: "v" })), `{"videoId":"v"}`)
  })
})
