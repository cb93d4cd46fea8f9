/** Grant: what a server grants, how it is pinned, and how an upload in parts ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as UploadGrant from "../../../core/model/UploadGrant.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Grant from "../../../core/programs/Grant.ts"
import * as Ticket from "../../../core/programs/grant/Ticket.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as ServiceResponse from "../../../core/wire/ServiceResponse.ts"

const secret = Redacted.make("0123456789abcdef-secret")
const url = "http://app.example.com/uploaded"

const Stored = Callback.make({
  url,
  bucket: "examplebucket",
  body: { object: Callback.object, size: Callback.size, user: Callback.var("user", Schema.String) },
  response: Schema.Struct({ id: Schema.String })
})

const receiver = CallbackReceiver.make(Stored, ({ object, size, user }) =>
  user === "broken" ? Effect.fail("broken") : Effect.succeed({ id: `${user}/${object}/${size}` })
)

const given = (receivers = { [url]: receiver }) => {
  const emulator = OssEmulator.layerInProcess({ receivers })
  const client = Layer.unwrapEffect(
    Effect.map(OssEmulator.OssEmulator, ({ bucket, credentials, endpoint, region }) =>
      OssClient.layer({ bucket, region, endpoint }).pipe(Layer.provide(CredentialsProvider.layer(credentials)))
    )
  )
  return client.pipe(Layer.provideMerge(Layer.merge(emulator, NodeCrypto.layer)))
}

const content = Uint8Array.from({ length: 350_000 }, (_, i) => i * 31 + (i >> 8))
const options = { expiresIn: "10 minutes", secret, partSize: 102_400, putUpTo: 100_000, formUpTo: 50_000 } as const

/** What a client does with a grant of parts. */
const sendPart = ({ url }: UploadGrant.PartUrl, body: Uint8Array) =>
  Effect.gen(function* () {
    const transport = yield* Transport.Transport
    const response = yield* transport.send({
      method: "PUT",
      url,
      headers: {},
      body: Transport.bytes(body),
      timeout: Duration.seconds(10),
      maxResponseBytes: 100_000
    })
    return response.status >= 300 ? yield* ServiceResponse.toError("UploadPart", response) : response
  })

const slices = (grant: UploadGrant.PartsGrant) =>
  Array.from({ length: Math.ceil(grant.size / grant.partSize) }, (_, i) =>
    content.subarray(i * grant.partSize, (i + 1) * grant.partSize)
  )

const claims = (grant: UploadGrant.PartsGrant): ReadonlyArray<UploadGrant.SentPart> =>
  slices(grant).map((slice, i) => ({ number: i + 1, crc64: Crc64.format(Crc64.of(slice)) }))

const sendAll = (grant: UploadGrant.PartsGrant) =>
  Effect.forEach(grant.urls, (url) => sendPart(url, slices(grant)[url.number - 1]!), { discard: true })

const inParts = (more: Partial<Grant.Options<{ id: string }>> = {}) =>
  Effect.gen(function* () {
    const grant = yield* Grant.issue("videos/a b.mp4", { size: content.length }, { ...options, ...more })
    assert(grant._tag === "Parts")
    return grant
  })

