/**
 * Permissions for somebody without keys: presigned URLs and signed forms. Signing reaches no server.
 *
 * What is granted is limited by what is signed: key, headers, callback, time. Nothing limits how often a URL is used until
 * it expires, so keep it short, and use `forbidOverwrite` where a second use would hurt. Source: "Upload objects using
 * presigned URLs", https://www.alibabacloud.com/help/en/oss/user-guide/upload-files-using-presigned-urls
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ObjectKey from "../model/ObjectKey.ts"
import { InvalidParam, type CredentialsError } from "../model/OssError.ts"
import type { PresignedUrl } from "../model/PresignedUrl.ts"
import type { SignedForm } from "../model/SignedForm.ts"
import * as Callback from "../wire/Callback.ts"
import * as ObjectHeaders from "../wire/ObjectHeaders.ts"
import * as PostPolicy from "../wire/PostPolicy.ts"
import * as Signature from "../wire/Signature.ts"
import * as Uri from "../wire/Uri.ts"
import { OssClient } from "./OssClient.ts"

export interface RequestOptions {
  readonly method: PresignedUrl["method"]
  readonly query?: Uri.Query | undefined
  /** To be signed where OSS signs them, and to be sent in any case. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Names of further headers to sign. */
  readonly additionalHeaders?: ReadonlyArray<string> | undefined
  /** Whole seconds count; 1 second to 7 days. Temporary credentials that end sooner end the URL sooner. */
  readonly expiresIn: Duration.DurationInput
}

/** Seconds of a duration, checked to be whole and 1 to 604,800 (7 days). Fails with `InvalidParam` for `expiresIn`. */
export const seconds = (expiresIn: Duration.DurationInput): Either.Either<number, InvalidParam> => {
  const value = Duration.toSeconds(expiresIn)
  return Number.isInteger(value) && value >= 1 && value <= Signature.maxExpiresIn
    ? Either.right(value)
    : Either.left(
        new InvalidParam({
          field: "expiresIn",
          reason: `must be whole seconds, 1 to ${Signature.maxExpiresIn} (7 days), got ${value} seconds`
        })
      )
}

/** A URL for any request on one object. Fails with `InvalidParam` or `CredentialsError`; nothing is sent. */
export const request = (
  key: string,
  options: RequestOptions
): Effect.Effect<PresignedUrl, InvalidParam | CredentialsError, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const bucket = client.publicBucket
    const objectKey = yield* ObjectKey.make(key)
    const expiresIn = yield* seconds(options.expiresIn)
    const credentials = yield* client.credentials
    const time = yield* client.now
    const headers = options.headers ?? {}
    const signed = yield* Signature.presign(
      client.signer,
      {
        method: options.method,
        bucket: bucket.name,
        key: objectKey,
        query: options.query ?? {},
        headers,
        additionalHeaders: options.additionalHeaders
      },
      { credentials, region: bucket.region, time, expiresIn }
    )
    return {
      method: options.method,
      url: `${bucket.origin}${Uri.path(bucket, objectKey)}?${signed.search}`,
      headers,
      bucket: bucket.name,
      key: objectKey,
      expiresAt: Math.min(time + expiresIn * 1000, credentials.expiresAt ?? Infinity)
    }
  })

export interface PutOptions<A> extends ObjectHeaders.ObjectOptions {
  readonly expiresIn: Duration.DurationInput
  readonly callback?: Callback.Callback<A> | undefined
  /**
   * Where the callback travels. `headers` (default): the uploader must send them as they are, and can read them.
   * `query`: inside the URL; nothing to send, but visible, and documented by Alibaba in passing only.
   */
  readonly callbackIn?: "headers" | "query" | undefined
  readonly additionalHeaders?: ReadonlyArray<string> | undefined
}

/**
 * A URL for one PutObject. The answer names exactly the headers to send: what describes the object is signed, so the
 * uploader can neither change nor leave it out.
 */
export const putObject = <A = undefined>(
  key: string,
  options: PutOptions<A>
): Effect.Effect<PresignedUrl, InvalidParam | CredentialsError, OssClient> =>
  Effect.gen(function* () {
    const { callback, callbackIn = "headers", expiresIn, additionalHeaders } = options
    const described = yield* ObjectHeaders.encode(key, options)
    const inHeaders = callback === undefined || callbackIn === "query" ? {} : yield* Callback.headers(callback)
    const inQuery = callback === undefined || callbackIn === "headers" ? {} : yield* Callback.query(callback)
    const headers = { ...described, ...inHeaders }
    return yield* request(key, { method: "PUT", query: inQuery, headers, expiresIn, additionalHeaders })
  })

export interface PostOptions<A> {
  readonly expiresIn: Duration.DurationInput
  /** What the upload must be; see `PostPolicy`. What no condition names, the uploader may choose. */
  readonly conditions: ReadonlyArray<PostPolicy.Condition>
  /** Pinned by the policy, with its variables: the uploader can neither change nor leave it out. */
  readonly callback?: Callback.Callback<A> | undefined
  /** Refuse to replace an object. Pinned by the policy. */
  readonly forbidOverwrite?: boolean | undefined
}

/**
 * A form for one PostObject: where to post, and what to post before the file. The uploader chooses the key, within the
 * conditions. Fails with `InvalidParam` for what cannot be a policy, or with `CredentialsError`; nothing is sent.
 */
export const postObject = <A = undefined>(
  options: PostOptions<A>
): Effect.Effect<SignedForm, InvalidParam | CredentialsError, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const bucket = client.publicBucket
    const expiresIn = yield* seconds(options.expiresIn)
    const credentials = yield* client.credentials
    const time = yield* client.now
    const terms = { credentials, region: bucket.region, time }
    const pinned = options.callback === undefined ? {} : yield* Callback.formFields(options.callback)
    const conditions = [
      ...options.conditions,
      ...(options.forbidOverwrite === true ? [PostPolicy.eq("x-oss-forbid-overwrite", "true")] : []),
      ...Object.entries(pinned).map(([name, value]) => PostPolicy.eq(name, value))
    ]
    const stamp = {
      ...(yield* Signature.stamp(client.signer, terms)),
      securityToken: credentials.securityToken,
      bucket: bucket.name
    }
    const expiresAt = Math.min(time + expiresIn * 1000, credentials.expiresAt ?? Infinity)
    const policy = yield* PostPolicy.make({ expiration: expiresAt, conditions: PostPolicy.withV4(conditions, stamp) })
    const { signature } = yield* Signature.signPolicy(client.signer, policy.base64, terms)
    return {
      url: `${bucket.origin}${Uri.path(bucket)}`,
      fields: PostPolicy.fields(policy, { ...stamp, signature }),
      bucket: bucket.name,
      expiresAt
    }
  })
