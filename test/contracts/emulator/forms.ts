/**
 * What the emulator promises of forms.
 */
import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "node:crypto"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { owner, temporary } from "./options.ts"
import { refusal } from "./refusal.ts"

type Fields = Readonly<Record<string, string>>

interface Grant {
  readonly conditions?: ReadonlyArray<PostPolicy.Condition>
  readonly credentials?: typeof owner
  readonly region?: string
  readonly bucket?: string
  /** The policy's end, in milliseconds after the clock. */
  readonly lasts?: number
  readonly skew?: number
}

/** The fields of a signed form, without key and file. */
const grant = (input: Grant = {}) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const now = yield* Clock.currentTimeMillis
    const credentials = input.credentials ?? owner
    const terms = { credentials, region: input.region ?? oss.region, time: now + (input.skew ?? 0) }
    const stamp = {
      ...Either.getOrThrow(Signature.stamp(Client.signer, terms)),
      securityToken: credentials.securityToken
    }
    const policy = Either.getOrThrow(
      PostPolicy.make({
        expiration: now + (input.lasts ?? 600_000),
        conditions: PostPolicy.withV4(input.conditions ?? [], { bucket: input.bucket ?? oss.bucket, ...stamp })
      })
    )
    const signed = Either.getOrThrow(Signature.signPolicy(Client.signer, policy.base64, terms))
    return PostPolicy.fields(policy, { ...signed, securityToken: credentials.securityToken })
  })

const list = (fields: Fields): ReadonlyArray<Client.Field> =>
  Object.entries(fields).map(([name, value]) => ({ name, value }))

const file: Client.Field = { name: "file", value: "hello world" }

/** Posts signed fields, others, and the file. */
const post = (
  fields: Fields,
  more: Fields = {},
  last: ReadonlyArray<Client.Field> = [file],
  input: Client.Input = {}
) => Client.post([...list({ ...fields, ...more }), ...last], input)

const sendRaw = (headers: Record<string, string>, body: Uint8Array) =>
  Client.send({ method: "POST", sign: "none", headers, body })

