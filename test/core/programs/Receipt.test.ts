/** What becomes of an upload when OSS's answer does not tell all there is to know of the object. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import type { Response } from "../../../core/ports/Transport.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../core/ports/Source.ts"
import { Transport } from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import { answer, make as script, refusal } from "../../support/ScriptedTransport.ts"

const content = new Uint8Array(1000).fill(7)
const crc64 = Crc64.of(content)

const contract = Callback.make({
  url: "https://app.example.com/oss",
  bucket: "media",
  body: { key: Callback.object },
  response: Schema.Struct({ id: Schema.Number })
})

const uploaded = (...answers: ReadonlyArray<Response>) => {
  const transport = script(...answers)
  const layer = OssClient.layer({ bucket: "media", region: "cn-hangzhou" }).pipe(
    Layer.provide([
      Layer.succeed(Transport, transport),
      NodeCrypto.layer,
      CredentialsProvider.layer({ accessKeyId: "ak", accessKeySecret: Redacted.make("sk") })
    ])
  )
  return Upload.simple("k", Source.bytes(content), { callback: contract() }).pipe(
    Effect.provide(layer),
    Effect.either,
    Effect.map((outcome) => ({ outcome, methods: transport.requests.map(({ method }) => method) }))
  )
}

/** OSS's 203, whose headers tell nothing of the object. */
const failed = answer(
  203,
  "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message><EC>0007-00000203</EC></Error>"
)
const told = (crc: bigint) =>
  answer(200, "", { "content-length": "1000", etag: '"E"', "x-oss-hash-crc64ecma": Crc64.format(crc) })

describe("An object whose callback failed", () => {
  it.effect("is looked up, for the answer does not tell its CRC-64", () =>
    Effect.gen(function* () {
      const { methods, outcome } = yield* uploaded(failed, told(crc64))
      assert.deepEqual(methods, ["PUT", "HEAD"])
      const error = Either.getOrThrow(Either.flip(outcome))
      assert.strictEqual(error._tag === "CallbackFailed" ? error.stored.etag : error._tag, "E")
    })
  )

  it.effect("is Crc64Mismatch when it is another's", () =>
    Effect.gen(function* () {
      const { outcome } = yield* uploaded(failed, told(crc64 ^ 1n))
      assert.strictEqual(Either.getOrThrow(Either.flip(outcome))._tag, "Crc64Mismatch")
    })
  )

  it.effect("is stored all the same when OSS refuses to tell it: keys may be allowed to put, and nothing else", () =>
    Effect.gen(function* () {
      const { outcome } = yield* uploaded(failed, refusal(403, "AccessDenied"))
      const error = Either.getOrThrow(Either.flip(outcome))
      assert.strictEqual(error._tag, "CallbackFailed")
      if (error._tag === "CallbackFailed") {
        assert.deepInclude(error.stored, { size: 1000, crc64, etag: "" })
        assert.strictEqual(error.ec, "0007-00000203")
      }
    })
  )
})

describe("An object that was stored and told of", () => {
  it.effect("is not taken on trust when nobody tells its CRC-64", () =>
    Effect.gen(function* () {
      const { outcome } = yield* uploaded(answer(200, '{"id":1}', { etag: '"E"' }), refusal(403, "AccessDenied"))
      const error = Either.getOrThrow(Either.flip(outcome))
      assert.match(error.message, /neither the answer nor HeadObject told the object's CRC-64/)
    })
  )
})
