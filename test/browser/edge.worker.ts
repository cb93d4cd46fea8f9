/**
 * A worker at the edge: it uploads, it grants, and it takes OSS's callback, on `fetch` alone.
 */
import {
  Bytes,
  Callback,
  CallbackReceiver,
  CallbackSignature,
  Grant,
  PostPolicy,
  Presign,
  Source,
  Upload
} from "effect-oss"
import { FetchCallback, FetchOss } from "effect-oss/fetch"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** What the test tells the worker of the emulator. */
export interface Given {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly secret: string
  readonly publicKeyUrl: string
  readonly publicKeyPem: string
  /** Where OSS reaches this worker. */
  readonly url: string
}

const contract = (url: string, bucket: string) =>
  Callback.make({
    url,
    bucket,
    body: { object: Callback.object, size: Callback.size },
    response: Schema.Struct({ told: Schema.String })
  })

const uploads = ({ bucket, url }: Given) =>
  Effect.gen(function* () {
    const content = new Uint8Array(Bytes.KiB(300)).fill(7)
    const callback = contract(`${url}/uploaded`, bucket)()
    const simple = yield* Upload.simple("simple.bin", Source.bytes(content), { callback })
    const multipart = yield* Upload.multipart("multipart.bin", Source.bytes(content), { callback, partSize: 102_400 })
    const form = yield* Presign.postObject({
      expiresIn: "1 minute",
      callback,
      conditions: [PostPolicy.startsWith("key", "")]
    })
    const byForm = yield* Upload.form(form, "form.bin", Source.bytes(content), { callback })
    const put = yield* Presign.putObject("presigned.bin", { expiresIn: "1 minute", callback })
    const presigned = yield* Upload.presigned(put, Source.bytes(content), { callback })
    const secret = Redacted.make("0123456789abcdef")
    const grant = yield* Grant.issue("g.mp4", { size: Bytes.MiB(40) }, { expiresIn: "1 minute", secret })
    return {
      answers: [simple, multipart, byForm, presigned].map((one) => one.callback.told),
      crc64s: [simple, multipart, byForm, presigned].map((one) => String(one.crc64)),
      grant: grant._tag
    }
  })

const mayCompile = (): boolean => {
  try {
    void new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
    return true
  } catch {
    return false
  }
}

let receive: FetchCallback.WebHandler | undefined

export default {
  fetch: async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname === "/uploaded") {
      return receive === undefined ? new Response(null, { status: 503 }) : receive(request)
    }
    const given = (await request.json()) as Given // the test's
    const { bucket, endpoint, publicKeyPem, publicKeyUrl, region, secret } = given
    const key = Either.getOrThrow(CallbackSignature.trust(publicKeyUrl, publicKeyPem))
    receive ??= FetchCallback.toWebHandler(
      CallbackReceiver.make(
        contract("http://localhost/uploaded", bucket),
        ({ object, size }) => Effect.succeed({ told: `${object} ${size}` }),
        { trustedKeys: [key] }
      )
    )
    const credentials = { accessKeyId: "edge", accessKeySecret: Redacted.make(secret) }
    const done = await uploads(given).pipe(
      Effect.provide(FetchOss.layer({ bucket, region, endpoint, credentials })),
      Effect.either,
      Effect.runPromise
    )
    return Response.json(
      Either.isRight(done) ? { ...done.right, mayCompile: mayCompile() } : { failed: done.left.message }
    )
  }
}
