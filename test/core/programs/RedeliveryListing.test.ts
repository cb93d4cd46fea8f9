/** Callbacks of objects that the application never heard of, found by walking the bucket. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCallback from "../../../adapters/node/NodeCallback.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as ReplayGuard from "../../../core/ports/ReplayGuard.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Transport from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import * as Emulated from "../../support/Emulated.ts"
import * as ScriptedTransport from "../../support/ScriptedTransport.ts"

const secret = Redacted.make("a secret drawn at random")

const contractAt = (url: string) =>
  Callback.make({
    url,
    bucket: "media",
    body: {
      object: Callback.object,
      etag: Callback.etag,
      request: Callback.reqId,
      size: Callback.size,
      crc64: Callback.crc64,
      type: Callback.mimeType,
      operation: Callback.operation,
      owner: Callback.var("owner", Schema.String)
    },
    response: Schema.Struct({})
  })

/** An application that is down at first, and what it knows: object by object, as often as it was told. */
const application = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const guard = yield* Effect.provide(ReplayGuard.ReplayGuard, ReplayGuard.layerMemory())
  const known: Array<Callback.Body<ReturnType<typeof contractAt>["fields"]>> = []
  let isUp = false
  const receiver = CallbackReceiver.make(
    contractAt("http://x"),
    (body) => (isUp ? Effect.sync(() => ({ times: known.push(body) })) : Effect.fail("down")),
    { replay: { guard: ReplayGuard.ReplayGuard }, redelivery: { secrets: [secret] } }
  )
  const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
  const { url } = yield* NodeCallback.serve(receiver, { host: "127.0.0.1" }).pipe(
    Effect.provideService(CallbackReceiver.TrustedKeys, [key]),
    Effect.provideService(ReplayGuard.ReplayGuard, guard)
  )
  const contract = contractAt(url)
  return {
    emulator,
    known,
    contract,
    client: Emulated.client(emulator),
    up: () => {
      isUp = true
    },
    /** As an application would: by what it has, and by what the uploader wrote beside the object. */
    walk: {
      secret,
      prefix: "videos/",
      since: 0,
      settled: 0,
      isAcknowledged: ({ etag, key }: Redelivery.ListedObject) =>
        Effect.sync(() => known.some((one) => one.object === key && one.etag === etag)),
      callback: ({ metadata }: Redelivery.StoredObject) =>
        Effect.succeed(metadata["owner"] === undefined ? undefined : contract({ owner: metadata["owner"] }))
    }
  }
})

const silent = Logger.remove(Logger.defaultLogger)

/** A client whose bucket answers these pages. */
const listing = (...pages: ReadonlyArray<Transport.Response>) => {
  const transport = ScriptedTransport.make(...pages)
  const layer = OssClient.layer({ bucket: "media", region: "cn-hangzhou" }).pipe(
    Layer.provide(CredentialsProvider.layer({ accessKeyId: "id", accessKeySecret: Redacted.make("secret") })),
    Layer.provideMerge(Layer.merge(Layer.succeed(Transport.Transport, transport), NodeCrypto.layer))
  )
  return { layer, requests: transport.requests }
}

