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

const flip = (text: string, at: number) =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)

/** What is signed, for a body of two bytes that are not UTF-8. */
const signedText = (path: string, query?: string) =>
  CallbackSignature.stringToSign({ path, query, body: Uint8Array.of(0, 0xff) })

/** Block type 1: a number of FF, a zero, and the tail; in hex. */
const filled = (ff: number, tail: string) => `0001${"ff".repeat(ff)}00${tail}`

/** A signature of 64 bytes, in base64. */
const asText = (s: bigint) => Buffer.from(s.toString(16).padStart(128, "0"), "hex").toString("base64")

const generate = (modulusLength: number) => NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength })

const trust = (url: string, { publicKey }: NodeCryptoModule.KeyPairKeyObjectResult) =>
  Either.getOrThrow(CallbackSignature.trust(url, publicKey.export({ type: "spki", format: "pem" }).toString()))

describe("CallbackSignature.verify", () => {
  it("accepts what OSS signed", () => {
    assert.strictEqual(verify(official), "ok")
    assert.strictEqual(verify(captured), "ok")
    assert.strictEqual(verify({ ...official, path: "/%69ndex.php" }), "ok")
  })

  it("refuses both after any one byte of path, query or body has changed", () => {
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

  it("takes an empty query for none, as Alibaba's Java samples do, and for one, as those in Python do", () => {
    assert.strictEqual(verify({ ...captured, query: "" }), "ok")
    assert.strictEqual(verify({ ...official, query: "" }), "BadSignature")
    const pair = generate(512)
    const trusted = [trust(alibabaUrl, pair)]
    const sign = (text: string) => NodeCryptoModule.sign("md5", Buffer.from(text), pair.privateKey).toString("base64")
    assert.strictEqual(verify(received("/a", "", "b", sign("/a?\nb")), trusted), "ok")
    assert.strictEqual(verify(received("/a", undefined, "b", sign("/a?\nb")), trusted), "BadSignature")
    assert.strictEqual(verify(received("/a", "x", "b", sign("/a\nb")), trusted), "BadSignature")
  })

  it("decodes the path alone, to bytes, and refuses what is not percent-encoded", () => {
    assert.deepEqual(
      signedText("/%e6%97%A5+%2B", "a=%2F+"),
      new Uint8Array([...Buffer.from("/日++?a=%2F+\n"), 0, 0xff])
    )
    assert.deepEqual(signedText("/%ff"), Uint8Array.of(0x2f, 0xff, 0x0a, 0, 0xff)) // not UTF-8, and still signed
    for (const broken of ["/%", "/%2", "/%zz", "/日", "/a b", "/\u0000"]) {
      assert.isUndefined(signedText(broken), broken)
      assert.strictEqual(verify({ ...official, path: broken }), "BadSignature")
    }
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
      const pair = generate(modulusLength)
      const trusted = [trust("http://k", pair)]
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

  it("compares the whole padded message: nothing after the digest, nothing shorter before it", () => {
    // A key of our own, so that any padded message can be signed: with raw RSA.
    const pair = generate(1024)
    const trusted = [trust(alibabaUrl, pair)]
    const digest = NodeCryptoModule.createHash("md5").update("/a\nb").digest("hex")
    const md5Info = `3020300c06082a864886f70d020505000410${digest}`
    const outcome = (message: string) => {
      const padded = Buffer.from(message.padStart(256, "0"), "hex")
      const key = { key: pair.privateKey, padding: NodeCryptoModule.constants.RSA_NO_PADDING }
      return verify(
        received("/a", undefined, "b", NodeCryptoModule.privateEncrypt(key, padded).toString("base64")),
        trusted
      )
    }
    assert.strictEqual(outcome(filled(91, md5Info)), "ok")
    // Bleichenbacher, 2006: short padding, and rubbish behind the digest.
    assert.strictEqual(outcome(filled(8, md5Info + "00".repeat(83))), "BadSignature")
    assert.strictEqual(outcome(filled(90, `${md5Info}00`)), "BadSignature")
    // Without the NULL of its algorithm, of another hash, without a DigestInfo, and of block type 2.
    assert.strictEqual(outcome(filled(93, `301e300a06082a864886f70d02050410${digest}`)), "BadSignature")
    assert.strictEqual(outcome(filled(91, md5Info.replace("0205", "0204"))), "BadSignature")
    assert.strictEqual(outcome(filled(109, digest)), "BadSignature")
    assert.strictEqual(outcome(filled(91, md5Info).replace("0001", "0002")), "BadSignature")
  })

  it("takes no signature at or above the modulus, though its remainder would fit", () => {
    const pair = generate(512)
    const trusted = trust(alibabaUrl, pair)
    const { modulus } = trusted.publicKey
    // Bodies until a signature is small enough that s + n still has 64 bytes.
    const outcomes = Array.from({ length: 200 }, (_, i) => {
      const signature = NodeCryptoModule.sign("md5", Buffer.from(`/a\n${i}`), pair.privateKey)
      const above = BigInt(`0x${signature.toString("hex")}`) + modulus
      return above < 2n ** 512n ? verify(received("/a", undefined, String(i), asText(above)), [trusted]) : undefined
    }).filter((outcome) => outcome !== undefined)
    assert.isAbove(outcomes.length, 0)
    assert.deepEqual([...new Set(outcomes)], ["BadSignature"])
  })

  it("tries every key that is trusted under the URL, and no other", () => {
    const old = generate(512)
    const next = generate(512)
    const signature = NodeCryptoModule.sign("md5", Buffer.from("/a\nb"), next.privateKey).toString("base64")
    const request = received("/a", undefined, "b", signature)
    assert.strictEqual(verify(request, [trust(alibabaUrl, old), trust(alibabaUrl, next)]), "ok")
    assert.strictEqual(verify(request, [trust(alibabaUrl, old), trust("http://other", next)]), "BadSignature")
    assert.strictEqual(verify(request, []), "UntrustedKey")
  })
})
