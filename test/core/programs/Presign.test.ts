import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeOss from "../../../adapters/node/NodeOss.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import { PresignedUrl } from "../../../core/model/PresignedUrl.ts"
import { SignedForm } from "../../../core/model/SignedForm.ts"
import * as Source from "../../../core/ports/Source.ts"
import type { Transport } from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import type { OssClient } from "../../../core/programs/OssClient.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as Emulated from "../../support/Emulated.ts"

const AvatarUploaded = (url: string) =>
  Callback.make({
    url,
    bucket: "media",
    body: { object: Callback.object, size: Callback.size, user: Callback.var("user", Schema.String) },
    response: Schema.Struct({ id: Schema.Number })
  })

/** An emulator, a receiver, and what the receiver was told. */
const world = Effect.gen(function* () {
  const told: Array<unknown> = []
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const receiver = CallbackReceiver.make(AvatarUploaded("http://x"), (body) =>
    Effect.sync(() => ({ id: told.push(body) }))
  )
  const { url } = yield* Emulated.server(emulator, receiver)
  const withKeys = Emulated.client(emulator)
  return {
    emulator,
    told,
    contract: AvatarUploaded(`${url}/avatar`),
    withKeys,
    withoutKeys: NodeOss.layerWithoutClient()
  }
})

const overTheWire = <A, I>(schema: Schema.Schema<A, I>, grant: A): A =>
  Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(Schema.encodeSync(schema)(grant))))