const page = (truncated: boolean, ...keys: ReadonlyArray<string>) => {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>"E"</ETag><Size>1</Size></Contents>`
  )
  return ScriptedTransport.answer(
    200,
    `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${contents.join("")}</ListBucketResult>`
  )
}

const nobody = {
  secret,
  prefix: "v +&/",
  since: 0,
  settled: 0,
  isAcknowledged: (): Effect.Effect<boolean, string> => Effect.succeed(false),
  callback: () => Effect.succeed(contractAt("http://127.0.0.1:1/")({ owner: "u" }))
}

describe("Redelivery.reconcileListing", () => {
  it.scopedLive("tells the application of exactly what it does not know, as OSS would have told it, and once", () =>
    Effect.gen(function* () {
      const { client, contract, known, up, walk } = yield* application
      yield* Effect.gen(function* () {
        const owner = "u 42 & co"
        const given = { callback: contract({ owner }), metadata: { owner }, partSize: 102_400 }
        const content = Source.bytes(new Uint8Array(200_000))
        for (const failing of [
          Upload.simple("videos/a b+é.mp4", content, given),
          Upload.multipart("videos/日.mp4", content, given),
          Upload.simple("elsewhere/a.mp4", content, given)
        ]) {
          assert.strictEqual((yield* Effect.flip(failing))._tag, "CallbackFailed")
        }
        yield* Upload.simple("videos/without.mp4", content) // nobody is to be told of this one
        up()
        yield* Upload.simple("videos/told.mp4", content, given)
        assert.deepStrictEqual(
          known.map(({ object }) => object),
          ["videos/told.mp4"]
        )

        const first = yield* Redelivery.reconcileListing(walk)
        assert.deepStrictEqual(first.delivered.map(({ stored }) => stored.key as string).sort(), [
          "videos/a b+é.mp4",
          "videos/日.mp4"
        ])
        assert.deepStrictEqual(first.kept, [])
        const [told = assert.fail("one was told"), ...others] = known
        const facts = { size: 200_000, type: "video/mp4", owner, crc64: told.crc64 }
        for (const one of others) assert.deepInclude(one, facts)
        assert.deepStrictEqual(others.map(({ operation }) => operation).sort(), [
          "CompleteMultipartUpload",
          "PutObject"
        ])

        assert.deepStrictEqual(yield* Redelivery.reconcileListing(walk), { delivered: [], kept: [] })
        // Whoever forgets what he was told is not told again either: the guard knows the object from the first walk.
        const forgetful = {
          ...walk,
          isAcknowledged: ({ key }: Redelivery.ListedObject) => Effect.succeed(key.endsWith("told.mp4"))
        }
        assert.strictEqual((yield* Redelivery.reconcileListing(forgetful)).delivered.length, 2)
        assert.strictEqual(known.length, 3)
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(silent))
  )

  it.scopedLive("keeps what the application still does not take, and delivers it at the next walk", () =>
    Effect.gen(function* () {
      const { client, contract, known, up, walk } = yield* application
      yield* Effect.gen(function* () {
        const given = { callback: contract({ owner: "u" }), metadata: { owner: "u" } }
        yield* Effect.exit(Upload.simple("videos/a.mp4", Source.text("a"), given))
        const { delivered, kept } = yield* Redelivery.reconcileListing(walk)
        assert.deepStrictEqual([delivered, kept.map(({ reason }) => reason)], [[], ["BadStatus"]])
        up()
        assert.strictEqual((yield* Redelivery.reconcileListing(walk)).delivered.length, 1)
        assert.strictEqual(known.length, 1)
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(silent))
  )

  it.scopedLive("leaves what is older, too fresh, gone or replaced meanwhile", () =>
    Effect.gen(function* () {
      const { client, contract, emulator, known, up, walk } = yield* application
      up()
      yield* Effect.gen(function* () {
        const due = {
          ...walk,
          isAcknowledged: () => Effect.succeed(false),
          callback: () => Effect.succeed(contract({ owner: "u" }))
        }
        yield* Upload.simple("videos/a.mp4", Source.text("a"))
        const now = yield* Clock.currentTimeMillis
        for (const range of [{ since: now + 60_000 }, { settled: 60_000 }, { prefix: "videos/b" }]) {
          assert.deepStrictEqual(yield* Redelivery.reconcileListing({ ...due, ...range }), { delivered: [], kept: [] })
        }
        for (const change of [
          Upload.simple("videos/a.mp4", Source.text("another")),
          Effect.flatMap(ObjectKey.make("videos/a.mp4"), (key) =>
            Effect.flatMap(OssClient.OssClient, ({ execute }) => execute(Operation.deleteObject(key)))
          )
        ]) {
          const meanwhile = { ...due, isAcknowledged: () => Effect.as(change, false) }
          assert.deepStrictEqual(yield* Redelivery.reconcileListing(meanwhile), { delivered: [], kept: [] })
        }
        assert.deepStrictEqual([known.length, (yield* emulator.objects()).length], [0, 0])
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(silent))
  )

  it.effect("asks the application for every object of every page", () => {
    const { layer, requests } = listing(page(true, "v +&/1", "v +&/2"), page(false, "v +&/3"))
    const asked: Array<string> = []
    const isAcknowledged = ({ key }: Redelivery.ListedObject) => Effect.sync(() => asked.push(key) > 0)
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Redelivery.reconcileListing({ ...nobody, isAcknowledged }), {
        delivered: [],
        kept: []
      })
      assert.deepStrictEqual(asked, ["v +&/1", "v +&/2", "v +&/3"])
      assert.deepStrictEqual(
        requests.map(({ url }) => new URL(url).searchParams.get("start-after")),
        [null, "v +&/2"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails when the application cannot be asked, the bucket not be listed, or an option is wrong", () =>
    Effect.gen(function* () {
      const walk = (given: Partial<typeof nobody>, ...answers: ReadonlyArray<Transport.Response>) =>
        Redelivery.reconcileListing({ ...nobody, ...given }).pipe(
          Effect.flip,
          Effect.map((error) => (typeof error === "string" ? error : error.message)),
          Effect.provide(listing(...answers).layer)
        )
      const head = ScriptedTransport.answer(200, "", { etag: '"E"', "content-length": "1" })
      assert.strictEqual(
        yield* walk({ isAcknowledged: () => Effect.fail("no database") }, page(false, "a")),
        "no database"
      )
      assert.match(yield* walk({}, ScriptedTransport.refusal(403, "AccessDenied")), /^ListObjectsV2: 403 AccessDenied/)
      assert.match(yield* walk({ secret: Redacted.make("short") }, page(false, "a"), head), /^secret: /)
      assert.match(yield* walk({ since: Number.NaN }), /^since: must be milliseconds since 1970, got NaN/)
    })
  )
})
