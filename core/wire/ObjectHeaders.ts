/**
 * What an upload may say about the object beside its bytes, as request headers (or form fields). Pure.
 *
 * Sources: "PutObject", https://www.alibabacloud.com/help/en/oss/developer-reference/putobject; "Manage object metadata";
 * "Object tagging"; limits as stated there.
 */
import * as Either from "effect/Either"
import mime from "mime/lite"
import { InvalidParam } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import * as Uri from "./Uri.ts"

export type Acl = "default" | "private" | "public-read" | "public-read-write"
export type StorageClass = "Standard" | "IA" | "Archive" | "ColdArchive" | "DeepColdArchive"

export interface ObjectOptions {
  /** Default: by the key's ending, else `application/octet-stream`. It is signed, so it is always sent. */
  readonly contentType?: string | undefined
  readonly cacheControl?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly contentEncoding?: string | undefined
  /** An HTTP date. */
  readonly expires?: string | undefined
  /** `x-oss-meta-*`: names of a-z, 0-9 and "-"; names and values together at most 8 KiB. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** At most 10 tags; names up to 128, values up to 256 characters. */
  readonly tagging?: Readonly<Record<string, string>> | undefined
  readonly acl?: Acl | undefined
  readonly storageClass?: StorageClass | undefined
  /** `AES256`, `KMS`, `SM4`. */
  readonly serverSideEncryption?: string | undefined
  readonly serverSideEncryptionKeyId?: string | undefined
  /** Fails with 409 FileAlreadyExists rather than replace an object. OSS ignores it on versioned buckets. */
  readonly forbidOverwrite?: boolean | undefined
}

/** The most that all user metadata may take, in bytes of names and values. */
export const maxMetadataBytes = 8 * 1024
/** The bounds of `trafficLimit`, in bits per second. (Two pages name other minima; this is the safe one.) */
export const trafficLimitBounds = { min: 819_200, max: 838_860_800 } as const

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

// Header values may hold any text but control characters; a line break would begin another header.
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/

/**
 * Checks one header's value: no control characters (a CR or LF would forge a header), well-formed Unicode. Fails with
 * `InvalidParam` for `field`.
 */
export const checkValue = (field: string, value: string): Either.Either<string, InvalidParam> => {
  if (control.test(value)) return refuse(field, "must not contain CR, LF or other control characters")
  return Utf8.isWellFormed(value)
    ? Either.right(value)
    : refuse(field, "must be well-formed Unicode, got a lone surrogate")
}

/** The content type for a key by its ending; `application/octet-stream` when that tells nothing. */
export const typeOf = (key: string): string => mime.getType(key) ?? "application/octet-stream"

const metadataName = /^[a-z0-9-]+$/

const encodeMetadata = (
  metadata: Readonly<Record<string, string>>
): Either.Either<Record<string, string>, InvalidParam> =>
  Either.gen(function* () {
    const headers: Record<string, string> = {}
    let total = 0
    for (const [name, value] of Object.entries(metadata)) {
      const field = `metadata.${name}`
      if (!metadataName.test(name))
        return yield* refuse(field, 'the name must be of a-z, 0-9 and "-" (OSS lowers its case)')
      headers[`x-oss-meta-${name}`] = yield* checkValue(field, value)
      total += name.length + Utf8.byteLength(value)
    }
    if (total <= maxMetadataBytes) return headers
    return yield* refuse("metadata", `must be at most ${maxMetadataBytes} bytes in all, got ${total} bytes`)
  })

const encodeTagging = (tagging: Readonly<Record<string, string>>): Either.Either<string, InvalidParam> => {
  const tags = Object.entries(tagging)
  if (tags.length > 10) return refuse("tagging", `must be at most 10 tags, got ${tags.length} tags`)
  for (const [name, value] of tags) {
    if (!Utf8.isWellFormed(name + value)) return refuse("tagging", "must be well-formed Unicode, got a lone surrogate")
    if (name.length < 1 || name.length > 128) {
      return refuse("tagging", `a name must be 1 to 128 characters, got ${name.length} characters`)
    }
    if (value.length > 256)
      return refuse(`tagging.${name}`, `must be at most 256 characters, got ${value.length} characters`)
  }
  return Either.right(tags.map(([name, value]) => `${Uri.encode(name)}=${Uri.encode(value)}`).join("&"))
}

const plain = [
  ["contentType", "content-type"],
  ["cacheControl", "cache-control"],
  ["contentDisposition", "content-disposition"],
  ["contentEncoding", "content-encoding"],
  ["expires", "expires"],
  ["acl", "x-oss-object-acl"],
  ["storageClass", "x-oss-storage-class"],
  ["serverSideEncryption", "x-oss-server-side-encryption"],
  ["serverSideEncryptionKeyId", "x-oss-server-side-encryption-key-id"]
] as const

/**
 * The headers for these options. Fails with `InvalidParam` naming the option, its unit and its limit.
 */
export const encode = (key: string, options: ObjectOptions): Either.Either<Record<string, string>, InvalidParam> => {
  const headers: Record<string, string> = {}
  for (const [field, header] of plain) {
    const value = options[field] ?? (field === "contentType" ? typeOf(key) : undefined)
    if (value === undefined) continue
    const checked = checkValue(field, value)
    if (Either.isLeft(checked)) return Either.left(checked.left)
    headers[header] = value
  }
  if (options.forbidOverwrite === true) headers["x-oss-forbid-overwrite"] = "true"
  if (options.metadata !== undefined) {
    const metadata = encodeMetadata(options.metadata)
    if (Either.isLeft(metadata)) return metadata
    Object.assign(headers, metadata.right)
  }
  if (options.tagging !== undefined) {
    const tagging = encodeTagging(options.tagging)
    if (Either.isLeft(tagging)) return Either.left(tagging.left)
    if (tagging.right !== "") headers["x-oss-tagging"] = tagging.right
  }
  return Either.right(headers)
}

/** The header that slows one request down, in bits per second. Fails with `InvalidParam` for `trafficLimit`. */
export const encodeTrafficLimit = (
  bitsPerSecond: number | undefined
): Either.Either<Record<string, string>, InvalidParam> => {
  if (bitsPerSecond === undefined) return Either.right({})
  const { min, max } = trafficLimitBounds
  return Number.isInteger(bitsPerSecond) && bitsPerSecond >= min && bitsPerSecond <= max
    ? Either.right({ "x-oss-traffic-limit": String(bitsPerSecond) })
    : refuse("trafficLimit", `must be a whole number of ${min} to ${max} bits per second, got ${bitsPerSecond}`)
}
