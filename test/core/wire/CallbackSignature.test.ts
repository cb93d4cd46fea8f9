import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as NodeCryptoModule from "node:crypto"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"

const base64 = (text: string) => Buffer.from(text).toString("base64")
const alibabaUrl = "http://gosspublic.alicdn.com/callback_pub_key_v1.pem"

const received = (path: string, query: string | undefined, body: string, signature: string) => ({
  path,
  query,
  headers: { authorization: signature, "x-oss-pub-key-url": base64(alibabaUrl) },
  body: Utf8.encode(body)
})

const verify = (request: CallbackSignature.Received, keys = [CallbackSignature.alibabaKey]) =>
  Either.match(CallbackSignature.verify(crypto, keys, request), { onLeft: ({ reason }) => reason, onRight: () => "ok" })

// Two requests that OSS really signed. (a): the sample of Alibaba's documentation. (b): a form upload seen in the wild.
const official = received(
  "/index.php",
  "id=1&index=2",
  "bucket=yonghu-test",
  "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA=="
)
const captured = received(
  "/api/AliYunOssCallback",
  undefined,
  "filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200",
  "HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ=="
)

describe("CallbackSignature.verify", () => {
  it("accepts what OSS signed", () => {
    assert.strictEqual(verify(official), "ok")
    assert.strictEqual(verify(captured), "ok")
    assert.strictEqual(verify({ ...official, path: "/%69ndex.php" }), "ok")
  })

  it("refuses both after any one byte of path, query or body has changed", () => {
    const flip = (text: string, at: number) =>
      text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
    for (const request of [official, captured]) {
      for (let i = 1; i < request.path.length; i++) {
        assert.notStrictEqual(verify({ ...request, path: flip(request.path, i) }), "ok")
      }
      for (let i = 0; i < (request.query ?? "").length; i++) {
        assert.strictEqual(verify({ ...request, query: flip(request.query!, i) }), "BadSignature")
      }
      for (let i = 0; i < request.body.length; i++) {
        const body = request.body.map((byte, at) => (at === i ? byte ^ 1 : byte))
        assert.strictEqual(verify({ ...request, body }), "BadSignature")
      }
    }
  })

  it("tells an empty query from none", () => {
    assert.strictEqual(verify({ ...captured, query: "" }), "BadSignature")
  })

  it("takes key URLs whole: nothing that only looks like Alibaba's", () => {
    const looks = [
      "http://gosspublic.alicdn.com.evil/callback_pub_key_v1.pem",
      "http://gosspublic.alicdn.com@evil/callback_pub_key_v1.pem",
      "http://gosspublic.alicdn.com/callback_pub_key_v1.pem?x",
      "http://gosspublic.alicdn.com/../callback_pub_key_v1.pem",
      "HTTP://gosspublic.alicdn.com/callback_pub_key_v1.pem",
      "http://evil/http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
      " http://gosspublic.alicdn.com/callback_pub_key_v1.pem"
    ]
    for (const url of looks) {
      const headers = { ...official.headers, "x-oss-pub-key-url": base64(url) }
      assert.strictEqual(verify({ ...official, headers }), "UntrustedKey", url)
    }
  })

  it("says what is missing", () => {
    const { authorization, "x-oss-pub-key-url": keyUrl } = official.headers
    assert.strictEqual(verify({ ...official, headers: { "x-oss-pub-key-url": keyUrl } }), "Unsigned")
    assert.strictEqual(verify({ ...official, headers: { authorization } }), "Unsigned")
    assert.strictEqual(verify({ ...official, headers: { ...official.headers, authorization: "OSS ak:x" } }), "Unsigned")
    const v2 = { ...official.headers, "x-oss-signature-version": "2.0" }
    assert.strictEqual(verify({ ...official, headers: v2 }), "UnsupportedVersion")
  })

  it("agrees with node:crypto on keys of 512, 1024 and 2048 bits, and on forged signatures", () => {
    for (const modulusLength of [512, 1024, 2048]) {
      const pair = NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength })
      const pem = pair.publicKey.export({ type: "spki", format: "pem" }).toString()
      const trusted = [Either.getOrThrow(CallbackSignature.trust("http://k", pem))]
      const text = "/path?x=1\nbody"
      const signature = NodeCryptoModule.sign("md5", Buffer.from(text), pair.privateKey)
      const request = (bytes: Buffer) => ({
        path: "/path",
        query: "x=1",
        headers: { authorization: bytes.toString("base64"), "x-oss-pub-key-url": base64("http://k") },
        body: Utf8.encode("body")
      })
      assert.strictEqual(verify(request(signature), trusted), "ok")
      assert.strictEqual(verify(request(Buffer.concat([Buffer.of(0), signature])), trusted), "BadSignature")
      assert.strictEqual(verify(request(signature.subarray(1)), trusted), "BadSignature")
      FastCheck.assert(
        FastCheck.property(FastCheck.nat(signature.length * 8 - 1), (bit) => {
          const forged = Buffer.from(signature)
          forged[bit >> 3]! ^= 1 << (bit & 7)
          return (
            verify(request(forged), trusted) === "BadSignature" &&
            !NodeCryptoModule.verify("md5", Buffer.from(text), pair.publicKey, forged)
          )
        }),
        { numRuns: 300 }
      )
    }
  })

  it("reads no key but an RSA public key of a sensible size", () => {
    const reason = (text: string) =>
      Either.match(CallbackSignature.trust("http://k", text), { onLeft: (error) => error.message, onRight: () => "" })
    assert.match(reason(""), /^publicKey: must be an RSA public key/)
    assert.match(reason("AAAA"), /^publicKey: must be an RSA public key/)
    const ec = NodeCryptoModule.generateKeyPairSync("ec", { namedCurve: "P-256" })
    assert.match(reason(ec.publicKey.export({ type: "spki", format: "pem" }).toString()), /must be an RSA public key/)
  })

  it("ends 10,000 mutated keys in a refusal or a key", () => {
    const der = NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength: 512 }).publicKey.export({
      type: "spki",
      format: "der"
    })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.nat(der.length - 1),
        FastCheck.nat(255),
        FastCheck.nat(der.length),
        (at, value, cut) => {
          const mutated = Buffer.from(der)
          mutated[at] = value
          const bytes = value % 3 === 0 ? mutated.subarray(0, cut) : mutated
          return Either.isEither(CallbackSignature.trust("http://k", bytes.toString("base64")))
        }
      ),
      { numRuns: 10_000 }
    )
  })
})
