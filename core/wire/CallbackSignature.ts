/**
 * Whether a request that claims to be a callback was sent by OSS: signature version 1.0. Pure.
 *
 * Signed are the decoded path, the raw query and the raw body, and nothing else: no header, no method, no host, no time. So
 * a valid signature says that OSS sent these bytes to this path at some time, for some customer.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback, section on signatures.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { CallbackRejected, type InvalidParam } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import type * as Crypto from "../ports/Crypto.ts"
import * as PublicKey from "./callback/PublicKey.ts"

/** A key, and the URLs by which `x-oss-pub-key-url` may choose it. They are compared, never fetched. */
export type { PublicKey } from "./callback/PublicKey.ts"

export interface TrustedKey {
  readonly urls: ReadonlyArray<string>
  readonly publicKey: PublicKey.PublicKey
}

/** A key to trust. Fails with `InvalidParam` for `publicKey`. */
export const trust = (
  urls: string | ReadonlyArray<string>,
  publicKey: string
): Either.Either<TrustedKey, InvalidParam> =>
  Either.map(PublicKey.parse(publicKey), (publicKey) => ({ urls: typeof urls === "string" ? [urls] : urls, publicKey }))

/**
 * Alibaba's one key, pinned: RSA of 512 bits, published at the URL and, by Alibaba's word, never changed. Factoring 512
 * bits is within reach of a determined attacker, so do not let this signature alone open anything valuable.
 */
export const alibabaKey: TrustedKey = Either.getOrThrow(
  trust(
    ["https://gosspublic.alicdn.com/callback_pub_key_v1.pem", "http://gosspublic.alicdn.com/callback_pub_key_v1.pem"],
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGsC0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ=="
  )
)

/** A request as it arrived, before anything was decoded. */
export interface Received {
  /** The path as it stood in the request line, up to the "?". */
  readonly path: string
  /** What stood behind the "?", as it stood; `undefined`, or empty where the host does not tell the two apart, without one. */
  readonly query: string | undefined
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const reject = (reason: CallbackRejected["reason"], detail: string) =>
  Either.left(new CallbackRejected({ reason, detail }))

/** The bytes of a percent-encoded path; `undefined` when it is none. Not every path is UTF-8 once it is decoded. */
const decodePath = (path: string): Uint8Array | undefined => {
  if (!/^(?:[!-$&-~]|%[0-9a-f]{2})*$/i.test(path)) return undefined
  const bytes: Array<number> = []
  for (let i = 0; i < path.length; i++) {
    const isEscape = path[i] === "%"
    bytes.push(isEscape ? Number.parseInt(path.slice(i + 1, i + 3), 16) : path.charCodeAt(i))
    if (isEscape) i += 2
  }
  return Uint8Array.from(bytes)
}

/** What OSS signed: decoded path, raw query, a line feed, raw body. `undefined` when the path is not percent-encoded. */
export const stringToSign = ({ path, query, body }: Omit<Received, "headers">): Uint8Array | undefined => {
  const decoded = decodePath(path)
  if (decoded === undefined) return undefined
  const tail = Utf8.encode(query === undefined ? "\n" : `?${query}\n`)
  const text = new Uint8Array(decoded.length + tail.length + body.length)
  text.set(decoded)
  text.set(tail, decoded.length)
  text.set(body, decoded.length + tail.length)
  return text
}

/**
 * Fails with `CallbackRejected`: `Unsigned` (a header is missing or not base64), `UnsupportedVersion` (not 1.0),
 * `UntrustedKey` (the key's URL is none of the trusted ones) or `BadSignature`.
 */
export const verify = (
  crypto: Crypto.Service,
  trustedKeys: ReadonlyArray<TrustedKey>,
  received: Received
): Either.Either<void, CallbackRejected> => {
  const { headers } = received
  const version = headers["x-oss-signature-version"]
  if (version !== undefined && version !== "1.0") {
    return reject("UnsupportedVersion", "its signature version is not 1.0")
  }
  const signature = Encoding.decodeBase64(headers["authorization"] ?? "")
  if (Either.isLeft(signature) || signature.right.length === 0) {
    return reject("Unsigned", "it has no Authorization header in base64")
  }
  const keyUrl = Encoding.decodeBase64String(headers["x-oss-pub-key-url"] ?? "")
  if (Either.isLeft(keyUrl) || keyUrl.right === "") return reject("Unsigned", "it has no x-oss-pub-key-url in base64")
  const trusted = trustedKeys.filter(({ urls }) => urls.includes(keyUrl.right))
  if (trusted.length === 0) return reject("UntrustedKey", "x-oss-pub-key-url is none of the trusted URLs")
  const text = stringToSign(received)
  if (text === undefined) return reject("BadSignature", "the path is not percent-encoded")
  const isSigned = (text: Uint8Array): boolean => {
    const md5 = crypto.md5(text)
    return trusted.some(({ publicKey }) => PublicKey.verifyMd5(publicKey, signature.right, md5))
  }
  if (isSigned(text)) return Either.void
  // Verifiers in use differ on whether "/path?" is signed with its "?" (the Python samples) or without (the Java ones).
  const without = received.query === "" ? stringToSign({ ...received, query: undefined }) : undefined
  if (without !== undefined && isSigned(without)) return Either.void
  return reject("BadSignature", "the signature does not fit path, query and body")
}
