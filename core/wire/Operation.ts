/**
 * The requests to OSS as data: method, key, query, headers, body, and how to read the answer. Pure; nothing is signed
 * or sent here.
 *
 * One constructor per API, named as OSS names it. Keys and headers are checked before they come here.
 * Source: the pages of each API under https://www.alibabacloud.com/help/en/oss/developer-reference/
 */
import * as Either from "effect/Either"
import type { ObjectKey } from "../model/ObjectKey.ts"
import type { ServiceError, UnexpectedResponse } from "../model/OssError.ts"
import * as Transport from "../ports/Transport.ts"
import * as ServiceResponse from "./ServiceResponse.ts"
import type { Query } from "./Uri.ts"

export type Headers = Readonly<Record<string, string>>

export interface Operation<out A> {
  /** The API's name, with the part's number where there is one. */
  readonly name: string
  readonly method: "PUT" | "GET" | "HEAD" | "POST" | "DELETE"
  /** `undefined` for operations on the bucket. */
  readonly key: ObjectKey | undefined
  readonly query: Query
  readonly headers: Headers
  readonly body: Transport.Body
  /** Whether sending it twice does what sending it once does, so that it may be sent again when its answer was lost. */
  readonly repeatable: boolean
  /** Whether it makes an object: then an attempt that may have acted is not forgotten when a later one is refused. */
  readonly storesObject: boolean
  /** The longest answer to accept, in bytes. */
  readonly maxResponseBytes: number
  readonly onSent?: ((bytes: number) => void) | undefined
  readonly decode: (
    response: Transport.Response,
    explain?: ServiceResponse.Explainer
  ) => Either.Either<A, ServiceError | UnexpectedResponse>
}

/** Answers without content for us: errors and callback answers. OSS passes on at most 1 MiB of the latter. */
export const smallAnswer = 2 * 1024 * 1024

const none = {}

/**
 * An operation of what it states, and for the rest what most operations have in common. All are of one shape: objects
 * spread over a common base cost 2 KB each, and every use of them is slower.
 */
export const make = <A>(
  stated: Pick<Operation<A>, "name" | "method" | "key" | "decode"> & Partial<Operation<A>>
): Operation<A> => ({
  name: stated.name,
  method: stated.method,
  key: stated.key,
  query: stated.query ?? none,
  headers: stated.headers ?? none,
  body: stated.body ?? Transport.empty,
  repeatable: stated.repeatable ?? true,
  storesObject: stated.storesObject ?? false,
  maxResponseBytes: stated.maxResponseBytes ?? smallAnswer,
  onSent: stated.onSent,
  decode: stated.decode
})

/** The success an operation expects, or the error that the answer is. */
export const onSuccess =
  <A>(
    name: string,
    read: (response: Transport.Response) => Either.Either<A, UnexpectedResponse>
  ): Operation<A>["decode"] =>
  (response, explain) =>
    response.status >= 200 && response.status <= 299
      ? read(response)
      : Either.left(ServiceResponse.toError(name, response, explain))

/**
 * PutObject: stores the body as the object, whole. `headers` may carry a callback. Not `repeatable` is one that forbids
 * overwriting: a second would meet the first's object.
 */
export const putObject = (
  key: ObjectKey,
  headers: Headers,
  body: Transport.Body,
  onSent?: (bytes: number) => void,
  repeatable = true
): Operation<ServiceResponse.Stored> =>
  make({
    name: "PutObject",
    repeatable,
    storesObject: true,
    method: "PUT",
    key,
    headers,
    body,
    onSent,
    decode: (response, explain) => ServiceResponse.toStored("PutObject", response, "x-oss-callback" in headers, explain)
  })

/** What HeadObject tells about an object. */
export interface ObjectInfo {
  /** Bytes. */
  readonly size: number
  readonly etag: string
  /** `undefined` for objects older than OSS's CRC-64 support. */
  readonly crc64: bigint | undefined
  readonly contentType: string
  /** The HTTP date as OSS wrote it. */
  readonly lastModified: string
  readonly objectType: string
  readonly storageClass: string
  readonly metadata: Readonly<Record<string, string>>
  readonly versionId: string | undefined
  readonly requestId: string
  readonly headers: Headers
}

const metaPrefix = "x-oss-meta-"

const toObjectInfo =
  (name: string) =>
  (response: Transport.Response): Either.Either<ObjectInfo, UnexpectedResponse> => {
    const { headers } = response
    const total = /^bytes \d+-\d+\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1]
    const length = total ?? headers["content-length"] ?? ""
    const size = Number(length)
    if (!/^\d+$/.test(length) || !Number.isSafeInteger(size)) {
      return Either.left(ServiceResponse.unexpected(name, response, "it has no size"))
    }
    const metadata = Object.entries(headers).filter(([header]) => header.startsWith(metaPrefix))
    return Either.right({
      size,
      etag: ServiceResponse.etag(response) ?? "",
      crc64: ServiceResponse.crc64(response),
      contentType: headers["content-type"] ?? "",
      lastModified: headers["last-modified"] ?? "",
      objectType: headers["x-oss-object-type"] ?? "",
      storageClass: headers["x-oss-storage-class"] ?? "",
      metadata: Object.fromEntries(metadata.map(([header, value]) => [header.slice(metaPrefix.length), value])),
      versionId: headers["x-oss-version-id"],
      requestId: ServiceResponse.requestId(response),
      headers
    })
  }

/** HeadObject: everything about an object but its bytes. A missing object is `ServiceError` with `NoSuchKey`. */
export const headObject = (key: ObjectKey): Operation<ObjectInfo> =>
  make({ name: "HeadObject", method: "HEAD", key, decode: onSuccess("HeadObject", toObjectInfo("HeadObject")) })

/** Which bytes to get: from `offset` on, `length` of them at most. */
export interface Range {
  readonly offset: number
  readonly length: number
}

export interface ObjectContent extends ObjectInfo {
  /** The bytes of the range asked for, or of the whole object. */
  readonly bytes: Uint8Array
}

/**
 * GetObject: the object's bytes in memory, at most `maxBytes` of them; with `range`, that part alone.
 * `x-oss-range-behavior: standard` makes OSS answer 416 to an impossible range rather than the whole object.
 */
export const getObject = (key: ObjectKey, maxBytes: number, range?: Range): Operation<ObjectContent> =>
  make({
    name: "GetObject",
    method: "GET",
    key,
    headers:
      range === undefined
        ? {}
        : { range: `bytes=${range.offset}-${range.offset + range.length - 1}`, "x-oss-range-behavior": "standard" },
    maxResponseBytes: Math.max(maxBytes, smallAnswer),
    decode: onSuccess("GetObject", (response) =>
      Either.map(toObjectInfo("GetObject")(response), (info) => ({ ...info, bytes: response.body }))
    )
  })

/** DeleteObject: removes the object; not an error when there is none. */
export const deleteObject = (key: ObjectKey): Operation<void> =>
  make({ name: "DeleteObject", method: "DELETE", key, decode: onSuccess("DeleteObject", () => Either.void) })
