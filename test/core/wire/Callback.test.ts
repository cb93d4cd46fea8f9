import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { InvalidParam } from "../../../core/model/OssError.ts"
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

/** Of the callback in base64 whose body has that many characters more; 0 when it is refused. */
const encodedLength = (padding: number): number =>
  Either.match(
    Callback.raw({ url: "http://a.example.com/", body: `b=${"x".repeat(padding)}`, response: Schema.Unknown }).encoded,
    { onLeft: () => 0, onRight: ({ callback }) => callback.length }
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

  it("sends no variables where there are none", () => {
    const callback = Callback.raw({ url: "http://a", body: "b=${bucket}", response: Schema.Unknown })
    assert.deepEqual(Object.keys(Either.getOrThrow(Callback.headers(callback))), ["x-oss-callback"])
    assert.deepEqual(Object.keys(Either.getOrThrow(Callback.query(callback))), ["callback"])
    assert.deepEqual(Object.keys(Either.getOrThrow(Callback.formFields(callback))), ["callback"])
  })

  it("names a policy of the bucket's", () => {
    assert.deepEqual(sent(Callback.policy("videos", Schema.Unknown)), { callbackPolicy: "videos" })
    assert.match(message(Callback.policy("two words", Schema.Unknown)), /^policy: /)
  })

  it("can be checked without an upload", () => {
    assert.isTrue(Option.isNone(Callback.check(VideoUploaded("json"))))
    const ftp = Callback.make({ url: "ftp://a", bucket: "media", body: {}, response: Schema.Unknown })
    assert.isTrue(Option.isSome(Callback.check(ftp)))
    const spaced = Callback.make({ url: "a", host: "a b", bucket: "media", body: {}, response: Schema.Unknown })
    assert.match(Option.getOrThrow(Callback.check(spaced)).message, /^host: /)
  })

  it("never throws, so that a contract can be a constant", () => {
    const contract = Callback.make({
      url: "",
      bucket: "",
      body: { "\ud800": Callback.size },
      response: Schema.Unknown
    })
    assert.isTrue(Either.isLeft(contract().encoded))
  })

  it("keeps what a JavaScript caller left out from being sent", () => {
    const careless = VideoUploaded("form") as unknown as () => Callback.Callback<unknown> // as untyped code calls it
    assert.strictEqual(message(careless()), "userId: expected string")
  })
})

describe("Callback.withQuery", () => {
  const plain = Callback.raw({ url: ["http://a/", "http://b/?c"], body: "b=${bucket}", response: Schema.Unknown })

  it("adds to every URL what there is to add, encoded", () => {
    const urlOf = (query: Readonly<Record<string, string>>) => {
      const { callbackUrl } = sent(Callback.withQuery(plain, query)) as { readonly callbackUrl: string } // we sent it
      return callbackUrl
    }
    assert.strictEqual(urlOf({ t: "1 &é" }), "http://a/?t=1%20%26%C3%A9;http://b/?c&t=1%20%26%C3%A9")
    assert.strictEqual(urlOf({}), "http://a/;http://b/?c")
  })

  it("is refused, not thrown, when it cannot be encoded or becomes too long", () => {
    assert.match(message(Callback.withQuery(plain, { t: "\ud800" })), /^query: must be well-formed Unicode/)
    assert.match(message(Callback.withQuery(plain, { t: "x".repeat(5000) })), /^callback: must be at most 5120 bytes/)
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
    assert.match(raw({ url: "http://a:65536/" }), /^url: must have a port of 1 to 65535/)
    assert.strictEqual(raw({ url: "http://a:65535/%E6%97%A5?x=%20" }), "")
    assert.match(raw({ url: "http://a/${x:user}" }), /^url: must not have variables/)
    assert.match(raw({ url: "http://a/%zz" }), /^url: must have two hex digits behind every "%"/)
    assert.notInclude(raw({ url: "ftp://a/?token=secret" }), "secret")
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

  it("but not 5,120 bytes of base64, the most there may be", () => {
    const lengths = Array.from({ length: 200 }, (_, i) => encodedLength(3640 + i))
    assert.strictEqual(Math.max(...lengths), 5120)
    assert.include(lengths, 0)
  })

  it("two fields of one variable", () => {
    const twice = Callback.make({
      url: "http://a",
      bucket: "media",
      body: { a: Callback.var("user", Schema.String), b: Callback.var("user", Schema.String) },
      response: Schema.Unknown
    })
    assert.strictEqual(message(twice({ a: "1", b: "2" })), "x:user: must be the variable of one field, got two fields")
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
    assert.match(raw({ bodyType: "json", body: '{"a":1${object}}' }), /^body: must be JSON once/)
    assert.match(raw({ bodyType: "json", body: "{${size}:1}" }), /^body: must be JSON once/)
    assert.match(raw({ body: "a=%24%7Bobject%7d" }), /^body: must not have "\$\{" percent-encoded/)
    assert.match(raw({ body: "a=$ {object}" }), /^body: a "\$" must be followed by "\{" at once/)
    assert.match(raw({ body: "a=${}" }), /^body: \$\{\} is not one of OSS's variables/)
    assert.match(raw({ host: "a b" }), /^host: /)
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
