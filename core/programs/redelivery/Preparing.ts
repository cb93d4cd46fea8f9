/**
 * What the application server should have been told of an object, made from its receipt: the body that OSS would have sent.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import type { Undelivered } from "../../model/Undelivered.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import { Crypto } from "../../ports/Crypto.ts"
import * as Callback from "../../wire/Callback.ts"

/** What a body may ask for and a receipt does not tell; what is not given is rendered as OSS renders what is missing. */
export type Known = Readonly<
  Partial<
    Record<
      | "mimeType"
      | "contentMd5"
      | "operation"
      | "vpcId"
      | "clientIp"
      | "imageInfo.height"
      | "imageInfo.width"
      | "imageInfo.format",
      string | number
    >
  >
>

/** An ETag of OSS's ends in the number of parts when it was made of parts. */
const operationOf = ({ etag, method }: Uploaded): string =>
  method === "form" ? "PostObject" : etag.includes("-") ? "CompleteMultipartUpload" : "PutObject"

/**
 * What the application server should have been told, ready to be kept or delivered. `known` adds what the receipt does not
 * tell. Fails with `InvalidParam` for a callback whose body the bucket keeps under a name: nobody here knows it.
 */
export const prepare = <A>(
  callback: Callback.Callback<A>,
  { stored }: Pick<CallbackFailed, "stored">,
  known: Known = {}
): Effect.Effect<Undelivered, InvalidParam, Crypto> =>
  Effect.gen(function* () {
    const { order } = callback
    if (order === undefined) {
      const reason = "must be one whose body is known here, not one that the bucket keeps under a name"
      return yield* new InvalidParam({ field: "callback", reason })
    }
    yield* callback.encoded
    const { bucket, crc64, etag, key, method, requestId, size, versionId } = stored
    const facts = new Map<string, string | number | bigint | undefined>(
      Object.entries({
        ...order.variables,
        operation: operationOf(stored),
        ...known,
        bucket,
        object: key,
        etag,
        size,
        crc64,
        reqId: requestId
      })
    )
    const body = Callback.render(order.template, order.bodyType, (name) => facts.get(name))
    return {
      version: 1,
      id: (yield* Crypto).sha256Hex(JSON.stringify([bucket, key, etag, requestId, body])),
      urls: order.urls,
      host: order.host,
      contentType: order.bodyType,
      body,
      since: yield* Clock.currentTimeMillis,
      stored: { method, bucket, key, size, etag, crc64, versionId, requestId, callback: undefined }
    }
  })
