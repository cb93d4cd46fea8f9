/**
 * The key of a day: what the secret becomes for one date, region and product, and the cache of such keys. Pure, but for
 * the cache.
 *
 * Deriving takes four HMACs, five times as long as signing, and depends on nothing of the request, so it is done once a day.
 * Keys are found by the credentials' own `Redacted` secret, in a WeakMap; a secret wrapped anew, as some providers do for
 * each request, is known again by its SHA-256. So the cache holds no text of any secret, and keeps none alive; what it does
 * hold are keys derived from the last `maxSecrets` secrets, up to `maxPerSecret` of each, and these digests.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Bucket from "../../model/Bucket.ts"
import type { Credentials } from "../../model/Credentials.ts"
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type * as Crypto from "../../ports/Crypto.ts"
import * as Uri from "../Uri.ts"
import * as Instant from "./Instant.ts"

/** Who signs, where, and when. */
export interface Terms {
  readonly credentials: Pick<Credentials, "accessKeyId" | "accessKeySecret" | "securityToken">
  /** The bucket's region, `cn-hangzhou`, whatever address the request goes to. */
  readonly region: string
  /** Default `oss`. `oss-cloudbox` for a CloudBox, whose ID then stands in the region's place. */
  readonly product?: string | undefined
  /** Milliseconds since 1970, as OSS's clock has it. */
  readonly time: number
}

export interface SigningKey {
  /** `20250715`. */
  readonly date: string
  /** `20250715/cn-hangzhou/oss/aliyun_v4_request`. */
  readonly scope: string
  /** The access key's ID, a slash, and the scope. */
  readonly credential: string
  /** Signs two texts in a row: 64 lower-case hexadecimal digits. As secret as the secret itself, for one day. */
  readonly hmac: (head: string, text: string) => string
  /** The second of a time within the key's day, in milliseconds since 1970. */
  readonly momentOf: (time: number) => Moment
}

/** A second of a key's day. */
export interface Moment {
  /** `20250715T093045Z`. */
  readonly datetime: string
  /** What is signed, but for the digest at its end: algorithm, moment, scope, each on a line. */
  readonly stringToSign: string
  /** What a presigned URL says of it, encoded: `x-oss-credential=…&x-oss-date=…`. */
  readonly query: string
}

interface Cached extends SigningKey {
  readonly day: number
  readonly accessKeyId: string
  readonly region: string
  readonly product: string
}

export interface Cache {
  readonly byObject: WeakMap<Redacted.Redacted, Array<Cached>>
  /** By the SHA-256 of the secret; the one that was wrapped anew last is at the end. */
  readonly bySecret: Map<string, Array<Cached>>
}

/** How many keys one secret may have in the cache; the oldest goes first. */
export const maxPerSecret = 8
/** How many secrets are known again when they are wrapped anew. */
export const maxSecrets = 16

/** A cache that holds no key yet. */
export const makeCache = (): Cache => ({ byObject: new WeakMap(), bySecret: new Map() })

/** The name of the signing method, as it stands in headers, queries and forms. */
export const algorithm = "OSS4-HMAC-SHA256"

const terminator = "aliyun_v4_request"

/**
 * The key for these terms, from the cache or derived. Gives `InvalidParam` for `time`, `region`, `product`,
 * `accessKeyId` or `accessKeySecret`; no error carries any of the last two.
 */
