/**
 * An object as the headers of an answer. Pure.
 *
 * Sources: "HeadObject", https://www.alibabacloud.com/help/en/oss/developer-reference/headobject; "GetObject"; recorded traffic.
 */
import type * as State from "../State.ts"

/** An HTTP date. */
export const httpDate = (time: number): string => new Date(time).toUTCString()

const canonicalNames: Readonly<Record<string, string>> = {
  "cache-control": "Cache-Control",
  "content-disposition": "Content-Disposition",
  "content-encoding": "Content-Encoding",
  "content-language": "Content-Language",
  expires: "Expires"
}

/** What tells one state of an object from another: on every answer to a write, and on 304. */
export const identity = (object: {
  readonly etag: string
  readonly crc64: string
  readonly md5?: string | undefined
}): Record<string, string> => ({
  ETag: `"${object.etag}"`,
  "x-oss-hash-crc64ecma": object.crc64,
  ...(object.md5 === undefined ? {} : { "Content-MD5": object.md5 })
})

const tags = (tagging: string): number => tagging.split("&").filter((pair) => pair !== "").length

/** All that GET and HEAD tell of an object. */
export const all = (object: State.ObjectRecord): Record<string, string> => ({
  "Content-Type": object.contentType,
  "Accept-Ranges": "bytes",
  ...identity(object),
  "Last-Modified": httpDate(object.modified),
  "x-oss-object-type": object.type,
  "x-oss-storage-class": object.storageClass,
  ...(object.type === "Appendable" ? { "x-oss-next-append-position": String(object.size) } : {}),
  ...(object.tagging === undefined ? {} : { "x-oss-tagging-count": String(tags(object.tagging)) }),
  ...object.encryption,
  ...Object.fromEntries(Object.entries(object.headers).map(([name, value]) => [canonicalNames[name] ?? name, value])),
  ...Object.fromEntries(Object.entries(object.meta).map(([name, value]) => [`x-oss-meta-${name}`, value]))
})
