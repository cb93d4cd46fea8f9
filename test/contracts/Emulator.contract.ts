/**
 * What the emulator promises, on a socket and in process alike.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { OssEmulator } from "../../adapters/emulator/OssEmulator.ts"
import type { Transport } from "../../core/ports/Transport.ts"
import * as Client from "../adapters/emulator/Client.ts"
import { multipart } from "./emulator/multipart.ts"

export const suite = (name: string, emulator: Layer.Layer<OssEmulator | Transport, unknown>): void =>
  layer(emulator)(name, (it) => {
    multipart(it)
    it.effect("stores an object and gives it back with what was said of it", () =>
      Effect.gen(function* () {
        const stored = yield* Client.put("a/b c.txt", "hello world", {
          headers: { "content-type": "text/plain", "cache-control": "no-cache", "x-oss-meta-colour": "blue" }
        })
        assert.strictEqual(stored.status, 200)
        assert.strictEqual(stored.headers["etag"], '"5EB63BBBE01EEED093CB22BB8F5ACDC3"')
        assert.strictEqual(stored.headers["x-oss-hash-crc64ecma"], "5981764153023615706")
        assert.strictEqual(stored.headers["content-md5"], "XrY7u+Ae7tCTyyK7j1rNww==")
        assert.match(stored.headers["x-oss-request-id"] ?? "", /^[0-9A-F]{24}$/)
        assert.match(stored.headers["x-oss-server-time"] ?? "", /^\d+$/)
        assert.strictEqual(stored.headers["server"], "AliyunOSS")
        const got = yield* Client.get("a/b c.txt")
        assert.strictEqual(got.text, "hello world")
        assert.strictEqual(got.headers["content-type"], "text/plain")
        assert.strictEqual(got.headers["cache-control"], "no-cache")
        assert.strictEqual(got.headers["x-oss-meta-colour"], "blue")
        assert.strictEqual(got.headers["x-oss-object-type"], "Normal")
        const oss = yield* OssEmulator
        assert.strictEqual(new TextDecoder().decode(Option.getOrThrow(yield* oss.object("a/b c.txt"))), "hello world")
      })
    )
  })
