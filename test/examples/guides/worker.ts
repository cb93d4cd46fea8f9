import { Upload } from "effect-oss"
import { FetchCallback, FetchOss } from "effect-oss/fetch"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { onVideoUploaded } from "../readme/receive.ts"

export interface Env {
  readonly OSS_REGION: string
  readonly OSS_BUCKET: string
  readonly OSS_ENDPOINT?: string
  readonly OSS_ACCESS_KEY_ID: string
  readonly OSS_ACCESS_KEY_SECRET: string
}

class BodyError extends Data.TaggedError("BodyError")<{ readonly cause: unknown }> {}

const bucket = (env: Env) =>
  FetchOss.layer({
    region: env.OSS_REGION,
    bucket: env.OSS_BUCKET,
    endpoint: env.OSS_ENDPOINT,
    credentials: {
      accessKeyId: env.OSS_ACCESS_KEY_ID,
      accessKeySecret: Redacted.make(env.OSS_ACCESS_KEY_SECRET)
    }
  })

const body = (request: Request) => {
  const { body } = request
  return body === null
    ? Stream.empty
    : Stream.fromReadableStream({ evaluate: () => body, onError: (cause) => new BodyError({ cause }) })
}

/** The body goes on to OSS as it comes, in parts, its length unknown. */
const store = (request: Request, env: Env) =>
  Upload.multipart(`incoming/${crypto.randomUUID()}`, body(request), { concurrency: 2 }).pipe(
    Effect.map(({ key, size }) => Response.json({ key, size })),
    Effect.catchAll((error) => Effect.succeed(new Response(error._tag, { status: 502 }))),
    Effect.provide(bucket(env)),
    Effect.runPromise
  )

const callback = FetchCallback.toWebHandler(onVideoUploaded)

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    new URL(request.url).pathname === "/oss/video-uploaded" ? callback(request) : store(request, env)
}
