/** The fetch adapter at the edge: uploads of every kind, grants and callbacks in workerd. */
import { OssEmulator } from "effect-oss/emulator"
import { Crc64 } from "effect-oss"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { assert, it } from "vitest"
import * as Edge from "./Edge.ts"
import type { Given } from "./edge.worker.ts"

it("uploads, grants and takes callbacks in workerd, where no WebAssembly may be compiled", async () => {
  const edge = await Edge.open("edge.worker.ts")
  const secret = "a-secret-of-the-edge-tests"
  const program = Effect.gen(function* () {
    const { bucket, endpoint, publicKeyPem, publicKeyUrl, region } = yield* OssEmulator.make({
      credentials: { accessKeyId: "edge", accessKeySecret: Redacted.make(secret) }
    })
    const given: Given = { bucket, endpoint, publicKeyPem, publicKeyUrl, region, secret, url: edge.url }
    return yield* Effect.promise(async () => {
      const answer = await fetch(edge.url, { method: "POST", body: JSON.stringify(given) })
      return (await answer.json()) as unknown
    })
  })
  const done = await Effect.runPromise(Effect.scoped(program))
  await edge.close()
  const crc64 = String(Crc64.of(new Uint8Array(300 * 1024).fill(7)))
  assert.deepStrictEqual(done, {
    answers: ["simple.bin", "multipart.bin", "form.bin", "presigned.bin"].map((key) => `${key} 307200`),
    crc64s: [crc64, crc64, crc64, crc64],
    grant: "Parts",
    mayCompile: false
  })
})