describe("Grant.issue", () => {
  it.effect("decides by size: a form, one PUT, or parts", () =>
    Effect.gen(function* () {
      const tags = yield* Effect.forEach(
        [0, Bytes.MiB(8), Bytes.MiB(8) + 1, Bytes.MiB(32), Bytes.MiB(32) + 1],
        (size) => Effect.map(Grant.issue("a", { size }, { expiresIn: "1 minute", secret }), ({ _tag }) => _tag)
      )
      assert.deepStrictEqual(tags, ["Form", "Form", "Put", "Put", "Parts"])
    }).pipe(Effect.provide(given()))
  )

  it.effect("is plain JSON with a Schema, of every kind", () =>
    Effect.gen(function* () {
      for (const size of [1, 60_000, 350_000]) {
        const grant = yield* Grant.issue("ü.png", { size }, { ...options, callback: Stored({ user: "u" }) })
        const read = Schema.decodeUnknownSync(UploadGrant.UploadGrant)(JSON.parse(JSON.stringify(grant)))
        assert.deepStrictEqual<unknown>(read, grant)
        assert.strictEqual(grant.contentType, "image/png")
      }
    }).pipe(Effect.provide(given()))
  )

  it.effect("names the client's public endpoint, while the server asks its own", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const inner = yield* Transport.Transport
      const watched = Layer.succeed(Transport.Transport, {
        send: (request) => Effect.suspend(() => (seen.push(new URL(request.url).host), inner.send(request)))
      })
      const { bucket, credentials, endpoint, region } = yield* OssEmulator.OssEmulator
      const client = OssClient.layer({ bucket, region, endpoint, publicEndpoint: "https://upload.example.com" }).pipe(
        Layer.provide(Layer.mergeAll(watched, NodeCrypto.layer, CredentialsProvider.layer(credentials)))
      )
      const grants = yield* Effect.forEach([1, 60_000, 350_000], (size) => Grant.issue("a", { size }, options)).pipe(
        Effect.provide(client)
      )
      const hosts = grants.flatMap((grant) =>
        grant._tag === "Form"
          ? [grant.form.url]
          : grant._tag === "Put"
            ? [grant.put.url]
            : grant.urls.map(({ url }) => url)
      )
      assert.strictEqual(hosts.length, 6)
      assert.isTrue(
        hosts.every((url) => new URL(url).host.endsWith("upload.example.com")),
        hosts.join()
      )
      assert.deepStrictEqual(seen, ["localhost"])
    }).pipe(Effect.provide(given()))
  )

  for (const [what, file, more, field] of [
    ["too large", { size: 11 }, { maxSize: 10 }, "size: must be 0 to 10 bytes, got 11"],
    ["too small", { size: 0 }, { minSize: 1 }, "size: must be 1 to"],
    ["not whole", { size: 1.5 }, {}, "size: must be 0 to"],
    [
      "of another type",
      { size: 1, contentType: "text/html" },
      { contentTypes: ["image/*", "video/mp4"] },
      'contentType: must be image/* or video/mp4, got "text/html"'
    ],
    ["with a short secret", { size: 350_000 }, { secret: Redacted.make("short") }, "secret: must be at least 16"],
    ["with no URLs", { size: 350_000 }, { urls: 0 }, "urls: must be 1 to 1000"]
  ] as const) {
    it.effect(`refuses a file ${what}, in words, before OSS is asked`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Grant.issue("a.png", file, { ...options, ...more }))
        assert.strictEqual(error._tag, "InvalidParam")
        assert.include(error.message, field)
        const oss = yield* OssEmulator.OssEmulator
        assert.deepStrictEqual(yield* oss.requests, [])
      }).pipe(Effect.provide(given()))
    )
  }

  it.effect("pins key, size and type of a form: OSS takes nothing else", () =>
    Effect.gen(function* () {
      const file = { size: 5, contentType: "text/x-pinned" }
      const grant = yield* Grant.issue("f/a.txt", file, { ...options, callback: Stored({ user: "u" }) })
      assert(grant._tag === "Form")
      const { callback } = yield* Upload.form(grant.form, grant.key, Source.text("hello"), { callback: Stored })
      assert.deepStrictEqual(callback, { id: "u/f/a.txt/5" })
      const oss = yield* OssEmulator.OssEmulator
      assert.strictEqual((yield* oss.objects())[0]?.contentType, "text/x-pinned")
      const form = { ...grant.form, fields: { ...grant.form.fields, "x-oss-object-acl": "public-read" } }
      const opened = yield* Effect.flip(Upload.form(form, grant.key, Source.text("hello")))
      assert.include(opened.message, "x-oss-object-acl")
      for (const [key, text] of [
        ["f/b.txt", "hello"],
        ["f/a.txt", "hello!"]
      ] as const) {
        const error = yield* Effect.flip(Upload.form(grant.form, key, Source.text(text)))
        assert.strictEqual(error._tag, "InvalidParam")
      }
    }).pipe(Effect.provide(given()))
  )

  it.effect("pins size and type of a PUT", () =>
    Effect.gen(function* () {
      const grant = yield* Grant.issue(
        "p.txt",
        { size: 5 },
        { ...options, formUpTo: 0, callback: Stored({ user: "u" }) }
      )
      assert(grant._tag === "Put")
      const { callback } = yield* Upload.presigned(grant.put, Source.text("hello"), { callback: Stored })
      assert.deepStrictEqual(callback, { id: "u/p.txt/5" })
      const longer = yield* Effect.flip(Upload.presigned(grant.put, Source.text("hello!")))
      assert(longer._tag === "ServiceError")
      assert.strictEqual(longer.code, "SignatureDoesNotMatch")
      const other = { ...grant.put, headers: { ...grant.put.headers, "content-type": "text/html" } }
      const retyped = yield* Effect.flip(Upload.presigned(other, Source.text("hello")))
      assert(retyped._tag === "ServiceError")
      assert.strictEqual(retyped.code, "SignatureDoesNotMatch")
    }).pipe(Effect.provide(given()))
  )

  it.effect("pins the size of each part", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      assert.deepStrictEqual(
        grant.urls.map(({ number }) => number),
        [1, 2, 3, 4]
      )
      const error = yield* Effect.flip(sendPart(grant.urls[0]!, content.subarray(0, 102_401)))
      assert(error._tag === "ServiceError")
      assert.strictEqual(error.code, "SignatureDoesNotMatch")
    }).pipe(Effect.provide(given()))
  )
})

