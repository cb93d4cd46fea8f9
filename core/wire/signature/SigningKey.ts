/**
 * The key of a day: what the secret becomes for one date, region and product, and the cache of such keys. Pure, but for
 * the cache.
 *
 * Deriving takes four HMACs, twice as long as signing, and depends on nothing of the request, so it is done once a day.
 * Keys are kept in a WeakMap under the credentials' own `Redacted` secret: the cache holds no text of any secret and keeps
 * none alive, and when credentials are dropped their keys go too. Each secret has room for `maxPerSecret` keys. The price:
 * a provider that wraps the same secret anew for each request derives anew.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Bucket from "../../model/Bucket.ts"
import type { Credentials } from "../../model/Credentials.ts"
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import type * as Crypto from "../../ports/Crypto.ts"
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
  /** 32 bytes. As secret as the secret itself, for one day. */
  readonly bytes: Uint8Array
}

interface Cached extends SigningKey {
  readonly day: number
  readonly accessKeyId: string
  readonly region: string
  readonly product: string
}

export type Cache = WeakMap<Redacted.Redacted, Array<Cached>>

/** How many keys one secret may have in the cache; the oldest goes first. */
export const maxPerSecret = 8

export const makeCache = (): Cache => new WeakMap()

const terminator = "aliyun_v4_request"

/**
 * The key for these terms, from the cache or derived. Fails with `InvalidParam` for `time`, `region`, `product`,
 * `accessKeyId` or `accessKeySecret`; no error carries any of the last two.
 */
export const get = (crypto: Crypto.Service, cache: Cache, terms: Terms): Either.Either<SigningKey, InvalidParam> => {
  const { credentials, region, product = "oss", time } = terms
  if (!Instant.isValid(time)) {
    return refuse("time", `must be 0 to ${Instant.end - 1} milliseconds since 1970, got ${time}`)
  }
  const { accessKeyId, accessKeySecret } = credentials
  const day = Math.floor(time / Instant.day)
  const kept = cache.get(accessKeySecret)
  if (kept !== undefined) {
    for (const key of kept) {
      if (key.day === day && key.accessKeyId === accessKeyId && key.region === region && key.product === product) {
        return Either.right(key)
      }
    }
  }
  const checked = check(accessKeyId, region, product)
  if (Either.isLeft(checked)) return Either.left(checked.left)
  const date = Instant.date(time)
  const bytes = derive(crypto, accessKeySecret, [date, region, product, terminator])
  if (Either.isLeft(bytes)) return Either.left(bytes.left)
  const scope = `${date}/${region}/${product}/${terminator}`
  const credential = `${accessKeyId}/${scope}`
  const key = { date, scope, credential, bytes: bytes.right, day, accessKeyId, region, product }
  if (kept === undefined) cache.set(accessKeySecret, [key])
  else if (kept.unshift(key) > maxPerSecret) kept.pop()
  return Either.right(key)
}

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

// IDs are letters and digits ("STS.…" for temporary ones). Only what would break the header apart is refused: blanks,
// control characters, and the comma that ends the credential.
const accessKeyIdForm = /^[!-+\--~]+$/
const productForm = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

const check = (accessKeyId: string, region: string, product: string): Either.Either<string, InvalidParam> => {
  if (!accessKeyIdForm.test(accessKeyId)) {
    return refuse("accessKeyId", "must be visible ASCII characters without a comma, at least one")
  }
  if (!productForm.test(product)) {
    return refuse("product", `must be of a-z, 0-9 and "-", such as "oss", got ${JSON.stringify(product)}`)
  }
  return Bucket.checkRegion(region)
}

const derive = (
  crypto: Crypto.Service,
  secret: Redacted.Redacted,
  steps: ReadonlyArray<string>
): Either.Either<Uint8Array, InvalidParam> => {
  const text = Redacted.value(secret)
  if (text === "" || !Utf8.isWellFormed(text)) {
    return refuse("accessKeySecret", "must be well-formed Unicode and not empty")
  }
  return Either.right(
    steps.reduce<Uint8Array>((key, step) => crypto.hmacSha256(key, step), Utf8.encode(`aliyun_v4${text}`))
  )
}

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
