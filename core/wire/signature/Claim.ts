/**
 * What a signed request says about its own signature: who signed, when, for where. For servers that verify. Pure.
 *
 * A claim is read from the Authorization header, from the query of a presigned URL, or from the fields of a form. It is only
 * a claim: `Signature.expected` tells what the signature must be. Clocks, lifetimes, known IDs and tokens are the server's
 * to judge. The header's parts come in any order, with or without a blank after the comma (oss2 writes them differently
 * from all other SDKs). Sources: "Signature Version 4",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4; recorded official clients.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidParam } from "../../model/OssError.ts"
import * as Instant from "./Instant.ts"
import { maxExpiresIn } from "./PresignedUrl.ts"
import * as SignedHeaders from "./SignedHeaders.ts"
import { algorithm, settle } from "./Signing.ts"
import * as SigningKey from "./SigningKey.ts"

export interface Claim {
  /** Where it was read: a presigned URL's signature covers the query without itself. */
  readonly place: "headers" | "query" | "form"
  readonly accessKeyId: string
  readonly region: string
  readonly product: string
  /** When it was signed, in milliseconds since 1970: `x-oss-date`. */
  readonly time: number
  /** As `Signature` writes them: lower case, sorted, each once. */
  readonly additionalHeaders: ReadonlyArray<string>
  /** For how many seconds after `time` it holds; only presigned URLs say that. */
  readonly expiresIn: number | undefined
  /** Not compared with anything yet, and not checked for its form. */
  readonly signature: string
}

export type Parameters = Readonly<Record<string, string | undefined>>
export type Parsed = Either.Either<Claim, InvalidParam>

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

/**
 * The claim in a request's headers (names in lower case). Fails with `InvalidParam` for `authorization`, `x-oss-date` or
 * `additionalHeaders`, and never shows an ID or a signature.
 */
export const inHeaders = (headers: Parameters): Parsed => {
  const [method, ...rest] = (headers["authorization"] ?? "").split(" ")
  if (method !== algorithm) return refuse("authorization", `must begin with "${algorithm}"`)
  const parts = new Map<string, string>()
  for (const part of rest.join(" ").split(",")) {
    const [, name, value] = /^[ \t]*([A-Za-z]+)=([^ \t]*)[ \t]*$/.exec(part) ?? []
    if (name === undefined || value === undefined || parts.has(name)) {
      return refuse("authorization", `must be "${algorithm} name=value,name=value", every name once`)
    }
    parts.set(name, value)
  }
  const credential = parts.get("Credential")
  const signature = parts.get("Signature")
  if (credential === undefined || signature === undefined || parts.size > (parts.has("AdditionalHeaders") ? 3 : 2)) {
    return refuse("authorization", "must have Credential and Signature, may have AdditionalHeaders, and nothing else")
  }
  const date = headers["x-oss-date"]
  return make("headers", credential, date, parts.get("AdditionalHeaders"), undefined, signature)
}

/** The claim in the query of a presigned URL. Fails with `InvalidParam` for the parameter at fault. */
export const inQuery = (query: Parameters): Parsed => {
  const version = query["x-oss-signature-version"]
  if (version !== algorithm) return refuse("x-oss-signature-version", `must be "${algorithm}"`)
  const expires = query["x-oss-expires"] ?? ""
  const expiresIn = /^\d{1,6}$/.test(expires) ? Number(expires) : 0
  if (expiresIn < 1 || expiresIn > maxExpiresIn) {
    return refuse("x-oss-expires", `must be 1 to ${maxExpiresIn} seconds`)
  }
  return inParameters("query", query, query["x-oss-additional-headers"], expiresIn)
}

/**
 * The claim in the fields of a form (names in lower case). The signature covers the policy, and of these fields only the day,
 * region and product: that the policy states them too is for its conditions. Fails with `InvalidParam` for the field at fault.
 */
export const inForm = (fields: Parameters): Parsed => {
  const version = fields["x-oss-signature-version"]
  return version === algorithm
    ? inParameters("form", fields, undefined, undefined)
    : refuse("x-oss-signature-version", `must be "${algorithm}"`)
}

const inParameters = (
  place: "query" | "form",
  parameters: Parameters,
  additional: string | undefined,
  expiresIn: number | undefined
): Parsed => {
  const credential = parameters["x-oss-credential"]
  const signature = parameters["x-oss-signature"]
  if (credential === undefined) return refuse("x-oss-credential", "must be given")
  if (signature === undefined) return refuse("x-oss-signature", "must be given")
  return make(place, credential, parameters["x-oss-date"], additional, expiresIn, signature)
}

const make = (
  place: Claim["place"],
  credential: string,
  date: string | undefined,
  additional: string | undefined,
  expiresIn: number | undefined,
  signature: string
): Parsed => {
  const time = Instant.parse(date ?? "")
  if (Option.isNone(time)) return refuse("x-oss-date", 'must be a moment such as "20250715T093045Z"')
  const field = place === "headers" ? "authorization" : "x-oss-credential"
  const parsed = SigningKey.parseCredential(credential)
  if (parsed === undefined)
    return refuse(field, "must have a credential of the form ID/date/region/product/aliyun_v4_request")
  if (parsed.date !== Instant.date(time.value)) return refuse(field, "must have a credential of the day of x-oss-date")
  const { accessKeyId, region, product } = parsed
  const claim = { place, accessKeyId, region, product, time: time.value, expiresIn, signature }
  const names = additional === undefined || additional === "" ? [] : additional.split(";")
  const additionalHeaders = SignedHeaders.additionalNames(names)
  return settle(additionalHeaders instanceof InvalidParam ? additionalHeaders : { ...claim, additionalHeaders })
}