export const get = (crypto: Crypto.Service, cache: Cache, terms: Terms): SigningKey | InvalidParam => {
  const { credentials, region, product = "oss", time } = terms
  if (!Instant.isValid(time)) {
    return refusal("time", `must be 0 to ${Instant.end - 1} milliseconds since 1970, got ${time}`)
  }
  const { accessKeyId, accessKeySecret } = credentials
  const day = Math.floor(time / Instant.day)
  const kept = cache.byObject.get(accessKeySecret) ?? recall(crypto, cache, accessKeySecret)
  if (kept instanceof InvalidParam) return kept
  for (const key of kept) {
    if (key.day === day && key.accessKeyId === accessKeyId && key.region === region && key.product === product)
      return key
  }
  const complaint = check(accessKeyId, region, product)
  if (complaint !== undefined) return complaint
  const date = Instant.date(time)
  const scope = `${date}/${region}/${product}/${terminator}`
  const credential = `${accessKeyId}/${scope}`
  const key: Cached = {
    date,
    scope,
    credential,
    hmac: crypto.hmacSha256Keyed(derive(crypto, accessKeySecret, [date, region, product, terminator])),
    day,
    accessKeyId,
    region,
    product,
    momentOf: moments(date, scope, Uri.encode(credential))
  }
  if (kept.unshift(key) > maxPerSecret) kept.pop()
  return key
}

// A busy signer asks for each second many times, so the last is kept.
const moments = (date: string, scope: string, encodedCredential: string): SigningKey["momentOf"] => {
  let last = -1
  let moment: Moment = { datetime: "", stringToSign: "", query: "" }
  return (time) => {
    const second = Math.floor(time / 1000)
    if (second !== last) {
      const datetime = date + Instant.timeOfDay(time)
      moment = {
        datetime,
        stringToSign: `${algorithm}\n${datetime}\n${scope}\n`,
        query: `x-oss-credential=${encodedCredential}&x-oss-date=${datetime}`
      }
      last = second
    }
    return moment
  }
}

const refusal = (field: string, reason: string) => new InvalidParam({ field, reason })

/** The keys of a secret whose object is new: those of an equal one, or none yet. */
const recall = (
  crypto: Crypto.Service,
  { byObject, bySecret }: Cache,
  secret: Redacted.Redacted
): Array<Cached> | InvalidParam => {
  const text = Redacted.value(secret)
  if (text === "" || !Utf8.isWellFormed(text)) {
    return refusal("accessKeySecret", "must be well-formed Unicode and not empty")
  }
  const digest = crypto.sha256Hex(text)
  const keys = bySecret.get(digest) ?? []
  bySecret.delete(digest)
  for (const oldest of bySecret.keys()) {
    if (bySecret.size < maxSecrets) break
    bySecret.delete(oldest)
  }
  bySecret.set(digest, keys)
  byObject.set(secret, keys)
  return keys
}

// IDs are letters and digits ("STS.…" for temporary ones). Only what would break the header apart is refused: blanks,
// control characters, and the comma that ends the credential.
const accessKeyIdForm = /^[!-+\--~]+$/
const productForm = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

const check = (accessKeyId: string, region: string, product: string): InvalidParam | undefined => {
  if (!accessKeyIdForm.test(accessKeyId)) {
    return refusal("accessKeyId", "must be visible ASCII characters without a comma, at least one")
  }
  if (!productForm.test(product)) {
    return refusal("product", `must be of a-z, 0-9 and "-", such as "oss", got ${JSON.stringify(product)}`)
  }
  const checked = Bucket.checkRegion(region)
  return Either.isLeft(checked) ? checked.left : undefined
}

const derive = (crypto: Crypto.Service, secret: Redacted.Redacted, steps: ReadonlyArray<string>): Uint8Array =>
  steps.reduce<Uint8Array>(
    (key, step) => crypto.hmacSha256(key, step),
    Utf8.encode(`aliyun_v4${Redacted.value(secret)}`)
  )

/** The credential's parts, from the right, because an ID may have slashes. `undefined` when it is none. */
export const parseCredential = (
  credential: string
): { accessKeyId: string; date: string; region: string; product: string } | undefined => {
  const parts = credential.split("/")
  if (parts.length < 5 || parts.pop() !== terminator) return undefined
  const [date, region, product] = parts.splice(-3) as [string, string, string] // there are four or more
  const accessKeyId = parts.join("/")
  return accessKeyId === "" || region === "" || product === "" ? undefined : { accessKeyId, date, region, product }
}
