/**
 * What is done with each of the 33 inputs on which the official SDKs do not agree: the answer of one of them, or a refusal.
 * Why: core/decisions/0010-signature-choices.md. Where the inputs come from: test/vectors/README.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import file from "../../vectors/signature-v4-sdk-disagreements.json" with { type: "json" }

type Entry = (typeof file.disagreements)[number]
type Choice = { readonly as: string } | { readonly refused: string }

const python2: Choice = { as: "alibabacloud-oss-python-sdk-v2" }
const java: Choice = { as: "aliyun-sdk-oss (Java V1)" }
const refused = (refused: string): Choice => ({ refused })
const additional = (name: string) =>
  refused(`additionalHeaders: must be on the request with a value, but "${name}" is not`)
const label = refused('region: must be the region\'s ID, "cn-hangzhou", got the endpoint\'s label "oss-cn-hangzhou"')

const choices: Readonly<Record<string, Choice>> = {
  "header/query-name-specials": python2,
  "header/query-name-prefix-ordering": python2,
  "header/query-upper-before-lower": python2,
  "header/query-underscore-hyphen-dot-tilde-order": python2,
  "header/query-astral-vs-bmp-order": python2,
  "header/query-value-with-surrounding-spaces": python2,
  "header/additional-duplicates": python2,
  "header/additional-missing-in-request": additional("host"),
  "header/additional-empty-value": additional("cache-control"),
  "header/header-value-surrounding-spaces": java,
  "header/user-supplied-content-sha256-hash": python2,
  "presign/additional-missing-in-request": additional("host"),
  "presign/query-upper-lower-order": python2,
  "postpolicy/seed-python-v1-form-spaced-json": python2,
  "postpolicy/seed-python-v2-form-spaced-json": python2,
  "postpolicy/seed-java-form-policy-text": python2,
  "postpolicy/escaped-unicode-ascii-json": python2,
  "header/probe-empty-query-value-as-empty-string": python2,
  "header/probe-empty-query-value-mixed": python2,
  "presign/probe-presign-empty-query-value": python2,
  "presign/probe-presign-empty-string-token": python2,
  "header/probe-header-empty-string-token": python2,
  "presign/probe-presign-preexisting-x-oss-signature": python2,
  "presign/probe-presign-preexisting-x-oss-date-expires": python2,
  "presign/probe-presign-additional-empty-value": additional("cache-control"),
  "presign/probe-presign-additional-duplicates": python2,
  "presign/probe-presign-header-value-surrounding-spaces": java,
  "presign/probe-presign-query-value-surrounding-spaces": python2,
  "header/probe-query-name-surrounding-spaces": python2,
  "header/probe-header-value-nbsp-and-tab-edges": java,
  "header/probe-region-with-oss-prefix": label,
  "presign/probe-presign-region-with-oss-prefix": label,
  "header/probe-two-spellings-of-one-header": refused("x-oss-meta-a: must stand once, got two spellings")
}

const signer = Signature.make(crypto)

const answerTo = ({ input, kind }: Entry): Either.Either<Partial<Signature.Signed>, InvalidParam> => {
  const { accessKeyId, accessKeySecret, securityToken } = input.credentials
  const terms = {
    credentials: {
      accessKeyId,
      accessKeySecret: Redacted.make(accessKeySecret),
      securityToken: securityToken === null ? undefined : Redacted.make(securityToken)
    },
    region: input.region,
    product: input.product,
    time: Date.parse(input.time)
  }
  if (kind === "postPolicy") {
    return Signature.signPolicy(signer, Buffer.from(input.policyJson!).toString("base64"), terms)
  }
  const request = {
    method: input.method!,
    bucket: input.bucket ?? undefined,
    key: input.key ?? undefined,
    query: input.query as Record<string, string>, // the union of all entries' records has optional members; JSON has none
    headers: input.headers as Record<string, string>,
    additionalHeaders: input.additionalHeaders ?? []
  }
  return kind === "header"
    ? Signature.signHeaders(signer, request, terms)
    : Signature.presign(signer, request, { ...terms, expiresIn: input.expiresSeconds! })
}

describe("where the official SDKs disagree", () => {
  it("every entry has a choice", () => {
    assert.sameMembers(
      Object.keys(choices),
      file.disagreements.map(({ name }) => name)
    )
  })

  it.each(file.disagreements.map((entry) => [entry.name, entry] as const))("a choice is made: %s", (name, entry) => {
    const answer = answerTo(entry)
    const choice = choices[name]!
    if ("refused" in choice) {
      assert.strictEqual(Either.getOrThrow(Either.flip(answer)).message, choice.refused)
      return
    }
    const { canonicalRequest, signature } = Either.getOrThrow(answer)
    const group = entry.groups.find(({ sdks }) => sdks.some(({ sdk }) => sdk === choice.as))!
    assert.strictEqual(signature, group.signature)
    if ("canonicalRequest" in group) assert.strictEqual(canonicalRequest, group.canonicalRequest)
  })
})
