/**
 * What we ask of the host's cryptography: a few synchronous functions.
 *
 * Synchronous, because signing hashes a few hundred bytes and an asynchronous call would cost more than the hash.
 * Counterparts: adapters/node (node:crypto), adapters/fetch (@noble/hashes). Text is hashed as UTF-8.
 */
import * as Context from "effect/Context"

export interface Service {
  /** SHA-256 as 64 lower-case hexadecimal digits. */
  readonly sha256Hex: (data: string | Uint8Array) => string
  /** HMAC-SHA256: 32 bytes. */
  readonly hmacSha256: (key: Uint8Array, data: string) => Uint8Array
  /** HMAC-SHA256 as 64 lower-case hexadecimal digits. */
  readonly hmacSha256Hex: (key: Uint8Array, data: string) => string
  /**
   * HMAC-SHA256 of `head` and `data` in a row, as 64 lower-case hexadecimal digits, with a key prepared once for signing many
   * times. The key is read before the call returns; the function holds what it became, which is as secret. What many texts
   * begin with should be given as `head`, for the last may be kept hashed; `""` for nothing.
   */
  readonly hmacSha256Keyed: (key: Uint8Array) => (head: string, data: string) => string
  /** MD5: 16 bytes. Only for Content-MD5 and for callback signatures, where OSS prescribes it. */
  readonly md5: (data: Uint8Array) => Uint8Array
}

export class Crypto extends Context.Tag("effect-oss/Crypto")<Crypto, Service>() {}
