/**
 * The name of a source that any machine can open: a file on a shared file system, a URL, or another object of OSS.
 *
 * Pure data with a schema, because it is kept in durable state. That state holds no secret, so a URL with user name or
 * password is refused, and one with a query too unless it is said to be public: queries are where signatures stand.
 * Messages of the schema never quote a URL. Source of the URL's alphabet: RFC 3986.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"

const absolute = /^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/

/** A file at a path that every runner mounts in the same place; absolute, because each has its own working folder. */
const Path = Schema.TaggedStruct("Path", {
  path: Schema.String.pipe(
    Schema.pattern(absolute, {
      message: () => "path: must be absolute and without NUL, so that every machine finds it"
    })
  )
})

/** Longest URL to keep, in characters: more than servers accept. */
const longestUrl = 8192
// Whatever else a URL may hold is percent-encoded by whoever wrote it.
const webUrl = /^https?:\/\/[A-Za-z0-9\-._~[\]:]+(?:\/[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*)?$/

const isWebUrl = (url: string): boolean => url.length <= longestUrl && webUrl.test(url) && URL.canParse(url)

/** What a server gives to anyone who asks for it. */
const Url = Schema.TaggedStruct("Url", {
  url: Schema.String.pipe(
    Schema.filter(isWebUrl, {
      message: () =>
        `url: must be http or https, percent-encoded, at most ${longestUrl} characters, without user name, password and "#"`
    })
  ),
  /** Says that the query is no secret: no signature, no token. */
  public: Schema.optionalWith(Schema.Literal(true), { exact: true })
}).pipe(
  Schema.filter((ref) => ref.public === true || !ref.url.includes("?"), {
    message: () =>
      "url: has a query, which may be a secret, and would be kept in the database; if not, say public: true"
  })
)

/** Another object of OSS, in the region of the bucket that is uploaded to, and open to the same keys. */
const Object_ = Schema.TaggedStruct("Object", {
  bucket: Schema.String.pipe(
    Schema.filter((name) => Either.isRight(Bucket.checkName(name)), { message: () => "bucket: is no bucket's name" })
  ),
  key: Schema.String.pipe(
    Schema.filter((key) => Either.isRight(ObjectKey.make(key)), { message: () => "key: is no object's key" })
  )
})

/** The schema of all three. */
export const SourceRef = Schema.Union(Path, Url, Object_).annotations({ identifier: "SourceRef" })

export type SourceRef = typeof SourceRef.Type

/** A file on a shared file system. Throws `ParseError` for a path that is not absolute. */
export const path = (path: string): SourceRef => Path.make({ path })

/** What anyone may get from a server. Throws `ParseError` as the schema says; pass `public` for a query that is no secret. */
export const url = (url: string, options: { readonly public?: true } = {}): SourceRef =>
  Url.make({ _tag: "Url", url, ...options })

/** Another object of OSS. Throws `ParseError` for names that cannot be. */
export const object = (bucket: string, key: string): SourceRef => Object_.make({ bucket, key })

/** For messages and logs: the query of a URL is left out. */
export const describe = (ref: SourceRef): string => {
  switch (ref._tag) {
    case "Path":
      return ref.path
    case "Url":
      return ref.url.replace(/\?.*$/, "")
    case "Object":
      return `oss://${ref.bucket}/${ref.key}`
  }
}
