/**
 * RSA public keys and the one check that callbacks need: PKCS #1 v1.5 with MD5, as OSS prescribes it. Pure.
 *
 * Written out because most runtimes have no RSA-MD5 (WebCrypto has no MD5 at all), and because 17 multiplications of
 * 512-bit numbers take some 20 µs. The expected message is built and compared whole, so nothing of a forged one is parsed.
 * Sources: RFC 8017 §5.2.2, §8.2.2, §9.2; RFC 5280 §4.1 (SubjectPublicKeyInfo); X.690 (DER).
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { InvalidParam } from "../../model/OssError.ts"

export interface PublicKey {
  readonly modulus: bigint
  readonly exponent: bigint
  /** Of the modulus, and of every signature, in bytes. */
  readonly size: number
}

/** Keys up to this many bits are taken; larger ones would let a configuration slow every request down. */
const maxBits = 4096

const toBigInt = (bytes: Uint8Array): bigint => {
  const hex = Encoding.encodeHex(bytes)
  return hex === "" ? 0n : BigInt(`0x${hex}`)
}

interface Element {
  /** Where the content begins and ends. */
  readonly from: number
  readonly to: number
}

/** The DER element of this tag that begins at `at`; its length must be written as short as can be, in one to three bytes. */
const element = (der: Uint8Array, at: number, tag: number): Element | undefined => {
  if (der[at] !== tag) return undefined
  const first = der[at + 1] ?? 0
  const size = first < 0x80 ? 0 : first - 0x80
  const length = size === 0 ? first : Number(toBigInt(der.subarray(at + 2, at + 2 + size)))
  const isShortest = first < 0x80 || (size === 1 && length >= 0x80) || (size === 2 && length >= 0x100)
  const from = at + 2 + size
  return isShortest && from + length <= der.length ? { from, to: from + length } : undefined
}

/** A positive INTEGER, without a byte more than it needs. */
const positive = (der: Uint8Array, { from, to }: Element): bigint | undefined => {
  const [first, second] = der.subarray(from, to)
  if (first === undefined || first >= 0x80 || (first === 0 && (second ?? 0) < 0x80)) return undefined
  return toBigInt(der.subarray(from, to))
}

const sequence = 0x30
const integer = 0x02
const bitString = 0x03
// AlgorithmIdentifier of rsaEncryption (1.2.840.113549.1.1.1) with NULL parameters, whole.
const rsaEncryption = "300d06092a864886f70d0101010500"

/** SubjectPublicKeyInfo; every element ends where the one around it ends. */
const readDer = (der: Uint8Array): PublicKey | undefined => {
  const end = der.length
  const outer = element(der, 0, sequence)
  if (outer?.to !== end) return undefined
  const algorithmEnd = outer.from + rsaEncryption.length / 2
  if (Encoding.encodeHex(der.subarray(outer.from, algorithmEnd)) !== rsaEncryption) return undefined
  const bits = element(der, algorithmEnd, bitString)
  if (bits?.to !== end || der[bits.from] !== 0) return undefined // 0: no bits of the last byte are unused
  const key = element(der, bits.from + 1, sequence)
  if (key?.to !== end) return undefined
  const n = element(der, key.from, integer)
  const e = n && element(der, n.to, integer)
  if (n === undefined || e?.to !== end) return undefined
  const modulus = positive(der, n)
  const exponent = positive(der, e)
  if (modulus === undefined || exponent === undefined) return undefined
  return { modulus, exponent, size: Math.ceil(bitLength(modulus) / 8) }
}

const bitLength = (value: bigint): number => value.toString(2).length

const pem = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----\s*$/

const refuse = (reason: string) => Either.left(new InvalidParam({ field: "publicKey", reason }))

/**
 * Reads a public key in PEM (`-----BEGIN PUBLIC KEY-----`), or its DER in base64. Fails with `InvalidParam` for
 * `publicKey`: not RSA, fewer than 512 or more than 4,096 bits, an even modulus, an exponent even or longer than 32 bits.
 */
export const parse = (text: string): Either.Either<PublicKey, InvalidParam> => {
  const base64 = (pem.exec(text)?.[1] ?? text).replace(/\s/g, "")
  const key = Either.getOrUndefined(Either.map(Encoding.decodeBase64(base64), readDer))
  if (key === undefined) return refuse("must be an RSA public key, in PEM or as DER in base64")
  const bits = bitLength(key.modulus)
  if (bits < 512 || bits > maxBits) return refuse(`must have 512 to ${maxBits} bits, got ${bits} bits`)
  if (key.modulus % 2n === 0n) return refuse("must have an odd modulus")
  if (key.exponent < 3n || key.exponent > 0xffffffffn || key.exponent % 2n === 0n) {
    return refuse("must have an odd exponent of 3 to 2^32")
  }
  return Either.right(key)
}

const power = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

// DigestInfo of MD5 up to the digest itself (RFC 8017 §9.2, note 1).
const md5Prefix = "3020300c06082a864886f70d020505000410"

/** Whether the signature is that of a message with this MD5 (16 bytes). Public data only, so time need not be constant. */
export const verifyMd5 = (key: PublicKey, signature: Uint8Array, md5: Uint8Array): boolean => {
  if (signature.length !== key.size) return false
  const s = toBigInt(signature)
  if (s >= key.modulus) return false
  const digestInfo = md5Prefix + Encoding.encodeHex(md5)
  const padding = "ff".repeat(key.size - 3 - digestInfo.length / 2)
  return power(s, key.exponent, key.modulus) === BigInt(`0x01${padding}00${digestInfo}`)
}