describe("a signed form", () => {
  const conditions = [
    PostPolicy.startsWith("key", "avatars/u_42/"),
    PostPolicy.contentLengthRange(1, Bytes.MiB(5)),
    PostPolicy.in("content-type", ["image/png", "image/jpeg"])
  ]

  it.scopedLive("lets somebody without keys upload, within its conditions, with its callback", () =>
    Effect.gen(function* () {
      const { contract, emulator, told, withKeys, withoutKeys } = yield* world
      const callback = contract({ user: "u_42" })
      const grant = yield* Presign.postObject({ expiresIn: "10 minutes", conditions, callback }).pipe(
        Effect.provide(withKeys)
      )
      const signed = overTheWire(SignedForm, grant)
      const content = new Uint8Array(Bytes.MiB(1)).fill(7)
      const seen: Array<number> = []
      const uploaded = yield* Upload.form(signed, "avatars/u_42/${filename}", Source.bytes(content), {
        callback: contract,
        filename: "me & you.png",
        onProgress: ({ sent }) => Effect.sync(() => void seen.push(sent))
      }).pipe(Effect.provide(withoutKeys))
      assert.strictEqual(uploaded.method, "form")
      assert.strictEqual(uploaded.key, "avatars/u_42/me & you.png")
      assert.strictEqual(uploaded.crc64, Crc64.of(content))
      assert.deepEqual(uploaded.callback, { id: 1 })
      assert.deepEqual(told, [{ object: uploaded.key, size: content.length, user: "u_42" }])
      assert.strictEqual(seen.at(-1), content.length)
      assert.strictEqual(Option.getOrThrow(yield* emulator.object(uploaded.key)).length, content.length)
    })
  )

  it.scopedLive("is run here before a byte is sent, and refuses in OSS's own words", () =>
    Effect.gen(function* () {
      const { emulator, withKeys, withoutKeys } = yield* world
      const signed = yield* Presign.postObject({ expiresIn: "10 minutes", conditions }).pipe(Effect.provide(withKeys))
      const message = (key: string, source: Source.Source) =>
        Effect.map(Effect.flip(Upload.form(signed, key, source)), (error) => error.message)
      yield* Effect.gen(function* () {
        assert.strictEqual(
          yield* message("other/a.png", Source.text("x")),
          'form: Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "avatars/u_42/"]'
        )
        assert.match(yield* message("avatars/u_42/a.html", Source.text("x")), /^form: .*Condition failed: \["in"/)
        const tooLarge = { ...Source.text("x"), size: Bytes.MiB(6) }
        assert.match(yield* message("avatars/u_42/a.png", tooLarge), /^form: /)
        assert.match(yield* message("avatars/u_42/a.png", Source.text("")), /^form: /)
      }).pipe(Effect.provide(withoutKeys))
      assert.deepEqual(yield* emulator.requests, [])
    })
  )

  it.scopedLive("cannot be altered: OSS refuses another policy, and another callback", () =>
    Effect.gen(function* () {
      const { contract, emulator, withKeys, withoutKeys } = yield* world
      const options = { expiresIn: "10 minutes", callback: contract({ user: "u_42" }) } as const
      const mine = yield* Presign.postObject({ ...options, conditions }).pipe(Effect.provide(withKeys))
      const wider = yield* Presign.postObject({ ...options, conditions: [] }).pipe(Effect.provide(withKeys))
      // With the wider one's date too: the second may have turned between the two.
      const signature = mine.fields["x-oss-signature"]!
      const forged = { ...wider, fields: { ...wider.fields, "x-oss-signature": signature } }
      const error = yield* Effect.flip(Upload.form(forged, "elsewhere.png", Source.text("x"))).pipe(
        Effect.provide(withoutKeys)
      )
      assert.strictEqual(error._tag === "ServiceError" && error.code, "SignatureDoesNotMatch")
      const stranger = { ...mine, fields: { ...mine.fields, "x:user": "u_1" } }
      const refused = yield* Effect.flip(Upload.form(stranger, "avatars/u_42/a.png", Source.text("x"))).pipe(
        Effect.provide(withoutKeys)
      )
      assert.match(refused.message, /^form: .*\["eq", "\$[^"]+", "\*\*\*"\]/)
      assert.deepEqual(yield* emulator.objects(), [])
    })
  )
})

describe("a presigned URL", () => {
  for (const callbackIn of ["headers", "query"] as const) {
    it.scopedLive(`lets somebody without keys upload, its callback in the ${callbackIn}`, () =>
      Effect.gen(function* () {
        const { contract, told, withKeys, withoutKeys } = yield* world
        const callback = contract({ user: "u_42" })
        const grant = yield* Presign.putObject("a/../b 🎬.mp4", { expiresIn: "1 hour", callback, callbackIn }).pipe(
          Effect.provide(withKeys)
        )
        assert.strictEqual("x-oss-callback" in grant.headers, callbackIn === "headers")
        const content = new Uint8Array(Bytes.MiB(1)).fill(7)
        const uploaded = yield* Upload.presigned(overTheWire(PresignedUrl, grant), Source.bytes(content), {
          callback: contract
        }).pipe(Effect.provide(withoutKeys))
        assert.strictEqual(uploaded.crc64, Crc64.of(content))
        assert.deepEqual(uploaded.callback, { id: 1 })
        assert.deepEqual(told, [{ object: "a/../b 🎬.mp4", size: content.length, user: "u_42" }])
      })
    )
  }

  it.scopedLive("works with plain fetch, if its headers are sent as they are, and only then", () =>
    Effect.gen(function* () {
      const { emulator, withKeys } = yield* world
      const grant = yield* Presign.putObject("k.txt", { expiresIn: "1 hour", metadata: { a: "b" } }).pipe(
        Effect.provide(withKeys)
      )
      const put = (headers: Readonly<Record<string, string>>) =>
        Effect.promise(() => fetch(grant.url, { method: "PUT", headers, body: "hi" }).then(({ status }) => status))
      assert.strictEqual(yield* put(grant.headers), 200)
      assert.strictEqual(yield* put({ ...grant.headers, "x-oss-meta-a": "c" }), 403)
      assert.strictEqual(yield* put({}), 403)
      assert.strictEqual(Option.getOrThrow(yield* emulator.object("k.txt")).length, 2)
    })
  )

  it.scopedLive("names the public address, though the client itself talks to another", () =>
    Effect.gen(function* () {
      const { emulator } = yield* world
      const client = Emulated.client(emulator, { publicEndpoint: "https://oss-cn-hangzhou.aliyuncs.com" })
      const grant = yield* Presign.putObject("k", { expiresIn: 60_000 }).pipe(Effect.provide(client))
      assert.match(grant.url, /^https:\/\/media\.oss-cn-hangzhou\.aliyuncs\.com\/k\?/)
    })
  )

  it.scopedLive("lives 1 second to 7 days", () =>
    Effect.gen(function* () {
      const { withKeys } = yield* world
      for (const expiresIn of ["0 seconds", "1500 millis", "8 days"] as const) {
        const error = yield* Effect.flip(Presign.putObject("k", { expiresIn })).pipe(Effect.provide(withKeys))
        assert.match(error.message, /^expiresIn: must be whole seconds, 1 to 604800 \(7 days\), got /)
      }
    })
  )
})

it("form and presigned need a transport and nothing else; signing needs the keys", () => {
  expectTypeOf<Effect.Effect.Context<ReturnType<typeof Upload.form>>>().toEqualTypeOf<Transport>()
  expectTypeOf<Effect.Effect.Context<ReturnType<typeof Upload.presigned>>>().toEqualTypeOf<Transport>()
  expectTypeOf<Effect.Effect.Error<ReturnType<typeof Upload.presigned>>>().toEqualTypeOf<Upload.GrantedUploadError>()
  expectTypeOf<Effect.Effect.Context<ReturnType<typeof Presign.putObject>>>().toEqualTypeOf<OssClient>()
})
