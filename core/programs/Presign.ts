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
import * as Callback from "../wire/Callback.ts"
import * as ObjectHeaders from "../wire/ObjectHeaders.ts"
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
      url: `${bucket.origin}${Uri.path(bucket, objectKey)}?${Uri.encodeQuery(signed.query)}`,
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
