/**
 * What somebody does who has installed @effect/platform too.
 *
 * Compiled and run like alone.ts. It writes the keys that are stored.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { CredentialsProvider, OssClient, Source, Upload } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import { NobleCrypto } from "effect-oss/fetch"
import { PlatformTransport } from "effect-oss/platform"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const main = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const client = OssClient.layer(emulator).pipe(
    Layer.provide(CredentialsProvider.layer(emulator.credentials)),
    Layer.provide(NobleCrypto.layer),
    Layer.provide(Layer.provide(PlatformTransport.layer(), FetchHttpClient.layer))
  )
  yield* Upload.simple("platform", Source.text("hello")).pipe(Effect.provide(client))
  return (yield* emulator.objects()).map(({ key }) => key)
})

void Effect.runPromise(Effect.scoped(main)).then((keys) => process.stdout.write(`${keys.join(" ")}\n`))
