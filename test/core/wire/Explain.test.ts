/**
 * Each way in which two signatures come apart has its sentence, and none shows a secret.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Explain from "../../../core/wire/Explain.ts"
import * as Signature from "../../../core/wire/Signature.ts"

const signer = Signature.make(crypto)
const token = "CAISfakefake+/token=="
const callback = "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9hLmIifQ=="
const terms = {
  credentials: { accessKeyId: "ak", accessKeySecret: Redacted.make("sk"), securityToken: Redacted.make(token) },
  region: "cn-hangzhou",
  time: Date.UTC(2025, 6, 15, 9, 30, 45),
  expiresIn: 60
}
const request = {
  method: "PUT",
  bucket: "media",
  key: "videos/holiday.mp4",
  query: { partNumber: "2", uploadId: "0004B9" },
  headers: { "x-oss-callback": callback, "x-oss-meta-a": "1", range: "bytes=0-9" },
  additionalHeaders: ["range"]
}
const ours = Either.getOrThrow(Signature.signHeaders(signer, request, terms))
const presigned = Either.getOrThrow(
  Signature.presign(signer, { ...request, headers: {}, additionalHeaders: [], query: { callback } }, terms)
)

/** The sentence when OSS's canonical request is ours with one piece of text replaced. */
const whenCanonical = (from: string | RegExp, to: string, signed: Signature.Signed = ours) => {
  const canonicalRequest = signed.canonicalRequest.replace(from, to)
  assert.notStrictEqual(canonicalRequest, signed.canonicalRequest)
  return Explain.explain(signed, { canonicalRequest, stringToSign: "" })
}
const whenString = (from: string | RegExp, to: string, canonicalRequest = "") =>
  Explain.explain(ours, { canonicalRequest, stringToSign: ours.stringToSign.replace(from, to) })

describe("Explain.explain, by the canonical request", () => {
  it.each([
    ["PUT", "GET", 'the method differs; first difference in line 1 of the canonical request: ours "PUT", OSS "GET"'],
    [
      "/media/",
      "/medio/",
      'the bucket differs; first difference in line 2 of the canonical request: ours "/media/videos/holiday.mp4", OSS "/medio/videos/holiday.mp4"'
    ],
    [
      "videos/",
      "",
      'the key differs: something rewrote the path on its way; first difference in line 2 of the canonical request: ours "/media/videos/holiday.mp4", OSS "/media/holiday.mp4"'
    ],
    [
      "partNumber=2",
      "partNumber=3",
      'query parameter partNumber arrived with another value; first difference in line 3 of the canonical request: ours "partNumber=2", OSS "partNumber=3"'
    ],
    [
      "&uploadId=0004B9",
      "",
      'query parameter uploadId was signed, but did not arrive; first difference in line 3 of the canonical request: ours "uploadId=0004B9", OSS nothing'
    ],
    [
      "&uploadId",
      "&spm=a2c4g&uploadId",
      'query parameter spm was not signed, but a2c4g was sent; first difference in line 3 of the canonical request: ours "uploadId=0004B9", OSS "spm=a2c4g"'
    ],
    [
      "range:",
      "content-type:image/jpeg\nrange:",
      'content-type was not signed, but image/jpeg was sent; first difference in line 4 of the canonical request: ours "range:bytes=0-9", OSS "content-type:image/jpeg"'
    ],
    [
      "x-oss-meta-a:1",
      "x-oss-meta-a:1 ",
      'x-oss-meta-a arrived with another value; first difference in line 8 of the canonical request: ours "x-oss-meta-a:1", OSS "x-oss-meta-a:1 "'
    ],
    [
      "x-oss-meta-a:1\n",
      "",
      'x-oss-meta-a was signed, but did not arrive; first difference in line 8 of the canonical request: ours "x-oss-meta-a:1", OSS "x-oss-security-token:(hidden)"'
    ],
    [
      token,
      "another",
      'x-oss-security-token arrived with another value; first difference in line 9 of the canonical request: ours "x-oss-security-token:(hidden)", OSS "x-oss-security-token:(hidden)"'
    ],
    [
      /x-oss-callback:.*\n/,
      "",
      'x-oss-callback was signed, but did not arrive; first difference in line 5 of the canonical request: ours "x-oss-callback:(hidden)", OSS "x-oss-content-sha256:UNSIGNED-PAYLOAD"'
    ],
    [
      "x-oss-content",
      `x-oss-callback-var:${callback}\nx-oss-content`,
      'x-oss-callback-var was not signed, but it was sent; first difference in line 6 of the canonical request: ours "x-oss-content-sha256:UNSIGNED-PAYLOAD", OSS "x-oss-callback-var:(hidden)"'
    ],
    [
      "\nrange\n",
      "\n\n",
      'the names of the additional headers differ; first difference in line 11 of the canonical request: ours "range", OSS ""'
    ],
    [
      /UNSIGNED-PAYLOAD$/,
      "e3b0",
      'the last line, x-oss-content-sha256, differs; first difference in line 12 of the canonical request: ours "UNSIGNED-PAYLOAD", OSS "e3b0"'
    ],
    [
      /x-oss-content-sha256:.*\nx-oss-date:.*\n/,
      "x-oss-date:20250715T093045Z\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n",
      'the order differs; first difference in line 6 of the canonical request: ours "x-oss-content-sha256:UNSIGNED-PAYLOAD", OSS "x-oss-date:20250715T093045Z"'
    ]
  ])("%s becomes %s", (from, to, sentence) => assert.strictEqual(whenCanonical(from, to), sentence))

  it("hides a callback and a token in the query", () => {
    assert.strictEqual(
      whenCanonical(/callback=[^&]*/, "callback=e30%3D", presigned),
      'query parameter callback arrived with another value; first difference in line 3 of the canonical request: ours "callback=(hidden)", OSS "callback=(hidden)"'
    )
    assert.strictEqual(
      whenCanonical(/&x-oss-security-token=[^&]*/, "", presigned),
      'query parameter x-oss-security-token was signed, but did not arrive; first difference in line 3 of the canonical request: ours "x-oss-security-token=(hidden)", OSS "x-oss-signature-version=OSS4-HMAC-SHA256"'
    )
  })

  it("shows long lines around the difference only", () => {
    const long = {
      ...ours,
      canonicalRequest: ours.canonicalRequest.replace("holiday", "a".repeat(1000) + "b" + "c".repeat(1000))
    }
    assert.strictEqual(
      whenCanonical("ab", "ad", long),
      `the key differs: something rewrote the path on its way; first difference in line 2 of the canonical request: ours "…${"a".repeat(30)}b${"c".repeat(49)}…", OSS "…${"a".repeat(30)}d${"c".repeat(49)}…"`
    )
  })

  it("claims nothing about what it did not read", () => {
    const long = { ...ours, canonicalRequest: ours.canonicalRequest + "a".repeat(Explain.maxLength) }
    assert.strictEqual(whenCanonical(/a$/, "b", long), "the canonical requests agree in their first 32768 characters")
  })

  it("says so when the text is none", () => {
    assert.strictEqual(
      Explain.explain(ours, { canonicalRequest: `PUT ${token}`, stringToSign: ours.stringToSign }),
      "OSS's canonical request has 1 of the 6 or more lines; ours has 12"
    )
  })
})

