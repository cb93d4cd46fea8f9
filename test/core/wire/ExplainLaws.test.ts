/**
 * Whatever OSS answers: no secret of ours is shown, the sentence stays one short line, and it takes no time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Explain from "../../../core/wire/Explain.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import { cpuMillis } from "../../support/Cpu.ts"

const signer = Signature.make(crypto)
const token = "CAISfakefake+/token=="
const callback = "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9hLmIifQ=="
const terms = {
  credentials: { accessKeyId: "ak", accessKeySecret: Redacted.make("sk"), securityToken: Redacted.make(token) },
  region: "cn-hangzhou",
  time: Date.UTC(2025, 6, 15, 9, 30, 45),
  expiresIn: 60
}
const request = { method: "PUT", bucket: "media", key: "videos/holiday.mp4" }
const query = { partNumber: "2", uploadId: "0004B9" }
const headers = { "x-oss-callback": callback, "x-oss-meta-a": "1" }

const signed: Signature.Signed = Either.getOrThrow(Signature.signHeaders(signer, { ...request, query, headers }, terms))
const presigned: Signature.Signed = Either.getOrThrow(
  Signature.presign(signer, { ...request, query: { ...query, callback }, headers: {} }, terms)
)
const cases = [
  { ours: signed, secrets: [token, callback, signed.signature] },
  {
    ours: presigned,
    secrets: [token, callback, encodeURIComponent(token), encodeURIComponent(callback), presigned.signature]
  }
]

/** Texts made of pieces of our own, of our secrets, and of anything. */
const texts = ({ ours, secrets }: (typeof cases)[number]) =>
  FastCheck.array(
    FastCheck.oneof(
      FastCheck.constantFrom(...ours.canonicalRequest.split(/(?=[\n&=:])/), ...ours.stringToSign.split(/(?=[\n/])/)),
      FastCheck.constantFrom(...secrets, "\n", ":", "=", "&", "x-oss-", "\u009b31m", "\u2028", "\u202e"),
      FastCheck.string({ unit: "binary", maxLength: 4 })
    ),
    { maxLength: 20 }
  ).map((pieces) => pieces.join(""))

/** Our canonical request with a stretch of it replaced, and a text of any kind. */
const answers = FastCheck.oneof(
  ...cases.map((one) =>
    FastCheck.tuple(FastCheck.nat(one.ours.canonicalRequest.length), FastCheck.nat(60), texts(one), texts(one)).map(
      ([at, length, inserted, other]) => {
        const { canonicalRequest } = one.ours
        const edited = canonicalRequest.slice(0, at) + inserted + canonicalRequest.slice(at + length)
        return { ...one, edited, other }
      }
    )
  )
)

/** Every 15 characters in a row: a secret with its first one missing is as good as whole. */
const piecesOf = (secret: string): ReadonlyArray<string> =>
  Array.from({ length: Math.max(1, secret.length - 14) }, (_, at) => secret.slice(at, at + 15))

const law = (
  holds: (answer: { ours: Signature.Signed; secrets: Array<string>; edited: string; other: string }) => boolean
) => FastCheck.assert(FastCheck.property(answers, holds), { numRuns: 10_000 })

describe("Explain.explain", () => {
  it("shows none of our tokens, signatures and callbacks, whatever OSS answers", () => {
    law(({ edited, other, ours, secrets }) => {
      const sentences = [
        Explain.explain(ours, { canonicalRequest: edited, stringToSign: other }),
        Explain.explain(ours, { canonicalRequest: other, stringToSign: edited }),
        Explain.explain(ours, { stringToSign: edited })
      ].join(" ")
      return !secrets.some((secret) => piecesOf(secret).some((piece) => sentences.includes(piece)))
    })
  })

  it("is one short line, whatever OSS answers", () => {
    law(({ edited, ours }) => {
      const sentence = Explain.explain(ours, { canonicalRequest: edited }) ?? ""
      return sentence.length < 600 && !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(sentence)
    })
  })

  it.each([
    ["one long line", "a".repeat(10_000_000)],
    ["line feeds", "\n".repeat(10_000_000)],
    ["blanks", `P${" ".repeat(10_000_000)}P`],
    ["parameters", `PUT\n/media/videos/holiday.mp4\n${"a&".repeat(5_000_000)}\n\n\n\n`],
    [
      "headers",
      `PUT\n/media/videos/holiday.mp4\npartNumber=2&uploadId=0004B9\n${"x-oss-callback:a\n".repeat(600_000)}`
    ],
    ["our callback", `PUT\n/${callback.repeat(200_000)}\n\n\n\n\n`]
  ])("takes no more than a moment for ten megabytes of %s", (_, text) => {
    const start = cpuMillis()
    Explain.explain(signed, { canonicalRequest: text, stringToSign: text })
    assert.isBelow(cpuMillis() - start, 1000) // a quadratic step would take hours
  })
})
