/**
 * Cross-origin rules: the preflight of browsers, and the headers that let a page read an answer. Pure but for the lookup.
 *
 * The first rule wins that fits origin, method and every header asked for. A request that fits none is answered all the
 * same, only without these headers; a refusal has them too, or the page could not read it.
 * Sources: "OptionObject", https://www.alibabacloud.com/help/en/oss/developer-reference/optionobject; "PutBucketCors"; error
 * articles 0034-00000101 and -102, 0003-00000601 and -602.
 */
import * as Effect from "effect/Effect"
import type { Answer, Call } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"

// "*" stands for any text, once in a pattern.
const fits = (pattern: string, text: string): boolean => {
  const at = pattern.indexOf("*")
  if (at === -1) return pattern === text
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)]
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

/** The first rule that fits. Header names in any case. */
export const match = (
  cors: State.Cors | undefined,
  origin: string,
  method: string,
  headers: ReadonlyArray<string>
): State.CorsRule | undefined =>
  cors?.rules.find(
    (rule) =>
      rule.allowedOrigins.some((pattern) => fits(pattern, origin)) &&
      rule.allowedMethods.includes(method) &&
      headers.every((header) =>
        rule.allowedHeaders.some((pattern) => fits(pattern.toLowerCase(), header.toLowerCase()))
      )
  )

const listed = (value: string | undefined): ReadonlyArray<string> =>
  (value ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")

const allowing = (rule: State.CorsRule, origin: string, methods: string): Record<string, string> => ({
  // The origin itself, also for "*": right whether or not the page sends credentials.
  "Access-Control-Allow-Origin": origin,
  "Access-Control-Allow-Methods": methods,
  ...(rule.exposeHeaders.length === 0 ? {} : { "Access-Control-Expose-Headers": rule.exposeHeaders.join(", ") }),
  ...(rule.maxAgeSeconds === undefined ? {} : { "Access-Control-Max-Age": String(rule.maxAgeSeconds) }),
  Vary: "Origin"
})

/** What an answer says to a page of another origin. */
export const headers = (request: Http.Request, bucket: State.Bucket | undefined): Readonly<Record<string, string>> => {
  const origin = request.headers["origin"]
  if (origin === undefined || request.method === "OPTIONS") {
    return bucket?.cors?.responseVary === true ? { Vary: "Origin" } : {}
  }
  const rule = match(bucket?.cors, origin, request.method, [])
  if (rule === undefined) return bucket?.cors?.responseVary === true ? { Vary: "Origin" } : {}
  return allowing(rule, origin, request.method)
}

// The sentence is OSS's, its slips of the pen included.
const forbidden = (ec: string, method: string): Refusal.Refusal =>
  Refusal.forbidden(
    "AccessForbidden",
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / " +
      "Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the resource's CORS spec.",
    ec,
    [
      ["Method", method],
      ["ResourceType", "OBJECT"]
    ]
  )

/** The preflight: unsigned, and the same for objects that are there and that are not. */
export const preflight = (call: Call, bucket: State.Bucket | undefined): Answer =>
  Effect.suspend(() => {
    const { headers } = call.request
    const origin = headers["origin"]
    const method = headers["access-control-request-method"]
    if (bucket === undefined) return Effect.fail(Refusal.noSuchBucket(call.location.bucket ?? ""))
    if (origin === undefined) {
      const message = "Insufficient information. Origin request header needed."
      return Effect.fail(Refusal.badRequest("BadRequest", message, "0034-00000101"))
    }
    if (method === undefined) {
      const message = "Insufficient information. Access-Control-Request-Method request header needed."
      return Effect.fail(Refusal.badRequest("BadRequest", message, "0034-00000102"))
    }
    if (bucket.cors === undefined) return Effect.fail(forbidden("0003-00000601", method))
    const wanted = listed(headers["access-control-request-headers"])
    const rule = match(bucket.cors, origin, method, wanted)
    if (rule === undefined) return Effect.fail(forbidden("0003-00000602", method))
    return Effect.succeed(
      Http.noBody(200, {
        ...allowing(rule, origin, method),
        ...(wanted.length === 0 ? {} : { "Access-Control-Allow-Headers": wanted.join(", ") })
      })
    )
  })
