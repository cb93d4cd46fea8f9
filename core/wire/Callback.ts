/**
 * Upload callbacks: the contract between who uploads and who is told, and the ways in which a callback travels.
 *
 * OSS calls the application server once an object is stored, and hands its answer back to the uploader. A `Contract` types
 * all three: what the uploader adds, what the application is told, what it answers. Pure.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { InvalidParam } from "../model/OssError.ts"
import * as Utf8 from "../model/Utf8.ts"
import * as CallbackTemplate from "./callback/CallbackTemplate.ts"
import * as Answer from "./callback/Answer.ts"
import type { Callback } from "./callback/Contract.ts"
import * as Order from "./callback/Order.ts"
import * as Uri from "./Uri.ts"

export type { Decode as DecodeAnswer, OffContract } from "./callback/Answer.ts"
export { check, make, type Callback, type Contract, type Options } from "./callback/Contract.ts"
export {
  bucket,
  clientIp,
  contentMd5,
  crc64,
  etag,
  imageFormat,
  imageHeight,
  imageWidth,
  mimeType,
  object,
  operation,
  reqId,
  size,
  token,
  variable as var,
  vpcId,
  type Body,
  type Fields,
  type SystemField,
  type SystemVariables,
  type Vars,
  type VarField,
  type AnyVarField,
  type Decode,
  type VarNames
} from "./callback/Field.ts"
export { placeholders, render, type BodyType, type Lookup, type SystemVariable } from "./callback/CallbackTemplate.ts"
export { maxEncodedBytes, maxUrls, type Encoded, type Order } from "./callback/Order.ts"

/** A body written by hand, checked as a contract's is. */
export interface RawOptions<A, I> {
  readonly url: string | ReadonlyArray<string>
  /** `bucket=${bucket}&user=${x:user}`, or a JSON text with its placeholders outside of quotes. */
  readonly body: string
  readonly bodyType?: "form" | "json" | undefined
  /** By name, with the `x:`. */
  readonly variables?: Readonly<Record<string, string>> | undefined
  readonly response: Schema.Schema<A, I>
  readonly host?: string | undefined
  readonly sni?: boolean | undefined
}

/** A callback for one upload with a body written by hand. Its receiver verifies with `CallbackSignature`. */
export const raw = <A, I>(options: RawOptions<A, I>): Callback<A> => {
  const order: Order.Order = {
    urls: typeof options.url === "string" ? [options.url] : options.url,
    host: options.host,
    sni: options.sni,
    template: options.body,
    bodyType: options.bodyType === "json" ? CallbackTemplate.json : CallbackTemplate.form,
    variables: options.variables ?? {}
  }
  return { encoded: Order.encode(order), order, decodeResponse: Answer.decoder(options.response) }
}

/** A callback that the bucket keeps under a name, so that uploaders cannot choose another URL. */
export const policy = <A, I>(name: string, response: Schema.Schema<A, I>): Callback<A> => ({
  encoded: Order.encodePolicy(name),
  order: undefined,
  decodeResponse: Answer.decoder(response)
})

/**
 * The same callback with more in the query of its URLs: a one-time token for example, which is signed there. Uploads fail
 * with `InvalidParam` for `url` when the bucket keeps the callback under a name, for `query` when that is not well-formed, and
 * for `callback` when it becomes too long.
 */
export const withQuery = <A>(callback: Callback<A>, query: Uri.Query): Callback<A> => {
  const { encoded, order } = callback
  if (Either.isLeft(encoded)) return callback
  const refuse = (field: string, reason: string) => ({
    ...callback,
    encoded: Either.left(new InvalidParam({ field, reason }))
  })
  if (order === undefined) return refuse("url", "must not get a query: the bucket keeps the callback under a name")
  if (!Object.entries(query).flat().every(Utf8.isWellFormed)) {
    return refuse("query", "must be well-formed Unicode, got a lone surrogate")
  }
  const added = Uri.encodeQuery(query)
  if (added === "") return callback
  const urls = order.urls.map((url) => `${url}${url.includes("?") ? "&" : "?"}${added}`)
  return { ...callback, order: { ...order, urls }, encoded: Order.encode({ ...order, urls }) }
}

/** How a callback travels as request headers, which are signed. Fails with what is wrong with the callback. */
export const headers = <A>(callback: Callback<A>): Either.Either<Readonly<Record<string, string>>, InvalidParam> =>
  Either.map(callback.encoded, ({ callback, callbackVar }) => ({
    "x-oss-callback": callback,
    ...(callbackVar === undefined ? {} : { "x-oss-callback-var": callbackVar })
  }))

/**
 * How a callback travels in the query of a presigned URL: seen by whoever holds the URL. Fails with what is wrong with the
 * callback.
 */
export const query = <A>(callback: Callback<A>): Either.Either<Readonly<Record<string, string>>, InvalidParam> =>
  Either.map(callback.encoded, ({ callback, callbackVar }) => ({
    callback,
    ...(callbackVar === undefined ? {} : { "callback-var": callbackVar })
  }))

/**
 * How a callback travels in a form: the callback, and each variable as a field of its own, in clear. Fails with what is wrong
 * with the callback.
 */
export const formFields = <A>(callback: Callback<A>): Either.Either<Readonly<Record<string, string>>, InvalidParam> =>
  Either.map(callback.encoded, ({ callback, variables }) => ({ callback, ...variables }))