describe("Explain.explain, by the string to sign", () => {
  it.each([
    [
      "OSS4",
      "OSS5",
      'the signing method differs; first difference in line 1 of the string to sign: ours "OSS4-HMAC-SHA256", OSS "OSS5-HMAC-SHA256"'
    ],
    [
      "T09",
      "T10",
      'the date differs: x-oss-date changed on its way; first difference in line 2 of the string to sign: ours "20250715T093045Z", OSS "20250715T103045Z"'
    ],
    [
      "cn-hangzhou",
      "cn-shanghai",
      'the region of the signature differs; first difference in line 3 of the string to sign: ours "20250715/cn-hangzhou/oss/aliyun_v4_request", OSS "20250715/cn-shanghai/oss/aliyun_v4_request"'
    ],
    [
      "/oss/",
      "/oss-cloudbox/",
      'the product of the signature differs; first difference in line 3 of the string to sign: ours "20250715/cn-hangzhou/oss/aliyun_v4_request", OSS "20250715/cn-hangzhou/oss-cloudbox/aliyun_v4_request"'
    ],
    [
      /$/,
      "\nmore",
      'OSS\'s text has more lines; first difference in line 5 of the string to sign: ours nothing, OSS "more"'
    ]
  ])("%s becomes %s", (from, to, sentence) => assert.strictEqual(whenString(from, to), sentence))

  it("tells a differing hash by whether the canonical requests could be compared", () => {
    assert.match(
      whenString(/[0-9a-f]{64}/, "0")!,
      /^the canonical requests differ, but OSS did not show its own; first difference in line 4/
    )
    assert.match(
      whenString(/[0-9a-f]{64}/, "0", ours.canonicalRequest)!,
      /^the canonical requests read alike but hash differently: are there characters beyond ASCII in headers\?; first/
    )
  })
})

describe("Explain.explain, without a difference", () => {
  it("blames the secret when OSS signed the same text", () => {
    const { canonicalRequest, stringToSign } = ours
    const sentence =
      "OSS signed the same text, so the AccessKeySecret is not that of the AccessKeyId (are there blanks around it?)"
    assert.strictEqual(Explain.explain(ours, { canonicalRequest, stringToSign }), sentence)
    assert.strictEqual(Explain.explain(ours, { stringToSign: `\n${stringToSign}\n` }), sentence)
  })

  it("leaves region and date open when only the canonical request came", () => {
    assert.strictEqual(
      Explain.explain(ours, { canonicalRequest: ours.canonicalRequest }),
      "OSS read the request as we signed it, so the AccessKeySecret, the region or the date is wrong"
    )
  })

  it("has nothing to say when OSS showed neither text", () => {
    assert.isUndefined(Explain.explain(ours, { canonicalRequest: "", stringToSign: undefined }))
    assert.isUndefined(Explain.explain(ours, {}))
  })
})
