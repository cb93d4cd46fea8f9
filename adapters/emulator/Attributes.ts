/**
 * What an upload's headers (or form fields) say about the object, checked as OSS checks it. Pure.
 *
 * Sources: "PutObject", https://www.alibabacloud.com/help/en/oss/developer-reference/putobject; "Object tagging".
 */
import * as Either from "effect/Either"
import * as Refusal from "./Refusal.ts"
import type * as State from "./State.ts"

type Headers = Readonly<Record<string, string>>
type Checked<A> = Either.Either<A, Refusal.Refusal>

const kept = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"]
const acls: ReadonlyArray<State.ObjectAcl> = ["default", "private", "public-read", "public-read-write"]
const storageClasses = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"]
const encryptions = ["AES256", "KMS", "SM4"]
const metaPrefix = "x-oss-meta-"
const maxMetaBytes = 8 * 1024

/** `x-oss-object-acl`; `default` when absent. */
export const acl = (value: string | undefined, name = "x-oss-object-acl"): Checked<State.ObjectAcl> => {
  if (value === undefined) return Either.right("default")
  const found = acls.find((known) => known === value)
  return found === undefined
    ? Either.left(Refusal.invalidArgument("no such object access control exists", name, value))
    : Either.right(found)
}

/** `x-oss-forbid-overwrite`; false when absent. */
export const forbidOverwrite = (value: string | undefined): Checked<boolean> => {
  if (value === undefined || value === "") return Either.right(false)
  const lower = value.toLowerCase()
  if (lower === "true" || lower === "false") return Either.right(lower === "true")
  return Either.left(
    Refusal.invalidArgument("The forbid overwrite value must be true or false.", "x-oss-forbid-overwrite", value)
  )
}

/** A storage class's name. */
export const storageClass = (value: string | undefined, otherwise: string): Checked<string> => {
  if (value === undefined) return Either.right(otherwise)
  return storageClasses.includes(value)
    ? Either.right(value)
    : Either.left(Refusal.invalidArgument("The specified storage class is not valid.", "x-oss-storage-class", value))
}

const invalidTag = (message: string) => Either.left(Refusal.badRequest("InvalidTag", message))

/** `x-oss-tagging`: `a=1&b=2`, encoded; at most 10 tags, names of 1 to 128, values of 0 to 256 characters. */
export const tagging = (value: string): Checked<ReadonlyArray<readonly [string, string]>> => {
  const tags: Array<readonly [string, string]> = []
  for (const pair of value.split("&")) {
    if (pair === "") continue
    const at = pair.indexOf("=")
    try {
      const [name, content] = (at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)]).map((text) =>
        decodeURIComponent(text.replaceAll("+", " "))
      ) as [string, string] // two in, two out
      if (name.length < 1 || name.length > 128) return invalidTag("The TagKey you have provided is invalid")
      if (content.length > 256) return invalidTag("The TagValue you have provided is invalid")
      if (tags.some(([known]) => known === name)) return invalidTag("Cannot provide multiple Tags with the same key")
      tags.push([name, content])
    } catch {
      return invalidTag("The tag you have provided is not URL encoded")
    }
  }
  return tags.length > 10
    ? Either.left(Refusal.badRequest("BadRequest", "Object tags cannot be greater than 10"))
    : Either.right(tags)
}

const encryption = (headers: Headers): Checked<Readonly<Record<string, string>> | undefined> => {
  const algorithm = headers["x-oss-server-side-encryption"]
  if (algorithm === undefined) return Either.right(undefined)
  if (!encryptions.includes(algorithm)) {
    return Either.left(
      Refusal.badRequest("InvalidEncryptionAlgorithmError", "The encryption algorithm you specified is not valid.")
    )
  }
  const keyId = headers["x-oss-server-side-encryption-key-id"]
  return Either.right({
    "x-oss-server-side-encryption": algorithm,
    ...(keyId === undefined ? {} : { "x-oss-server-side-encryption-key-id": keyId })
  })
}

/** `x-oss-meta-*`, names without the prefix. */
export const meta = (headers: Headers): Checked<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {}
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(metaPrefix)) continue
    const short = name.slice(metaPrefix.length)
    if (!/^[a-z0-9-]+$/.test(short)) {
      return Either.left(Refusal.invalidArgument("The user metadata key is not valid.", name, value))
    }
    found[short] = value
    bytes += name.length - metaPrefix.length + Buffer.byteLength(value)
  }
  return bytes > maxMetaBytes
    ? Either.left(
        Refusal.badRequest("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.", "", [
          ["MaxMetadataSize", String(maxMetaBytes)]
        ])
      )
    : Either.right(found)
}

/** Everything an upload says about its object. `headers` have names in lower case. */
export const read = (headers: Headers, bucket: State.Bucket): Checked<State.Attributes> =>
  Either.gen(function* () {
    const objectAcl = yield* acl(headers["x-oss-object-acl"])
    const storage = yield* storageClass(headers["x-oss-storage-class"], bucket.storageClass)
    const encrypted = yield* encryption(headers)
    const tags = headers["x-oss-tagging"]
    if (tags !== undefined) yield* tagging(tags)
    return {
      contentType: headers["content-type"] || "application/octet-stream",
      headers: Object.fromEntries(kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
      meta: yield* meta(headers),
      acl: objectAcl,
      storageClass: storage,
      ...(tags ? { tagging: tags } : {}),
      ...(encrypted === undefined ? {} : { encryption: encrypted })
    }
  })
