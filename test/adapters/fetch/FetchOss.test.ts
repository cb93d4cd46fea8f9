/** FetchOss: uploads of every kind over fetch, against the emulator. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as BlobSource from "../../../adapters/fetch/BlobSource.ts"
import * as FetchOss from "../../../adapters/fetch/FetchOss.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"

const content = Uint8Array.from({ length: 700_000 }, (_, i) => i * 31 + (i >> 8))
const source = BlobSource.make(new Blob([content]), "a.bin")

describe("FetchOss", () => {
  it.scopedLive("uploads in one piece, in parts, by form and by URL", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make()
      const { bucket, region, endpoint, credentials } = emulator
      const uploads = Effect.gen(function* () {
        yield* Upload.simple("simple ü.bin", source)
        yield* Upload.multipart("multipart.bin", source, { partSize: 102_400 })
        const form = yield* Presign.postObject({
          expiresIn: "1 minute",
          conditions: [PostPolicy.startsWith("key", "f/")]
        })
        yield* Upload.form(form, "f/form.bin", source)
        const url = yield* Presign.putObject("presigned.bin", { expiresIn: "1 minute" })
        yield* Upload.presigned(url, source)
      })
      yield* uploads.pipe(Effect.provide(FetchOss.layer({ bucket, region, endpoint, credentials })))
      for (const key of ["simple ü.bin", "multipart.bin", "f/form.bin", "presigned.bin"]) {
        const stored = Option.getOrThrow(yield* emulator.object(key))
        assert.isTrue(Buffer.from(stored).equals(content), key)
      }
    })
  )

  it.scopedLive("takes a provider of credentials", () =>
    Effect.gen(function* () {
      const { bucket, region, endpoint, credentials } = yield* OssEmulator.make()
      const provider = CredentialsProvider.fixed(credentials)
      const { size } = yield* Upload.simple("a", source).pipe(
        Effect.provide(FetchOss.layer({ bucket, region, endpoint, credentials: provider }))
      )
      assert.strictEqual(size, content.length)
    })
  )
})
