/**
 * Signature V4 against what the official SDKs sign: 124 known answers. See test/vectors/README.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Uri from "../../../core/wire/Uri.ts"
import file from "../../vectors/signature-v4.json" with { type: "json" }

type Vector = (typeof file.vectors)[number]
type Texts = Record<string, string>

const signer = Signature.make(crypto)

const credentialsOf = ({ input: { credentials } }: Vector) => ({
  accessKeyId: credentials.accessKeyId,
  accessKeySecret: Redacted.make(credentials.accessKeySecret),
  securityToken: credentials.securityToken === null ? undefined : Redacted.make(credentials.securityToken)
})

const termsOf = (vector: Vector) => ({
  credentials: credentialsOf(vector),
  region: vector.input.region,
  product: vector.input.product,
  time: Date.parse(vector.input.time)
})

const requestOf = ({ input }: Vector): Signature.Request => ({
  method: input.method!,
  bucket: input.bucket ?? undefined,
  key: input.key ?? undefined,
  query: input.query as Texts, // the union of all vectors' records has optional members; JSON has none
  headers: input.headers as Texts,
  additionalHeaders: input.additionalHeaders
})

const of = (kind: string) =>
  file.vectors.filter((vector) => vector.kind === kind).map((vector) => [vector.name, vector] as const)

const textsOf = ({ canonicalRequest, signature, stringToSign }: Signature.Signed) => ({
  canonicalRequest,
  stringToSign,
  signature
})

const expectedTextsOf = ({ expected }: Vector) => ({
  canonicalRequest: expected.canonicalRequest,
  stringToSign: expected.stringToSign,
  signature: expected.signature
})

describe("Signature.signHeaders", () => {
  it("meets 70 header vectors", () => assert.strictEqual(of("header").length, 70))

  it.each(of("header"))("signs as the official SDKs do: %s", (_, vector) => {
    const signed = Either.getOrThrow(Signature.signHeaders(signer, requestOf(vector), termsOf(vector)))
    assert.deepStrictEqual(textsOf(signed), expectedTextsOf(vector))
    assert.deepStrictEqual(signed.headers, {
      ...(vector.expected.requestHeaders as Texts),
      authorization: vector.expected.authorization!
    })
  })
})

const addressings: Record<string, Bucket.Addressing> = { virtual: "virtual-hosted", path: "path", cname: "cname" }

const decoded = (text: string) =>
  Object.fromEntries(
    text.split("&").map((pair) => {
      const [name, value = ""] = pair.split("=")
      return [decodeURIComponent(name!), decodeURIComponent(value)]
    })
  )

const bucketOf = ({ input }: Vector) =>
  Either.getOrThrow(
    Bucket.make({
      bucket: input.bucket!,
      region: input.region,
      endpoint: input.endpoint!,
      addressing: addressings[input.addressing!]!
    })
  )

describe("Signature.presign", () => {
  it("meets 43 presign vectors", () => assert.strictEqual(of("presign").length, 43))

  it.each(of("presign"))("signs as the official SDKs do: %s", (_, vector) => {
    const { expected, input } = vector
    const terms = { ...termsOf(vector), expiresIn: input.expiresSeconds! }
    const presigned = Either.getOrThrow(Signature.presign(signer, requestOf(vector), terms))
    assert.deepStrictEqual(textsOf(presigned), expectedTextsOf(vector))
    assert.deepStrictEqual(presigned.query, expected.query as Texts)

    const [, scheme, host, path, search] = /^(https?):\/\/([^/]+)(\/[^?]*)\?(.*)$/.exec(
      Uri.url(bucketOf(vector), input.key ?? undefined, presigned.query)
    )!
    assert.deepStrictEqual(
      [scheme, host, decodeURIComponent(path!)],
      [expected.scheme, expected.host, expected.decodedPath]
    )
    assert.deepStrictEqual(decoded(search!), expected.query)
    assert.deepStrictEqual(decoded(presigned.search), expected.query)
  })

  it.each(of("presign"))("hands over exactly the headers that it signed: %s", (_, vector) => {
    const terms = { ...termsOf(vector), expiresIn: vector.input.expiresSeconds! }
    const { canonicalRequest, headers } = Either.getOrThrow(Signature.presign(signer, requestOf(vector), terms))
    const lines = canonicalRequest.split("\n").slice(3, -3)
    assert.deepStrictEqual(
      Object.entries(headers).map(([name, value]) => `${name}:${value}`),
      lines
    )
  })
})

describe("Signature.signPolicy", () => {
  it("meets 11 form vectors", () => assert.strictEqual(of("postPolicy").length, 11))

  it.each(of("postPolicy"))("signs as the official SDKs do: %s", (_, vector) => {
    const { expected, input } = vector
    const policy = Buffer.from(input.policyJson!).toString("base64")
    assert.strictEqual(policy, expected.policyBase64)
    assert.deepStrictEqual(Either.getOrThrow(Signature.signPolicy(signer, policy, termsOf(vector))), {
      signature: expected.signature,
      credential: (expected.fields as Texts)["x-oss-credential"],
      date: (expected.fields as Texts)["x-oss-date"]
    })
  })
})