describe("Grant.complete", () => {
  it.effect("makes the parts the object, with the application's answer", () =>
    Effect.gen(function* () {
      const grant = yield* inParts({ callback: Stored({ user: "u_1" }), metadata: { by: "me" } })
      yield* sendAll(grant)
      const done = yield* Grant.complete(grant.ticket, claims(grant), { secret, callback: Stored })
      assert(done._tag === "Stored")
      assert.deepStrictEqual(done.uploaded.callback, { id: "u_1/videos/a b.mp4/350000" })
      assert.deepStrictEqual(done.answer, { id: "u_1/videos/a b.mp4/350000" })
      assert.strictEqual(done.uploaded.crc64, Crc64.of(content))
      const oss = yield* OssEmulator.OssEmulator
      assert.isTrue(Buffer.from(Option.getOrThrow(yield* oss.object(grant.key))).equals(content))
      assert.deepStrictEqual(yield* oss.uploads(), [])
    }).pipe(Effect.provide(given()))
  )

  it.effect("names the parts that are not there, and those whose bytes are others, and completes nothing", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      yield* Effect.forEach(grant.urls.slice(0, 3), (url) => sendPart(url, slices(grant)[url.number - 1]!))
      const [first, second, third, fourth] = claims(grant)
      assert(first && second && third && fourth)
      const outcomes = yield* Effect.forEach(
        [
          [first, second, third, fourth],
          [first, { ...second, crc64: "1" }, third, fourth],
          [first, third],
          [first, { ...second, crc64: "x" }, third, fourth]
        ],
        (claims) => Grant.toOutcome(Grant.complete(grant.ticket, claims, { secret }))
      )
      assert.deepStrictEqual<unknown>(outcomes, [
        { _tag: "Missing", parts: [4] },
        { _tag: "Missing", parts: [2, 4] },
        { _tag: "Missing", parts: [2, 4] },
        { _tag: "Missing", parts: [2] }
      ])
      const oss = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(yield* oss.objects(), [])
    }).pipe(Effect.provide(given()))
  )

  it.effect("takes no part of another size, whoever sent it", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      yield* sendAll(grant)
      const client = yield* OssClient.OssClient
      const facts = Either.getOrThrow(Ticket.open(client.signer.crypto, secret, grant.ticket, 0))
      const short = content.subarray(0, 5)
      const key = yield* ObjectKey.make(grant.key)
      yield* client.execute(MultipartOperation.uploadPart(key, facts.uploadId, 4, {}, Transport.bytes(short)))
      const claim = claims(grant).with(3, { number: 4, crc64: Crc64.format(Crc64.of(short)) })
      const outcome = yield* Grant.toOutcome(Grant.complete(grant.ticket, claim, { secret }))
      assert.deepStrictEqual<unknown>(outcome, { _tag: "Missing", parts: [4] })
    }).pipe(Effect.provide(given()))
  )

  it.effect("says the same again when it is asked again, but for the application's lost answer", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      yield* sendAll(grant)
      const complete = Grant.toOutcome(Grant.complete(grant.ticket, claims(grant), { secret }))
      const first = yield* complete
      const second = yield* complete
      assert(first._tag === "Stored" && second._tag === "Stored")
      assert.deepStrictEqual({ ...second, requestId: "" }, { ...first, requestId: "" })

      const told = yield* inParts({ callback: Stored({ user: "u" }) })
      yield* sendAll(told)
      const completeTold = Grant.toOutcome(Grant.complete(told.ticket, claims(told), { secret, callback: Stored }))
      assert.strictEqual((yield* completeTold)._tag, "Stored")
      const again = yield* completeTold
      assert(again._tag === "CallbackFailed")
      assert.strictEqual(again.reason, "AnswerLost")
    }).pipe(Effect.provide(given()))
  )

  it.effect("tells of a failed callback as what it is: the object is stored", () =>
    Effect.gen(function* () {
      const grant = yield* inParts({ callback: Stored({ user: "broken" }) })
      yield* sendAll(grant)
      const outcome = yield* Grant.toOutcome(Grant.complete(grant.ticket, claims(grant), { secret }))
      assert(outcome._tag === "CallbackFailed")
      assert.deepStrictEqual([outcome.reason, outcome.size, outcome.key], ["BadStatus", 350_000, grant.key])
      assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(UploadGrant.Outcome)(outcome), outcome)
    }).pipe(Effect.provide(given()))
  )

  it.effect("hands on any JSON where the contract is not at hand", () =>
    Effect.gen(function* () {
      const grant = yield* inParts({ callback: Stored({ user: "u" }) })
      yield* sendAll(grant)
      const outcome = yield* Grant.toOutcome(Grant.complete(grant.ticket, claims(grant), { secret }))
      assert(outcome._tag === "Stored")
      assert.deepStrictEqual(outcome.callback, { id: "u/videos/a b.mp4/350000" })
    }).pipe(Effect.provide(given()))
  )

  it.effect("refuses a ticket of another bucket, of another secret, changed, or over", () =>
    Effect.gen(function* () {
      const grant = yield* inParts({ resumableFor: "1 hour" })
      const refusal = (ticket: string, by = secret) =>
        Effect.map(Effect.flip(Grant.complete(ticket, [], { secret: by })), (error) => error.message)
      assert.include(yield* refusal(grant.ticket, Redacted.make("another secret, as long")), "issued here")
      assert.include(yield* refusal(`${grant.ticket}0`), "issued here")
      assert.include(yield* refusal(`x${grant.ticket}`), "issued here")
      assert.include(yield* refusal(""), "issued here")
      const client = yield* OssClient.OssClient
      const elsewhere = Ticket.seal(client.signer.crypto, secret, {
        bucket: "otherbucket",
        key: "a",
        uploadId: "u",
        size: 1,
        partSize: 102_400,
        expiresAt: 1e15,
        complete: {}
      })
      assert.include(yield* refusal(Either.getOrThrow(elsewhere)), "must be for the bucket examplebucket")
      yield* TestClock.adjust("61 minutes")
      assert.include(yield* refusal(grant.ticket), "must not be over")
    }).pipe(Effect.provide(given()))
  )
})