export const forms = (it: It): void => {
  describe("a form", () => {
    it.effect(
      "stores its file, without file name or type as Alibaba's own sample sends it, and with both as browsers do",
      () =>
        Effect.gen(function* () {
          const fields = yield* grant()
          const plain = yield* post(fields, { key: "form/plain" })
          assert.deepStrictEqual([plain.status, plain.text], [204, ""])
          assert.strictEqual(plain.headers["x-oss-hash-crc64ecma"], "5981764153023615706")
          assert.strictEqual(plain.headers["etag"], '"5EB63BBBE01EEED093CB22BB8F5ACDC3"')
          const got = yield* Client.get("form/plain")
          assert.deepStrictEqual([got.text, got.headers["content-type"]], ["hello world", "application/octet-stream"])
          const browser = {
            name: "file",
            filename: "ä b.png",
            type: "image/png",
            value: new Uint8Array([13, 10, 45, 45, 0])
          }
          yield* post(fields, { key: "form/${filename}", "x-oss-meta-a": "1", "Cache-Control": "no-store" }, [browser])
          const picture = yield* Client.get("form/ä b.png")
          assert.deepStrictEqual([...picture.body], [13, 10, 45, 45, 0])
          assert.deepInclude(picture.headers, {
            "content-type": "image/png",
            "x-oss-meta-a": "1",
            "cache-control": "no-store"
          })
        })
    )

    it.effect("takes the type from x-oss-content-type, then the file, then Content-Type", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const typed = { ...file, type: "b/b" }
        const type = (more: Fields, last: Client.Field) =>
          Effect.gen(function* () {
            yield* post(fields, { key: "form/type", ...more }, [last])
            return (yield* Client.get("form/type")).headers["content-type"]
          })
        const all = { "x-oss-content-type": "a/a", "Content-Type": "c/c" }
        assert.strictEqual(yield* type(all, typed), "a/a")
        assert.strictEqual(yield* type({ "Content-Type": "c/c" }, typed), "b/b")
        assert.strictEqual(yield* type({ "Content-Type": "c/c" }, file), "c/c")
      })
    )

    it.effect("is answered as success_action_status asks, or sent on", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const answer = (more: Fields) => post(fields, { key: "form/answer", ...more })
        for (const [asked, status] of [
          ["200", 200],
          ["204", 204],
          ["999", 204],
          ["", 204]
        ] as const) {
          const got = yield* answer({ success_action_status: asked })
          assert.deepStrictEqual([got.status, got.text], [status, ""])
        }
        const created = yield* answer({ success_action_status: "201" })
        assert.strictEqual(created.status, 201)
        assert.strictEqual(created.xml("Key"), "form/answer")
        assert.strictEqual(created.xml("Bucket"), "examplebucket")
        assert.strictEqual(created.xml("ETag"), created.headers["etag"])
        assert.strictEqual(created.xml("Location"), created.headers["location"])
        const sentOn = yield* answer({ success_action_redirect: "https://example.com/done?a=b" })
        assert.deepStrictEqual([sentOn.status, sentOn.headers["location"]], [303, "https://example.com/done?a=b"])
      })
    )

    it.effect("passes over what follows the file, but not a second file", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const submit = { name: "submit", value: "Upload" }
        assert.strictEqual((yield* post(fields, { key: "form/submit" }, [file, submit])).status, 204)
        for (const files of [[], [file, file], [file, submit, { ...file, name: "FILE" }]]) {
          const refused = yield* post(fields, { key: "form/files" }, files)
          assert.deepStrictEqual(refusal(refused).slice(0, 2), [400, "IncorrectNumberOfFilesInPOSTRequest"])
        }
        assert.strictEqual((yield* Client.get("form/files")).status, 404)
      })
    )

    it.effect("is refused when it is no form, or broken, and stores nothing", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const whole = Client.formBody([...list({ ...fields, key: "form/broken" }), file])
        const form = { "content-type": "multipart/form-data; boundary=B0undary" }
        assert.deepStrictEqual(refusal(yield* sendRaw({ "content-type": "text/plain" }, whole)).slice(0, 2), [
          400,
          "RequestIsNotMultiPartContent"
        ])
        assert.deepStrictEqual(refusal(yield* sendRaw({}, whole)).slice(0, 2), [400, "RequestIsNotMultiPartContent"])
        const malformed = [400, "MalformedPOSTRequest", "0006-00000104"]
        assert.deepStrictEqual(refusal(yield* sendRaw({ "content-type": "multipart/form-data" }, whole)), malformed)
        for (const cut of [4, 12, 30, 100]) {
          assert.deepStrictEqual(
            refusal(yield* sendRaw(form, whole.subarray(0, whole.length - cut))),
            malformed,
            `${cut}`
          )
        }
        const md5 = NodeCrypto.createHash("md5").update(whole).digest("base64")
        const wrong = yield* sendRaw({ ...form, "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, whole)
        assert.deepStrictEqual(refusal(wrong), [400, "InvalidDigest", "0017-00000503"])
        assert.strictEqual((yield* Client.get("form/broken")).status, 404)
        assert.strictEqual((yield* sendRaw({ ...form, "content-md5": md5 }, whole)).status, 204)
        const keyless = yield* post(fields)
        assert.deepStrictEqual(refusal(keyless).slice(0, 2), [400, "InvalidArgument"])
        assert.deepStrictEqual(refusal(yield* post(fields, { key: "/a" })).slice(0, 2), [400, "InvalidObjectName"])
        const long = yield* post(fields, { key: "a", "x-oss-meta-a": "x".repeat(2 * 1024 * 1024 + 1) })
        assert.deepStrictEqual(refusal(long).slice(0, 2), [400, "FieldItemTooLong"])
        const name = yield* post(fields, { key: "a", ["x".repeat(8193)]: "" })
        assert.deepStrictEqual(refusal(name), [400, "FieldItemTooLong", "0006-00000110"])
      })
    )
  })

  describe("a form's signature", () => {
    it.effect("must be of its policy, by a known key, for the region", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const key = { key: "form/signed" }
        const cases: ReadonlyArray<readonly [Fields, readonly [number, string, string]]> = [
          [{ "x-oss-signature": "0".repeat(64) }, [403, "SignatureDoesNotMatch", "0002-00000705"]],
          [{ policy: `${fields["policy"]}=` }, [403, "SignatureDoesNotMatch", "0002-00000705"]],
          [{ "x-oss-signature-version": "OSS3" }, [400, "InvalidArgument", "0002-00000701"]],
          [{ "x-oss-credential": "a/b" }, [400, "InvalidArgument", "0002-00000710"]],
          [{ "x-oss-date": "19700102T000000Z" }, [400, "InvalidArgument", "0002-00000709"]],
          [{ "x-oss-date": "now" }, [400, "InvalidArgument", ""]]
        ]
        for (const [more, expected] of cases)
          assert.deepStrictEqual(refusal(yield* post(fields, { ...key, ...more })), expected)
        const { policy: _, ...unruled } = fields
        assert.deepStrictEqual(refusal(yield* post(unruled, key)), [400, "InvalidArgument", "0002-00000702"])
        const { "x-oss-signature": __, ...unsigned } = fields
        assert.deepStrictEqual(refusal(yield* post(unsigned, key)), [400, "InvalidArgument", "0002-00000703"])
        const elsewhere = yield* post(yield* grant({ region: "cn-shanghai" }), key)
        assert.deepStrictEqual(refusal(elsewhere), [400, "InvalidArgument", "0002-00000715"])
        const unknown = { accessKeyId: "nobody", accessKeySecret: Redacted.make("x") }
        const stranger = yield* post(yield* grant({ credentials: unknown }), key)
        assert.deepStrictEqual(refusal(stranger), [403, "InvalidAccessKeyId", "0002-00000902"])
        assert.strictEqual((yield* post(yield* grant({ credentials: temporary }), key)).status, 204)
        // A signature in the header or the URL counts for nothing on a form, be it wrong.
        assert.strictEqual((yield* post(fields, key, [file], { tamper: { authorization: "OSS x:y" } })).status, 204)
      })
    )

    it.effect("may be of version 1", () =>
      Effect.gen(function* () {
        const json = JSON.stringify({
          expiration: "1970-01-01T01:00:00Z",
          conditions: [["starts-with", "$key", "form/"]]
        })
        const policy = Buffer.from(json).toString("base64")
        const Signature = NodeCrypto.createHmac("sha1", Redacted.value(owner.accessKeySecret))
          .update(policy)
          .digest("base64")
        const fields = { OSSAccessKeyId: owner.accessKeyId, policy, Signature }
        assert.strictEqual((yield* post(fields, { key: "form/v1" })).status, 204)
        const wrong = yield* post(fields, { key: "form/v1", Signature: "x" })
        assert.deepStrictEqual(refusal(wrong), [403, "SignatureDoesNotMatch", "0002-00000705"])
        const { OSSAccessKeyId: _, ...idless } = fields
        assert.deepStrictEqual(refusal(yield* post(idless, { key: "form/v1" })).slice(0, 2), [400, "InvalidArgument"])
      })
    )

    it.effect("is needed, unless the bucket is open to all", () =>
      Effect.gen(function* () {
        const anonymous = yield* post({}, { key: "form/anonymous" })
        assert.deepStrictEqual(refusal(anonymous), [403, "AccessDenied", "0003-00000001"])
        const bucket = "open-for-forms"
        yield* Client.send({ method: "PUT", bucket, headers: { "x-oss-acl": "public-read-write" } })
        assert.strictEqual((yield* post({}, { key: "a" }, [file], { bucket })).status, 204)
      })
    )
  })

  describe("a form's policy", () => {
    it.effect("holds until its end, and no longer than seven days", () =>
      Effect.gen(function* () {
        const short = yield* grant({ lasts: 60_000 })
        const long = yield* grant({ lasts: 365 * 86_400_000 })
        const early = yield* grant({ skew: 16 * 60_000 })
        assert.strictEqual(refusal(yield* post(early, { key: "a" }))[1], "RequestTimeTooSkewed")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* post(short, { key: "a" })).status, 204)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(refusal(yield* post(short, { key: "a" })), [403, "AccessDenied", "0006-00000213"])
        yield* TestClock.adjust("6 days")
        assert.strictEqual((yield* post(long, { key: "a" })).status, 204)
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(refusal(yield* post(long, { key: "a" })), [403, "AccessDenied", "0006-00000213"])
      })
    )

    it.effect("is about fields, bucket, type and the size of the file", () =>
      Effect.gen(function* () {
        const fields = yield* grant({
          conditions: [
            PostPolicy.startsWith("key", "user/${filename}"),
            PostPolicy.in("content-type", ["text/plain"]),
            PostPolicy.contentLengthRange(5, 11)
          ]
        })
        const send = (more: Fields, size: number, type = "text/plain") =>
          Effect.map(
            post(fields, { key: "user/${filename}", ...more }, [
              { name: "file", filename: "f", type, value: "x".repeat(size) }
            ]),
            refusal
          )
        assert.strictEqual((yield* send({}, 5))[0], 204)
        assert.strictEqual((yield* send({}, 11))[0], 204)
        assert.deepStrictEqual(yield* send({}, 4), [400, "EntityTooSmall", "0006-00000004"])
        assert.deepStrictEqual(yield* send({}, 12), [400, "EntityTooLarge", "0006-00000003"])
        assert.deepStrictEqual(yield* send({}, 100_000), [400, "EntityTooLarge", "0006-00000003"])
        assert.deepStrictEqual(yield* send({ key: "other" }, 5), [403, "AccessDenied", "0006-00000227"])
        assert.deepStrictEqual(yield* send({}, 5, "text/html"), [403, "AccessDenied", "0006-00000227"])
        const elsewhere = yield* post(yield* grant({ bucket: "otherbucket" }), { key: "a" })
        assert.deepStrictEqual(refusal(elsewhere), [403, "AccessDenied", "0006-00000227"])
        const oss = yield* OssEmulator
        assert.strictEqual(Option.getOrThrow(yield* oss.object("user/f")).length, 11)
      })
    )

    it.effect("is refused when it is none", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        const oss = yield* OssEmulator
        const terms = { credentials: owner, region: oss.region, time: yield* Clock.currentTimeMillis }
        for (const text of ["{}", "[]", '{"expiration":1,"conditions":[]}', "nonsense"]) {
          const policy = Buffer.from(text).toString("base64")
          const { signature } = Either.getOrThrow(Signature.signPolicy(Client.signer, policy, terms))
          const refused = yield* post(fields, { key: "a", policy, "x-oss-signature": signature })
          assert.deepStrictEqual(refusal(refused).slice(0, 2), [400, "InvalidPolicyDocument"], text)
        }
      })
    )

    it.effect("does not let an object be replaced that must not be", () =>
      Effect.gen(function* () {
        const fields = yield* grant()
        yield* Client.put("form/taken", "first")
        const refused = yield* post(fields, { key: "form/taken", "x-oss-forbid-overwrite": "true" })
        assert.deepStrictEqual(refusal(refused), [409, "FileAlreadyExists", "0026-00000002"])
        assert.strictEqual((yield* Client.get("form/taken")).text, "first")
      })
    )
  })
}
