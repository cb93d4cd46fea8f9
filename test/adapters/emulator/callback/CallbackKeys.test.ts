/**
 * The key pair of an emulator: of OSS's size, and the same after a restart.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as CallbackKeys from "../../../../adapters/emulator/callback/CallbackKeys.ts"
import * as CallbackSignature from "../../../../core/wire/CallbackSignature.ts"

const data = Buffer.from("/\nbucket=examplebucket")

const verifies = ({ publicKeyPem }: CallbackKeys.Service, signature: string): boolean =>
  NodeCrypto.verify("md5", data, publicKeyPem, Buffer.from(signature, "base64"))

const folder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-keys-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

const keysOf = (layer: Layer.Layer<CallbackKeys.CallbackKeys>) =>
  Effect.provide(
    Effect.map(CallbackKeys.CallbackKeys, ({ publicKeyPem }) => publicKeyPem),
    layer
  )

describe("a pair of keys", () => {
  it.effect("makes signatures of 64 bytes that its public key verifies, and no other", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* CallbackKeys.generated, yield* CallbackKeys.generated]
      const signature = one.sign(data)
      expect(Buffer.from(signature, "base64").length).toBe(64)
      expect([verifies(one, signature), verifies(other, signature)]).toEqual([true, false])
    })
  )

  it.effect("can be trusted by a receiver of the core", () =>
    Effect.gen(function* () {
      const { publicKeyPem } = yield* CallbackKeys.generated
      expect(publicKeyPem.startsWith("-----BEGIN PUBLIC KEY-----\n")).toBe(true)
      expect(Either.isRight(CallbackSignature.trust("http://127.0.0.1/key.pem", publicKeyPem))).toBe(true)
    })
  )

  it.scoped("is the same after a restart, and readable by its owner only", () =>
    Effect.gen(function* () {
      const inner = Path.join(yield* folder, "data")
      const first = yield* CallbackKeys.persisted(inner)
      const second = yield* CallbackKeys.persisted(inner)
      expect(second.publicKeyPem).toBe(first.publicKeyPem)
      expect(verifies(first, second.sign(data))).toBe(true)
      expect(yield* Effect.promise(() => Fs.readdir(inner))).toEqual([CallbackKeys.fileName])
      const { mode } = yield* Effect.promise(() => Fs.stat(Path.join(inner, CallbackKeys.fileName)))
      expect(mode & 0o777).toBe(0o600)
    })
  )

  it.scoped("that cannot be read stops the start, and is neither quoted nor replaced", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* folder, CallbackKeys.fileName)
      const secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
      yield* Effect.promise(() => Fs.writeFile(path, secret))
      const exit = yield* Effect.exit(CallbackKeys.persisted(Path.dirname(path)))
      const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "no failure"
      expect(text).toContain(`${path} is not an RSA private key in PEM; remove it to have a new one made`)
      expect(text).not.toContain("c2VjcmV0")
      expect(yield* Effect.promise(() => Fs.readFile(path, "utf8"))).toBe(secret)
    })
  )

  it.scoped("lives in a folder, or as long as the process", () =>
    Effect.gen(function* () {
      const kept = CallbackKeys.layer({ folder: yield* folder })
      expect(yield* keysOf(Layer.fresh(kept))).toBe(yield* keysOf(Layer.fresh(kept)))
      const fleeting = CallbackKeys.layer()
      expect(yield* keysOf(Layer.fresh(fleeting))).not.toBe(yield* keysOf(Layer.fresh(fleeting)))
    })
  )
})
