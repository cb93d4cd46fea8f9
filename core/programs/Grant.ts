/**
 * Grants: the server's half of uploads from browsers and other places without keys.
 *
 * `issue` decides by the file's size: a form up to 8 MiB, because OSS itself then checks size and type; one PUT up to 32 MiB;
 * beyond, parts, which can be paused, resumed and renewed. Key, size, type, access, callback and time are pinned; in a form, what
 * is not (metadata, caching, a callback where none is granted) is its sender's to add, as OSS has it. What is granted names
 * the client's public endpoint; the server's own requests go to its own. Sizes in bytes.
 * Source: "Direct upload", https://www.alibabacloud.com/help/en/oss/user-guide/uploading-objects-to-oss-directly-from-clients
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import * as Bytes from "../model/Bytes.ts"
import * as ObjectKey from "../model/ObjectKey.ts"
import { InvalidParam, type CredentialsError } from "../model/OssError.ts"
import * as PartPlan from "../model/PartPlan.ts"
import type { FormGrant, PartsGrant, PutGrant, UploadGrant } from "../model/UploadGrant.ts"
import * as Callback from "../wire/Callback.ts"
import * as MultipartOperation from "../wire/MultipartOperation.ts"
import * as ObjectHeaders from "../wire/ObjectHeaders.ts"
import * as PostPolicy from "../wire/PostPolicy.ts"
import * as PartUrls from "./grant/PartUrls.ts"
import * as Ticket from "./grant/Ticket.ts"
import { OssClient, type RequestError } from "./OssClient.ts"
import * as Presign from "./Presign.ts"
import type { MultipartOptions } from "./upload/options.ts"
import { encodeMultipart } from "./upload/options.ts"

export {
  abort,
  complete,
  renew,
  toOutcome,
  type Completion,
  type Options as CompleteOptions
} from "./grant/Settlement.ts"

/** The file as who asks describes it. Nothing is believed: both are pinned. */
export interface File {
  /** Bytes. */
  readonly size: number
  /** Default: by the key's ending. */
  readonly contentType?: string | undefined
}

