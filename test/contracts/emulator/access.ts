/**
 * What the emulator promises of signatures, clocks, tokens and strangers.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as NodeCrypto from "node:crypto"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { owner, temporary } from "./options.ts"
import { refusal } from "./refusal.ts"

const minutes = (n: number): number => n * 60_000
const stranger: Credentials = { accessKeyId: "LTAIstranger", accessKeySecret: Redacted.make("x") }
const wrongSecret: Credentials = { ...owner, accessKeySecret: Redacted.make("wrong") }

const hmacSha1 = (text: string): string =>
  NodeCrypto.createHmac("sha1", Redacted.value(owner.accessKeySecret)).update(text).digest("base64")

const without = (name: string) => (query: Record<string, string>) =>
  Object.fromEntries(Object.entries(query).filter(([key]) => key !== name))

const replacing = (name: string, value: string) => (query: Record<string, string>) => ({
  ...query,
  [name]: value
})

const v1Query = (expires: number) => ({
  OSSAccessKeyId: "LTAIowner",
  Expires: `${expires}`,
  Signature: hmacSha1(`GET\n\n\n${expires}\n/examplebucket/v1-url`)
})

const getV1 = (query: Record<string, string>) => Client.get("v1-url", { sign: "none", query })

export const access = (it: It): void => {
  describe("a signature in the headers", () => {
    it.effect("covers method, path, query and every x-oss-* header, Content-Type and Content-MD5", () =>
      Effect.gen(function* () {
        yield* Client.put("signed", "x")
        const cases: ReadonlyArray<Client.Input> = [
          { path: "/examplebucket/other" },
          { tamper: { "x-oss-meta-added": "1" } },
          { headers: { "x-oss-meta-a": "1" }, tamper: { "x-oss-meta-a": "2" } },
          { tamper: { "content-type": "text/html" } },
          { tamper: { "content-md5": "XrY7u+Ae7tCTyyK7j1rNww==" } },
          { tamper: { "x-oss-date": "19700101T000001Z" } },
          { credentials: wrongSecret }
        ]
        for (const input of cases) {
          const answer = yield* Client.get("signed", input)
          assert.deepStrictEqual(
            refusal(answer),
            [403, "SignatureDoesNotMatch", "0002-00000201"],
            JSON.stringify(input)
          )
          assert.strictEqual(answer.xml("OSSAccessKeyId"), owner.accessKeyId)
          assert.match(answer.xml("StringToSign") ?? "", /^OSS4-HMAC-SHA256\n1970/)
          assert.match(answer.xml("CanonicalRequest") ?? "", /^GET\n\/examplebucket\//)
          assert.match(answer.xml("StringToSignBytes") ?? "", /^4F 53 53 34/)
          assert.match(answer.xml("SignatureProvided") ?? "", /^[0-9a-f]{64}$/)
        }
        // What is not signed may change on the way.
        const unsigned = {
          "user-agent": "x",
          accept: "*/*",
          "proxy-connection": "keep-alive",
          "proxy-authorization": "x"
        }
        assert.strictEqual((yield* Client.get("signed", { tamper: unsigned })).status, 200)
      })
    )

    it.effect("holds 15 minutes before and after its date", () =>
      Effect.gen(function* () {
        yield* Client.put("skewed", "x")
        yield* TestClock.adjust("1 hour")
        for (const skew of [minutes(15), -minutes(15)]) {
          assert.strictEqual((yield* Client.get("skewed", { skew })).status, 200)
        }
        for (const skew of [minutes(15) + 1000, -minutes(15) - 1000]) {
          const answer = yield* Client.get("skewed", { skew })
          assert.deepStrictEqual(refusal(answer), [403, "RequestTimeTooSkewed", "0002-00000504"])
          assert.strictEqual(answer.xml("ServerTime"), "1970-01-01T01:00:00.000Z")
          assert.strictEqual(answer.xml("MaxAllowedSkewMilliseconds"), "900000")
          assert.strictEqual(answer.headers["date"], "Thu, 01 Jan 1970 01:00:00 GMT")
        }
      })
    )

    it.effect("must be whole and in order, or the refusal says what it lacks", () =>
      Effect.gen(function* () {
        const credential = "LTAIowner/19700101/cn-hangzhou/oss/aliyun_v4_request"
        const cases: ReadonlyArray<readonly [string, Record<string, string>, readonly [number, string, string]]> = [
          ["OSS4-HMAC-SHA256 Signature=1", {}, [400, "InvalidArgument", "0002-00000205"]],
          [`OSS4-HMAC-SHA256 Credential=${credential}`, {}, [400, "InvalidArgument", "0002-00000202"]],
          [`OSS4-HMAC-SHA256 Credential=${credential}x,Signature=1`, {}, [400, "InvalidArgument", "0002-00000213"]],
          [
            `OSS4-HMAC-SHA256 Credential=/${credential.slice(10)},Signature=1`,
            {},
            [400, "InvalidArgument", "0002-00000206"]
          ],
          [
            `OSS4-HMAC-SHA256 Credential=${credential.replace("0101", "0102")},Signature=1`,
            {},
            [400, "InvalidArgument", "0002-00000212"]
          ],
          [
            `OSS4-HMAC-SHA256 Credential=${credential},Signature=1`,
            { "x-oss-date": "" },
            [403, "AccessDenied", "0002-00000503"]
          ],
          [
            `OSS4-HMAC-SHA256 Credential=${credential},Signature=1`,
            { "x-oss-date": "now" },
            [403, "AccessDenied", "0002-00000502"]
          ],
          [
            `OSS4-HMAC-SHA256 Credential=${credential},Signature=1`,
            { "x-oss-content-sha256": "e3b0" },
            [400, "InvalidArgument", "0002-00000214"]
          ],
          ["Bearer abc", {}, [400, "InvalidArgument", ""]],
          ["OSS nonsense", {}, [400, "InvalidArgument", "0002-00000064"]]
        ]
        for (const [authorization, more, expected] of cases) {
          assert.deepStrictEqual(
            refusal(yield* Client.get("k", { tamper: { authorization, ...more } })),
            expected,
            authorization
          )
        }
      })
    )

    it.effect("may be written as oss2 writes it", () =>
      Effect.gen(function* () {
        yield* Client.put("order", "x")
        const plain = yield* Client.signed({ method: "GET", key: "order" })
        const [credential, signature] = (plain["authorization"] ?? "").replace("OSS4-HMAC-SHA256 ", "").split(",")
        const tamper = { ...plain, authorization: `OSS4-HMAC-SHA256 ${signature}, ${credential}` }
        assert.strictEqual((yield* Client.get("order", { sign: "none", tamper })).status, 200)
      })
    )

    it.effect("must be of a known key, and for the bucket's region", () =>
      Effect.gen(function* () {
        const unknown = yield* Client.get("k", { credentials: stranger })
        assert.deepStrictEqual(refusal(unknown), [403, "InvalidAccessKeyId", "0002-00000902"])
        const elsewhere = yield* Client.get("k", { region: "cn-shanghai" })
        assert.deepStrictEqual(refusal(elsewhere), [400, "InvalidArgument", "0002-00000226"])
      })
    )
  })

  describe("temporary credentials", () => {
    it.effect("need their token, in the headers and in the query", () =>
      Effect.gen(function* () {
        yield* Client.put("sts", "x", { credentials: temporary })
        assert.strictEqual((yield* Client.get("sts", { credentials: temporary })).status, 200)
        assert.strictEqual((yield* Client.sendPresigned({ key: "sts", credentials: temporary })).status, 200)
        const { securityToken: _, ...bare } = temporary
        const other = { ...temporary, securityToken: Redacted.make("other") }
        const spoiled = { ...owner, securityToken: Redacted.make("surplus") }
        const cases: ReadonlyArray<readonly [Credentials, string, string]> = [
          [bare, "InvalidAccessKeyId", "0002-00000902"],
          [other, "InvalidSecurityToken", "0002-00000008"],
          [spoiled, "InvalidSecurityToken", "0002-00000008"]
        ]
        for (const [credentials, code, ec] of cases) {
          assert.deepStrictEqual(refusal(yield* Client.get("sts", { credentials })), [403, code, ec])
          assert.deepStrictEqual(refusal(yield* Client.sendPresigned({ key: "sts", credentials })), [403, code, ec])
        }
      })
    )

    it.effect("end when they say", () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual((yield* Client.get("k", { credentials: temporary })).status, 404)
        yield* TestClock.adjust("1 minute")
        const ended = yield* Client.get("k", { credentials: temporary })
        assert.deepStrictEqual(refusal(ended), [403, "SecurityTokenExpired", "0002-00000007"])
      })
    )
  })

  describe("a presigned URL", () => {
    it.effect("opens one method on one key, with the headers that were signed and no others", () =>
      Effect.gen(function* () {
        const headers = { "content-type": "text/plain" }
        const put = { method: "PUT", key: "presigned", headers, body: "x" }
        assert.strictEqual((yield* Client.sendPresigned(put)).status, 200)
        const mismatch = [403, "SignatureDoesNotMatch", "0002-00000201"]
        assert.deepStrictEqual(
          refusal(yield* Client.sendPresigned({ ...put, tamper: { "content-type": "text/html" } })),
          mismatch
        )
        assert.deepStrictEqual(
          refusal(yield* Client.sendPresigned({ ...put, tamper: { "x-oss-callback": "e30=" } })),
          mismatch
        )
        assert.deepStrictEqual(refusal(yield* Client.sendPresigned({ ...put, path: "/examplebucket/other" })), mismatch)
        assert.deepStrictEqual(
          refusal(yield* Client.sendPresigned({ ...put, requery: replacing("versionHint", "1") })),
          mismatch
        )
        assert.strictEqual((yield* Client.sendPresigned({ key: "presigned" })).text, "x")
      })
    )

    it.effect("ends after its seconds, and does not begin 15 minutes early", () =>
      Effect.gen(function* () {
        yield* Client.put("expiring", "x")
        const url = { key: "expiring", expiresIn: 60 }
        assert.strictEqual((yield* Client.sendPresigned({ ...url, skew: minutes(15) })).status, 200)
        assert.strictEqual(
          refusal(yield* Client.sendPresigned({ ...url, skew: minutes(16) }))[1],
          "RequestTimeTooSkewed"
        )
        yield* TestClock.adjust("1 day")
        assert.strictEqual((yield* Client.sendPresigned({ ...url, skew: -60_000 })).status, 200)
        const over = yield* Client.sendPresigned({ ...url, skew: -61_000 })
        assert.deepStrictEqual(refusal(over), [403, "AccessDenied", "0002-00000236"])
        assert.strictEqual(over.xml("Message"), "Request has expired.")
        const week = { key: "expiring", expiresIn: 604_800 }
        yield* TestClock.adjust("7 days")
        assert.strictEqual((yield* Client.sendPresigned({ ...week, skew: -604_800_000 })).status, 200)
      })
    )

    it.effect("lacks nothing, or the refusal says what", () =>
      Effect.gen(function* () {
        const cases: ReadonlyArray<
          readonly [(query: Record<string, string>) => Record<string, string>, string, string]
        > = [
          [without("x-oss-signature"), "InvalidArgument", "0002-00000219"],
          [without("x-oss-expires"), "InvalidArgument", "0002-00000215"],
          [replacing("x-oss-expires", "0"), "InvalidArgument", "0002-00000232"],
          [replacing("x-oss-expires", "604801"), "InvalidArgument", "0002-00000232"],
          [replacing("x-oss-date", "2025-01-01"), "InvalidArgument", "0002-00000223"],
          [replacing("x-oss-credential", "a/b/c"), "InvalidArgument", "0002-00000224"],
          [replacing("x-oss-expires", "601"), "SignatureDoesNotMatch", "0002-00000201"]
        ]
        for (const [requery, code, ec] of cases) {
          assert.deepStrictEqual(refusal(yield* Client.sendPresigned({ key: "k", requery })).slice(1), [code, ec])
        }
        const elsewhere = yield* Client.sendPresigned({ key: "k", region: "cn-shanghai" })
        assert.deepStrictEqual(refusal(elsewhere), [400, "InvalidArgument", "0002-00000228"])
      })
    )
  })

  describe("signature version 1", () => {
    const date = "Thu, 01 Jan 1970 00:00:00 GMT"

    it.effect("is taken in the headers, sub-resources and x-oss-* headers signed", () =>
      Effect.gen(function* () {
        const sign = (text: string) => ({ authorization: `OSS LTAIowner:${hmacSha1(text)}`, date })
        const headers = { "content-type": "text/plain", "x-oss-meta-a": "ü b" }
        const text = `PUT\n\ntext/plain\n${date}\nx-oss-meta-a:ü b\n/examplebucket/v1/ö`
        const put = yield* Client.put("v1/ö", "x", { sign: "none", headers, tamper: sign(text) })
        assert.strictEqual(put.status, 200)
        const acl = sign(`GET\n\n\n${date}\n/examplebucket/v1/ö?acl`)
        assert.strictEqual(
          (yield* Client.get("v1/ö", { sign: "none", query: { acl: "", other: "1" }, tamper: acl })).status,
          200
        )
        const list = sign(`GET\n\n\n${date}\n/examplebucket/`)
        assert.strictEqual((yield* Client.send({ sign: "none", query: { prefix: "v1" }, tamper: list })).status, 200)
        const byOssDate = {
          authorization: `OSS LTAIowner:${hmacSha1(`GET\n\n\n${date}\nx-oss-date:${date}\n/examplebucket/v1/ö`)}`
        }
        assert.strictEqual(
          (yield* Client.get("v1/ö", { sign: "none", tamper: { ...byOssDate, "x-oss-date": date } })).status,
          200
        )
        const wrong = yield* Client.get("v1/ö", { sign: "none", tamper: sign("GET") })
        assert.deepStrictEqual(refusal(wrong), [403, "SignatureDoesNotMatch", "0002-00000040"])
        assert.strictEqual(wrong.xml("StringToSign"), `GET\n\n\n${date}\n/examplebucket/v1/ö`)
      })
    )

    it.effect("is refused without a date, with a strange one, and with one that is off", () =>
      Effect.gen(function* () {
        const authorization = `OSS LTAIowner:${hmacSha1("x")}`
        const get = (tamper: Record<string, string>) =>
          Effect.map(Client.get("k", { sign: "none", tamper: { authorization, ...tamper } }), refusal)
        assert.deepStrictEqual(yield* get({}), [403, "AccessDenied", "0002-00000503"])
        assert.deepStrictEqual(yield* get({ date: "yesterday" }), [403, "AccessDenied", "0002-00000502"])
        const late = yield* get({ date: "Thu, 01 Jan 1970 00:16:00 GMT" })
        assert.deepStrictEqual(late, [403, "RequestTimeTooSkewed", "0002-00000504"])
        const unknown = yield* get({ date, authorization: "OSS nobody:eA==" })
        assert.deepStrictEqual(unknown, [403, "InvalidAccessKeyId", "0002-00000902"])
      })
    )

    it.effect("is taken in the query until it ends", () =>
      Effect.gen(function* () {
        yield* Client.put("v1-url", "x")
        assert.strictEqual((yield* getV1(v1Query(60))).text, "x")
        yield* TestClock.adjust("61 seconds")
        assert.deepStrictEqual(refusal(yield* getV1(v1Query(60))), [403, "AccessDenied", "0002-00000069"])
        assert.strictEqual(refusal(yield* getV1({ ...v1Query(600), Signature: "x" }))[1], "SignatureDoesNotMatch")
        const { Expires: _, ...endless } = v1Query(600)
        assert.deepStrictEqual(refusal(yield* getV1(endless)), [403, "AccessDenied", "0002-00000067"])
        assert.deepStrictEqual(refusal(yield* getV1({ ...v1Query(600), Expires: "soon" })), [
          403,
          "AccessDenied",
          "0002-00000070"
        ])
      })
    )
  })

  describe("a plus sign in the query", () => {
    const keysAt = (path: string, headers: Readonly<Record<string, string>>) =>
      Effect.map(Client.send({ path: `/examplebucket/?${path}`, sign: "none", headers }), ({ status, text }) => [
        status,
        ...[...text.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key)
      ])

    it.effect("means what the signature says it does: itself, or the blank that oss2 writes so", () =>
      Effect.gen(function* () {
        for (const key of ["plus/a b", "plus/a+b"]) yield* Client.put(key, "x")
        const blank = yield* Client.signed({ query: { prefix: "plus/a b" } })
        const plus = yield* Client.signed({ query: { prefix: "plus/a+b" } })
        assert.deepStrictEqual(yield* keysAt("prefix=plus/a+b", blank), [200, "plus/a b"])
        assert.deepStrictEqual(yield* keysAt("prefix=plus/a+b", plus), [200, "plus/a+b"])
        assert.deepStrictEqual(yield* keysAt("prefix=plus/a%2Bb", blank), [403])
      })
    )

    it.effect("is a blank under version 1, whose signature does not cover it", () =>
      Effect.gen(function* () {
        for (const key of ["plus1/a b", "plus1/a+b"]) yield* Client.put(key, "x")
        const date = "Thu, 01 Jan 1970 00:00:00 GMT"
        const headers = { date, authorization: `OSS LTAIowner:${hmacSha1(`GET\n\n\n${date}\n/examplebucket/`)}` }
        assert.deepStrictEqual(yield* keysAt("prefix=plus1/a+b", headers), [200, "plus1/a b"])
        assert.deepStrictEqual(yield* keysAt("prefix=plus1/a%2Bb", headers), [200, "plus1/a+b"])
      })
    )
  })

  describe("a bucket in the host and in the path", () => {
    it.effect(
      "is taken when the signature says so, as ali-oss with sldEnable means it, and else for a part of the key",
      () =>
        Effect.gen(function* () {
          const host = { host: "examplebucket.oss-cn-hangzhou.aliyuncs.com" }
          const send = (method: string, signedKey: string, body = "") =>
            Effect.gen(function* () {
              const headers = yield* Client.signed({ method, key: signedKey })
              const path = "/examplebucket/sld"
              return yield* Client.send({ method, path, body, sign: "none", headers: { ...headers, ...host } })
            })
          assert.strictEqual((yield* send("PUT", "sld", "short")).status, 200)
          assert.strictEqual((yield* send("PUT", "examplebucket/sld", "long")).status, 200)
          assert.strictEqual((yield* Client.get("sld")).text, "short")
          assert.strictEqual((yield* Client.get("examplebucket/sld")).text, "long")
          assert.strictEqual((yield* send("GET", "sld")).text, "short")
          assert.strictEqual((yield* send("GET", "other")).status, 403)
        })
    )
  })

  describe("a stranger", () => {
    it.effect("may do what access control lists open to him, and no more", () =>
      Effect.gen(function* () {
        const name = "open-bucket"
        const anonymous = { bucket: name, sign: "none" } as const
        const forbidden = [403, "AccessDenied", "0003-00000001"]
        yield* Client.send({ method: "PUT", bucket: name })
        yield* Client.put("k", "x", { bucket: name })
        const acl = (value: string) =>
          Client.send({ method: "PUT", bucket: name, query: { acl: "" }, headers: { "x-oss-acl": value } })
        assert.deepStrictEqual(refusal(yield* Client.get("k", anonymous)), forbidden)
        assert.deepStrictEqual(refusal(yield* Client.put("k", "y", anonymous)), forbidden)
        // Whether it is there is not for strangers to know.
        assert.deepStrictEqual(refusal(yield* Client.get("nothing", anonymous)), forbidden)
        yield* acl("public-read")
        assert.strictEqual((yield* Client.get("k", anonymous)).text, "x")
        assert.strictEqual((yield* Client.send(anonymous)).status, 200)
        assert.deepStrictEqual(refusal(yield* Client.put("k", "y", anonymous)), forbidden)
        yield* acl("public-read-write")
        assert.strictEqual((yield* Client.put("k", "y", anonymous)).status, 200)
        const owners = yield* Client.send({ ...anonymous, query: { acl: "" } })
        assert.strictEqual(refusal(owners)[1], "AccessDenied")
        yield* Client.send({
          method: "PUT",
          bucket: name,
          key: "k",
          query: { acl: "" },
          headers: { "x-oss-object-acl": "private" }
        })
        assert.deepStrictEqual(refusal(yield* Client.get("k", anonymous)), forbidden)
        yield* acl("private")
        const open = { "x-oss-object-acl": "public-read" }
        yield* Client.send({ method: "PUT", bucket: name, key: "k", query: { acl: "" }, headers: open })
        assert.strictEqual((yield* Client.get("k", anonymous)).text, "y")
        assert.strictEqual(
          (yield* Client.send({ bucket: name, key: "k", query: { acl: "" } })).xml("Grant"),
          "public-read"
        )
      })
    )

    it.effect("cannot list buckets or make one", () =>
      Effect.gen(function* () {
        for (const method of ["GET", "PUT"]) {
          const path = method === "GET" ? "/" : "/new-bucket"
          assert.strictEqual(refusal(yield* Client.send({ method, path, sign: "none" }))[1], "AccessDenied")
        }
        const oss = yield* OssEmulator
        assert.notStrictEqual(oss.bucket, "new-bucket")
      })
    )
  })
}