describe("Grant.renew", () => {
  it.effect("gives new URLs for the parts asked for, in their order, when the old ones are over", () =>
    Effect.gen(function* () {
      const grant = yield* inParts({ urls: 1 })
      assert.strictEqual(grant.urls.length, 1)
      yield* TestClock.adjust("11 minutes")
      const late = yield* Effect.flip(sendPart(grant.urls[0]!, slices(grant)[0]!))
      assert(late._tag === "ServiceError")
      assert.strictEqual(late.status, 403)
      const urls = yield* Grant.renew(grant.ticket, [4, 1, 2, 3], { secret, expiresIn: "1 minute" })
      assert.deepStrictEqual(
        urls.map(({ number }) => number),
        [4, 1, 2, 3]
      )
      yield* sendAll({ ...grant, urls })
      const done = yield* Grant.complete(grant.ticket, claims(grant), { secret })
      assert.strictEqual(done._tag, "Stored")
    }).pipe(Effect.provide(given()))
  )

  it.effect("refuses parts that the upload does not have, and more than 1,000", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      for (const parts of [[0], [5], [1.5], Array.from({ length: 1001 }, () => 1)]) {
        const error = yield* Effect.flip(Grant.renew(grant.ticket, parts, { secret, expiresIn: "1 minute" }))
        assert(error._tag === "InvalidParam")
        assert.strictEqual(error.field, "parts")
      }
    }).pipe(Effect.provide(given()))
  )
})

describe("Grant.abort", () => {
  it.effect("drops the parts, twice without complaint", () =>
    Effect.gen(function* () {
      const grant = yield* inParts()
      yield* sendAll(grant)
      yield* Grant.abort(grant.ticket, { secret })
      yield* Grant.abort(grant.ticket, { secret })
      const oss = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(yield* oss.uploads(), [])
    }).pipe(Effect.provide(given()))
  )
})

describe("a ticket", () => {
  const text = fc.string({ unit: "grapheme" })
  const facts = fc.record({
    bucket: text,
    key: text,
    uploadId: fc.string({ unit: "grapheme", minLength: 1 }),
    size: fc.nat(),
    partSize: fc.nat(),
    expiresAt: fc.integer({ min: 1, max: 1e15 }),
    complete: fc.dictionary(fc.stringMatching(/^x-oss-[a-z]{1,9}$/), text)
  })
  const sealed = (facts: Ticket.Facts) => Either.getOrThrow(Ticket.seal(NodeCrypto.crypto, secret, facts))

  it("says what was sealed, to whom has the secret", () => {
    fc.assert(
      fc.property(facts, (facts) => {
        const read = Ticket.open(NodeCrypto.crypto, secret, sealed(facts), 0)
        return Either.isRight(read) && JSON.stringify(read.right) === JSON.stringify(facts)
      }),
      { numRuns: 10_000 }
    )
  }, 60_000)

  it("is refused with any one character changed", () => {
    const ticket = sealed({
      bucket: "b",
      key: "k",
      uploadId: "u",
      size: 1,
      partSize: 1,
      expiresAt: 9,
      complete: {}
    })
    const taken = Array.from(ticket, (character, i) => {
      const other = character === "a" ? "b" : "a"
      return Ticket.open(NodeCrypto.crypto, secret, ticket.slice(0, i) + other + ticket.slice(i + 1), 0)
    }).filter(Either.isRight)
    assert.deepStrictEqual(taken, [])
  })
})