export interface Options<A> extends Omit<ObjectHeaders.ObjectOptions, "contentType"> {
  /** How long form and URLs hold: whole seconds, 1 second to 7 days. Keep it short: those of parts can be renewed. */
  readonly expiresIn: Duration.DurationInput
  /** At least 16 characters, drawn at random, the same on all servers: seals what comes back when parts are renewed. */
  readonly secret: Redacted.Redacted
  readonly callback?: Callback.Callback<A> | undefined
  /** The smallest file, in bytes. Default 0. */
  readonly minSize?: number | undefined
  /** The largest file, in bytes. Default: what OSS can hold. */
  readonly maxSize?: number | undefined
  /** The types to take: `image/png`, or `image/*`. Default: any. */
  readonly contentTypes?: ReadonlyArray<string> | undefined
  /** The largest file to send by form, in bytes. Default 8 MiB; 0: none. */
  readonly formUpTo?: number | undefined
  /** The largest file to send by one PUT, in bytes. Default 32 MiB; 0: none. At most 5 GiB. */
  readonly putUpTo?: number | undefined
  /** Bytes of every part but the last: 102,400 to 5,368,709,120. Default 8 MiB. */
  readonly partSize?: number | undefined
  /** How many URLs of parts are in the grant: 1 to 1,000. Default 100; the rest are had by `renew`. */
  readonly urls?: number | undefined
  /** How long an upload in parts may be renewed and completed. Default 1 day. */
  readonly resumableFor?: Duration.DurationInput | undefined
}

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const fits = (pattern: string, type: string): boolean =>
  pattern.endsWith("/*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type

/** Whether the file is one that is wanted. Fails with `InvalidParam` for `size` or `contentType`, in words for a person. */
const check = <A>({ size }: File, contentType: string, options: Options<A>): Either.Either<void, InvalidParam> => {
  const { contentTypes, maxSize = PartPlan.maxSize, minSize = 0 } = options
  if (!Number.isInteger(size) || size < minSize || size > maxSize) {
    return invalid("size", `must be ${minSize} to ${maxSize} bytes, got ${size}`)
  }
  return contentTypes === undefined || contentTypes.some((pattern) => fits(pattern, contentType))
    ? Either.void
    : invalid("contentType", `must be ${contentTypes.join(" or ")}, got ${JSON.stringify(contentType)}`)
}

/**
 * Grants one upload of one file to one key. Fails with `InvalidParam` for a file that is not wanted, or a wrong option;
 * with the errors of a request where an upload in parts must be begun: a form or a URL is signed without one.
 */
export const issue = <A = undefined>(
  key: string,
  file: File,
  options: Options<A>
): Effect.Effect<UploadGrant, InvalidParam | CredentialsError | RequestError, OssClient> =>
  Effect.gen(function* () {
    const contentType = file.contentType || ObjectHeaders.typeOf(key)
    yield* check(file, contentType, options)
    const { formUpTo = Bytes.MiB(8), putUpTo = Bytes.MiB(32) } = options
    const described = { ...options, contentType }
    const { size } = file
    if (size <= formUpTo) return yield* byForm(key, size, described)
    if (size <= Math.min(putUpTo, PartPlan.maxPartSize)) return yield* byPut(key, size, described)
    return yield* byParts(key, size, described)
  })

type Described<A> = Options<A> & { readonly contentType: string }

/** Pinned where nothing else is: or whoever fills in the form could make a private bucket's object public. */
const inherited = { "x-oss-object-acl": "default" }

const byForm = <A>(key: string, size: number, options: Described<A>) =>
  Effect.gen(function* () {
    const objectKey = yield* ObjectKey.make(key)
    const { "content-type": contentType = options.contentType, ...headers } = yield* ObjectHeaders.encode(key, options)
    const form = yield* Presign.postObject({
      expiresIn: options.expiresIn,
      callback: options.callback,
      conditions: [
        PostPolicy.eq("key", objectKey),
        PostPolicy.contentLengthRange(size, size),
        // Of the three fields that may say the type, the one that counts before the others.
        PostPolicy.eq("x-oss-content-type", contentType),
        ...Object.entries({ ...inherited, ...headers }).map(([name, value]) => PostPolicy.eq(name, value))
      ]
    })
    const { bucket, expiresAt } = form
    return { _tag: "Form", bucket, key, size, contentType, expiresAt, form } satisfies FormGrant
  })

const byPut = <A>(key: string, size: number, options: Described<A>) =>
  Effect.gen(function* () {
    const described = yield* ObjectHeaders.encode(key, options)
    const callback = options.callback === undefined ? {} : yield* Callback.headers(options.callback)
    const headers = { ...described, ...callback }
    const signed = yield* Presign.request(key, {
      method: "PUT",
      expiresIn: options.expiresIn,
      headers: { ...headers, "content-length": String(size) },
      additionalHeaders: ["content-length"]
    })
    // Not among those to set: every client says the length by itself, and a browser lets no page say it.
    const put = { ...signed, headers }
    const { bucket, expiresAt } = put
    return { _tag: "Put", bucket, key, size, contentType: options.contentType, expiresAt, put } satisfies PutGrant
  })

const byParts = <A>(key: string, size: number, options: Described<A>) =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const objectKey = yield* ObjectKey.make(key)
    const plan = yield* PartPlan.make(size, options)
    const { urls: first = 100, expiresIn, secret } = options
    if (!Number.isInteger(first) || first < 1 || first > 1000) {
      return yield* invalid("urls", `must be 1 to 1000 URLs of parts, got ${first}`)
    }
    yield* Presign.seconds(expiresIn)
    const headers = yield* encodeMultipart(objectKey, options satisfies MultipartOptions<A>)
    const now = yield* client.now
    const facts = {
      bucket: client.publicBucket.name,
      key,
      size,
      partSize: plan.partSize,
      expiresAt: now + Duration.toMillis(options.resumableFor ?? "1 day"),
      complete: headers.complete
    }
    // Sealed once for nothing: what is wrong must be known before an upload is begun.
    yield* Ticket.seal(client.signer.crypto, secret, { ...facts, uploadId: "x" })
    const uploadId = yield* client.execute(MultipartOperation.initiateMultipartUpload(objectKey, headers.initiate))
    const upload = { ...facts, uploadId }
    const numbers = Array.from({ length: Math.min(first, plan.count) }, (_, i) => i + 1)
    const urls = yield* PartUrls.make(upload, numbers, expiresIn)
    return {
      _tag: "Parts",
      bucket: facts.bucket,
      key,
      size,
      contentType: options.contentType,
      expiresAt: urls.reduce((least, url) => Math.min(least, url.expiresAt), facts.expiresAt),
      partSize: plan.partSize,
      urls,
      ticket: yield* Ticket.seal(client.signer.crypto, secret, upload)
    } satisfies PartsGrant
  })
