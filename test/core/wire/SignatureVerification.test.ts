/**
 * What a server reads from a signed request, as the official clients send it, and what it makes of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import file from "../../vectors/signature-v4.json" with { type: "json" }

type Texts = Record<string, string>

const signer = Signature.make(crypto)
const scope = "20250715/cn-hangzhou/oss/aliyun_v4_request"
const date = "20250715T093045Z"

const refusal = (result: Either.Either<unknown, InvalidParam>): string => Either.getOrThrow(Either.flip(result)).message
const inHeaders = (authorization: string, headers: Texts = { "x-oss-date": date }) =>
  Signature.claimInHeaders({ ...headers, authorization })

const claim: Signature.Claim = {
  place: "headers",
  accessKeyId: "ak",
  region: "cn-hangzhou",
  product: "oss",
  time: Date.UTC(2025, 6, 15, 9, 30, 45),
  additionalHeaders: ["host", "range"],
  expiresIn: undefined,
  signature: "abc"
}

describe("Signature.claimInHeaders", () => {
  it.each([
    `OSS4-HMAC-SHA256 Credential=ak/${scope},AdditionalHeaders=host;range,Signature=abc`,
    `OSS4-HMAC-SHA256 Credential=ak/${scope}, Signature=abc, AdditionalHeaders=range;host`,
    `OSS4-HMAC-SHA256  Signature=abc , AdditionalHeaders=Host;RANGE;host;x-oss-date,\tCredential=ak/${scope} `
  ])("reads the parts in any order, with and without blanks: %s", (authorization) => {
    assert.deepStrictEqual(Either.getOrThrow(inHeaders(authorization)), claim)
  })

  it("takes an ID with slashes, and no additional headers for an empty list", () => {
    assert.deepStrictEqual(
      Either.getOrThrow(inHeaders(`OSS4-HMAC-SHA256 Credential=a/k/${scope},AdditionalHeaders=,Signature=abc`)),
      { ...claim, accessKeyId: "a/k", additionalHeaders: [] }
    )
  })

  it.each([
    ["", 'must begin with "OSS4-HMAC-SHA256"'],
    ["OSS ak:abc", 'must begin with "OSS4-HMAC-SHA256"'],
    ["OSS4-HMAC-SHA256", 'must be "OSS4-HMAC-SHA256 name=value,name=value", every name once'],
    [
      `OSS4-HMAC-SHA256 Credential=ak/${scope}`,
      "must have Credential and Signature, may have AdditionalHeaders, and nothing else"
    ],
    [
      "OSS4-HMAC-SHA256 Signature=abc",
      "must have Credential and Signature, may have AdditionalHeaders, and nothing else"
    ],
    [
      `OSS4-HMAC-SHA256 Credential=ak/${scope},Signature=a,More=b`,
      "must have Credential and Signature, may have AdditionalHeaders, and nothing else"
    ],
    [
      `OSS4-HMAC-SHA256 Credential=ak/${scope},Signature=a,Signature=b`,
      'must be "OSS4-HMAC-SHA256 name=value,name=value", every name once'
    ],
    [
      `OSS4-HMAC-SHA256 Credential=ak/${scope},Signature=a b`,
      'must be "OSS4-HMAC-SHA256 name=value,name=value", every name once'
    ],
    [
      `OSS4-HMAC-SHA256 Credential=${scope},Signature=abc`,
      "must have a credential of the form ID/date/region/product/aliyun_v4_request"
    ],
    [
      "OSS4-HMAC-SHA256 Credential=ak/20250715/cn-hangzhou/oss/aws4_request,Signature=abc",
      "must have a credential of the form ID/date/region/product/aliyun_v4_request"
    ],
    [
      "OSS4-HMAC-SHA256 Credential=ak/20250715//oss/aliyun_v4_request,Signature=abc",
      "must have a credential of the form ID/date/region/product/aliyun_v4_request"
    ],
    [
      "OSS4-HMAC-SHA256 Credential=ak/20250716/cn-hangzhou/oss/aliyun_v4_request,Signature=abc",
      "must have a credential of the day of x-oss-date"
    ]
  ])("refuses %j", (authorization, reason) => {
    assert.strictEqual(refusal(inHeaders(authorization)), `authorization: ${reason}`)
  })

  it.each([
    "2025-07-15T09:30:45Z",
    "20250230T000000Z",
    "20250715T240000Z",
    "20250715",
    "Tue, 15 Jul 2025 09:30:45 GMT",
    "19691231T235959Z"
  ])("refuses the date %j", (date) => {
    const refused = inHeaders(`OSS4-HMAC-SHA256 Credential=ak/${scope},Signature=abc`, { "x-oss-date": date })
    assert.strictEqual(refusal(refused), 'x-oss-date: must be a moment such as "20250715T093045Z"')
  })

  it("refuses absent headers", () => {
    assert.match(refusal(Signature.claimInHeaders({})), /^authorization: /)
    assert.match(refusal(inHeaders(`OSS4-HMAC-SHA256 Credential=ak/${scope},Signature=abc`, {})), /^x-oss-date: /)
  })
})

const query = {
  "x-oss-signature-version": "OSS4-HMAC-SHA256",
  "x-oss-credential": `ak/${scope}`,
  "x-oss-date": date,
  "x-oss-expires": "3600",
  "x-oss-additional-headers": "host;range",
  "x-oss-signature": "abc"
}

describe("Signature.claimInQuery", () => {
  it("reads a presigned URL's claim and its lifetime in seconds", () => {
    assert.deepStrictEqual(Either.getOrThrow(Signature.claimInQuery(query)), {
      ...claim,
      place: "query",
      expiresIn: 3600
    })
  })

  it.each(["0", "604801", "-1", "1.5", "1e3", "", " 1", "9999999999999999999999"])(
    "refuses the lifetime %j",
    (expires) => {
      assert.strictEqual(
        refusal(Signature.claimInQuery({ ...query, "x-oss-expires": expires })),
        "x-oss-expires: must be 1 to 604800 seconds"
      )
    }
  )

  it.each(["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature"])(
    "names %s when it is absent",
    (name) => {
      assert.match(refusal(Signature.claimInQuery({ ...query, [name]: undefined })), new RegExp(`^${name}: must be `))
    }
  )
})

describe("Signature.claimInForm", () => {
  it("reads a form's claim, which has no lifetime and no additional headers", () => {
    assert.deepStrictEqual(Either.getOrThrow(Signature.claimInForm(query)), {
      ...claim,
      place: "form",
      additionalHeaders: []
    })
  })
})

const requestOf = (
  input: (typeof file.vectors)[number]["input"],
  query: Texts,
  headers: Texts
): Signature.Received => ({
  method: input.method!,
  bucket: input.bucket ?? undefined,
  key: input.key ?? undefined,
  query,
  headers
})

describe("Signature.expected", () => {
  it.each(file.vectors.filter(({ kind }) => kind !== "postPolicy").map((vector) => [vector.name, vector] as const))(
    "comes to the official SDKs' signature: %s",
    (_, { expected, input, kind }) => {
      const byHeaders = kind === "header"
      const own = input.headers as Texts // the union of all vectors' records has optional members; JSON has none
      const query = (byHeaders ? input.query : expected.query) as Texts
      const headers: Texts = byHeaders
        ? { ...own, ...(expected.requestHeaders as Texts), authorization: expected.authorization! }
        : own
      const claim = Either.getOrThrow(byHeaders ? Signature.claimInHeaders(headers) : Signature.claimInQuery(query))
      const secret = Redacted.make(input.credentials.accessKeySecret)
      const signed = Either.getOrThrow(Signature.expected(signer, claim, requestOf(input, query, headers), secret))
      assert.strictEqual(signed.canonicalRequest, expected.canonicalRequest)
      assert.strictEqual(signed.stringToSign, expected.stringToSign)
      assert.isTrue(Signature.equal(signed.signature, claim.signature))
    }
  )

  it("takes the payload word from x-oss-content-sha256 where that arrived", () => {
    const received = {
      method: "GET",
      bucket: "media",
      key: "a",
      query: {},
      headers: { "X-Oss-Content-Sha256": "e3b0" }
    }
    const secret = Redacted.make("sk")
    const lastLine = (headers: Texts) =>
      Either.getOrThrow(
        Signature.expected(signer, { ...claim, additionalHeaders: [] }, { ...received, headers }, secret)
      )
        .canonicalRequest.split("\n")
        .at(-1)
    assert.deepStrictEqual([lastLine(received.headers), lastLine({})], ["e3b0", "UNSIGNED-PAYLOAD"])
  })

  it("takes an additional header that arrived empty, and refuses one that did not arrive", () => {
    const received = { method: "GET", bucket: "media", key: "a", query: {} }
    const expected = (headers: Texts) =>
      Signature.expected(signer, claim, { ...received, headers }, Redacted.make("sk"))
    assert.match(
      Either.getOrThrow(expected({ Host: "", range: "a" })).canonicalRequest,
      /\nhost:\nrange:a\n\nhost;range\n/
    )
    assert.match(refusal(expected({ host: "a" })), /^additionalHeaders: .*"range"/)
  })
})

describe("Signature.expectedPolicy", () => {
  it.each(file.vectors.filter(({ kind }) => kind === "postPolicy").map((vector) => [vector.name, vector] as const))(
    "comes to the official SDKs' signature: %s",
    (_, { expected, input }) => {
      const claim = Either.getOrThrow(Signature.claimInForm(expected.fields as Texts))
      const secret = Redacted.make(input.credentials.accessKeySecret)
      const signature = Either.getOrThrow(Signature.expectedPolicy(signer, claim, expected.policyBase64!, secret))
      assert.isTrue(Signature.equal(signature, claim.signature))
    }
  )
})

describe("Signature.equal", () => {
  it("is for equal texts only", () => {
    assert.deepStrictEqual(
      [
        ["", ""],
        ["abc", "abc"],
        ["abc", "abd"],
        ["abc", "ab"],
        ["ab", "abc"],
        ["a", "\u0161"]
      ].map(([a, b]) => Signature.equal(a!, b!)),
      [true, true, false, false, false, false]
    )
  })
})
