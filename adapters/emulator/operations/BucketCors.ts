/**
 * PutBucketCors, GetBucketCors and DeleteBucketCors: a bucket's cross-origin rules. What they do is in Cors.ts.
 *
 * Source: "PutBucketCors", https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketcors
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Xml from "../../../core/wire/Xml.ts"
import type { Answer, BucketCall } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Documents from "./Documents.ts"

type Checked<A> = Either.Either<A, Refusal.Refusal>

/** The most rules: one page says 10, a later one 20. */
const maxRules = 20
const methods = ["GET", "PUT", "DELETE", "POST", "HEAD"]

const texts = (value: Xml.Value | ReadonlyArray<Xml.Value> | undefined): ReadonlyArray<string> | undefined => {
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value]
  const found = list.filter((item): item is string => typeof item === "string")
  return found.length === list.length ? found : undefined
}

const wildcards = (text: string): number => text.split("*").length - 1

const readRule = (value: Xml.Value): Checked<State.CorsRule> => {
  if (typeof value === "string") return Either.left(Refusal.malformedXml)
  const allowedOrigins = texts(value["AllowedOrigin"])
  const allowedMethods = texts(value["AllowedMethod"])
  const allowedHeaders = texts(value["AllowedHeader"])
  const exposeHeaders = texts(value["ExposeHeader"])
  const [maxAge, ...more] = texts(value["MaxAgeSeconds"]) ?? ["x"]
  if (!allowedOrigins?.length || !allowedMethods?.length || !allowedHeaders || !exposeHeaders || more.length > 0) {
    return Either.left(Refusal.malformedXml)
  }
  const method = allowedMethods.find((name) => !methods.includes(name))
  if (method !== undefined) {
    return Either.left(
      Refusal.invalidArgument("Found unsupported HTTP method in CORS config.", "AllowedMethod", method)
    )
  }
  const wild = [...allowedOrigins, ...allowedHeaders].find((text) => wildcards(text) > 1)
  const exposed = exposeHeaders.find((text) => wildcards(text) > 0)
  if (wild !== undefined || exposed !== undefined) {
    const message = "The wildcard is not allowed here, or more than once."
    return Either.left(Refusal.invalidArgument(message, "CORSRule", wild ?? exposed ?? ""))
  }
  if (maxAge !== undefined && (!/^\d{1,9}$/.test(maxAge) || Number(maxAge) > 999_999_999)) {
    return Either.left(Refusal.invalidArgument("The max age seconds is invalid.", "MaxAgeSeconds", maxAge))
  }
  const rule = { allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders }
  return Either.right(maxAge === undefined ? rule : { ...rule, maxAgeSeconds: Number(maxAge) })
}

/** The rules in a CORSConfiguration. */
export const read = (document: Uint8Array): Checked<State.Cors> => {
  const parsed = Xml.parse(document, "CORSConfiguration")
  if (Either.isLeft(parsed)) return Either.left(Refusal.malformedXml)
  const { CORSRule, ResponseVary } = parsed.right
  const given = CORSRule === undefined ? [] : Array.isArray(CORSRule) ? CORSRule : [CORSRule]
  if (given.length === 0 || given.length > maxRules) return Either.left(Refusal.malformedXml)
  return Either.map(Either.all(given.map(readRule)), (rules) => ({ rules, responseVary: ResponseVary === "true" }))
}

export const putBucketCors = (call: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const cors = yield* read(yield* Documents.receive(call))
    yield* storage.putBucket({ ...call.bucket, cors })
    return Http.noBody(200)
  })

export const deleteBucketCors = ({ bucket }: BucketCall): Answer =>
  Effect.gen(function* () {
    const storage = yield* Storage
    const { cors: _, ...rest } = bucket
    yield* storage.putBucket(rest)
    return Http.noBody(204)
  })

const rule = (of: State.CorsRule): XmlText.Markup =>
  XmlText.parent(
    "CORSRule",
    ...of.allowedOrigins.map((text) => XmlText.element("AllowedOrigin", text)),
    ...of.allowedMethods.map((text) => XmlText.element("AllowedMethod", text)),
    ...of.allowedHeaders.map((text) => XmlText.element("AllowedHeader", text)),
    ...of.exposeHeaders.map((text) => XmlText.element("ExposeHeader", text)),
    of.maxAgeSeconds === undefined ? undefined : XmlText.element("MaxAgeSeconds", of.maxAgeSeconds)
  )

export const getBucketCors = ({ bucket: { name, cors } }: BucketCall): Answer =>
  cors === undefined
    ? Effect.fail(Refusal.noSuchCors(name))
    : Effect.succeed(
        Http.xml(
          200,
          XmlText.document(
            XmlText.parent(
              "CORSConfiguration",
              ...cors.rules.map(rule),
              XmlText.element("ResponseVary", cors.responseVary)
            )
          )
        )
      )
