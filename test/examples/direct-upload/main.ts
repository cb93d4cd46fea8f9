/**
 * `npm run example:direct-upload`: the example against an emulator of its own, or against a bucket of yours.
 *
 * For your own: OSS_REGION, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET; UPLOAD_SECRET, 16 characters or more; PUBLIC_URL,
 * where OSS reaches this server; if the server has an address of its own to OSS, OSS_ENDPOINT, and OSS_PUBLIC_ENDPOINT for pages.
 */
import { CallbackSignature } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import { cors } from "./cors.ts"
import { type Options, serve } from "./server.ts"

const env = (name: string): string | undefined => process.env[name] || undefined

const port = Number(env("PORT") ?? 3000)
const secret = Redacted.make(env("UPLOAD_SECRET") ?? randomUUID())

const ofEmulator = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media", cors: cors(`http://127.0.0.1:${port}`) })
  const { bucket, credentials, endpoint, region } = emulator
  const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
  return { oss: { bucket, region, endpoint, credentials }, trustedKeys: [key], port, secret } satisfies Options
})

const ofBucket = (bucket: string): Options => ({
  oss: {
    bucket,
    region: env("OSS_REGION") ?? "cn-hangzhou",
    endpoint: env("OSS_ENDPOINT"),
    publicEndpoint: env("OSS_PUBLIC_ENDPOINT")
  },
  url: env("PUBLIC_URL"),
  port,
  secret
})

const main = Effect.gen(function* () {
  const bucket = env("OSS_BUCKET")
  const options = bucket === undefined ? yield* ofEmulator : ofBucket(bucket)
  const { url } = yield* serve(options)
  process.stdout.write(`Direct upload to ${options.oss.bucket}${bucket ? "" : " (an emulator)"}: open ${url}\n`)
  return yield* Effect.never
})

const fiber = Effect.runFork(Effect.scoped(main))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => fiber.unsafeInterruptAsFork(fiber.id()))
