/**
 * No upload tells a secret to who traces or logs: neither when it succeeds nor when it is refused. What an application puts
 * into a callback is its own, and may be a token: it is as secret.
 */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import { CallbackFailed } from "../../../core/model/OssError.ts"
import * as CheckpointStore from "../../../core/ports/CheckpointStore.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Outbox from "../../../core/ports/Outbox.ts"
import * as Source from "../../../core/ports/Source.ts"
import { Transport } from "../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as Emulated from "../../support/Emulated.ts"

const right: Credentials = {
  accessKeyId: "STS.tester",
  accessKeySecret: Redacted.make("hidden-secret"),
  securityToken: Redacted.make("hidden-token")
}
const wrong: Credentials = { ...right, accessKeySecret: Redacted.make("hidden-mistake") }

/** Everything that a tracer and a logger are told, as text. */
const recorder = () => {
  const told: Array<unknown> = []
  const tracer = Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind, options) => {
      told.push(name, options?.attributes)
      return {
        _tag: "Span",
        name,
        parent,
        context,
        links: [...links],
        kind,
        spanId: "1",
        traceId: "1",
        sampled: true,
        status: { _tag: "Started", startTime },
        attributes: new Map(),
        attribute: (key, value) => void told.push(key, value),
        event: (event, _, attributes) => void told.push(event, attributes),
        addLinks: () => {},
        end: (_, exit) => void told.push(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", exit)
      }
    }
  })
  const logger = Logger.make(
    ({ annotations, cause, message }) => void told.push(message, String(cause), [...annotations])
  )
  const layer = Layer.mergeAll(
    Layer.setTracer(tracer),
    Logger.replace(Logger.defaultLogger, logger),
    Logger.minimumLogLevel(LogLevel.All)
  )
  return { layer, text: () => json(told) }
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

/** Each way to upload, and how it ended. */
const uploads = <A>(callback?: Callback.Callback<A>) => {
  const content = Source.bytes(new Uint8Array(300_000))
  const given = { partSize: 102_400, callback } as { partSize: number; callback: Callback.Callback<A> } // none is as good
  const expiresIn = "1 hour"
  const presigned = (callbackIn: "headers" | "query") =>
    Effect.flatMap(Presign.putObject("d.txt", { expiresIn, callback, callbackIn }), (url) =>
      Upload.presigned(url, content, given)
    )
  const form = (fields: Readonly<Record<string, string>>) =>
    Effect.flatMap(Presign.postObject({ expiresIn, conditions: [], callback }), (form) =>
      Upload.form({ ...form, fields: { ...form.fields, ...fields } }, "e.txt", content, given)
    )
  const every = [
    Upload.simple("a.txt", content, given),
    Upload.multipart("b.txt", content, given),
    Effect.provide(Upload.resumable("c.txt", content, given), CheckpointStore.layerMemory),
    presigned("headers"),
    presigned("query"),
    form({}),
    form(callback === undefined ? {} : { callback: "other" }),
    form(callback === undefined ? {} : { "x:ticket": "other" })
  ]
  return Effect.forEach(every, (upload) => Effect.exit(Effect.withSpan(upload, "application")))
}

it.scopedLive("no secret, token, signature or signed URL is traced or logged", () =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.make({ credentials: right })
    for (const credentials of [right, wrong]) {
      const { layer, text } = recorder()
      yield* uploads().pipe(Effect.provide(Emulated.client(emulator, { credentials })), Effect.provide(layer))
      const told = text()
      for (const name of ["PutObject", "UploadPart", "application"]) {
        if (credentials === right) assert.include(told, name)
      }
      if (credentials === wrong) assert.include(told, "SignatureDoesNotMatch")
      assert.notMatch(told, /hidden|x-oss-signature=|x-oss-credential=|Signature=[0-9a-f]{64}/i)
    }
    assert.isTrue(Option.isSome(yield* emulator.object("d.txt")) && Option.isSome(yield* emulator.object("e.txt")))
  })
)

const Answer = Schema.Struct({ id: Schema.String })
const secret = Redacted.make("hidden-redelivery-secret")

/** A contract whose URL and variable are secrets. */
const contractAt = (origin: string) =>
  Callback.make({
    url: `${origin}?token=hidden-in-the-url`,
    bucket: "media",
    body: { object: Callback.object, ticket: Callback.var("ticket", Schema.String) },
    response: Answer
  })

/** What takes it, what fails, and what expects a number where the ticket is. */
const receivers = {
  "/taken": CallbackReceiver.make(contractAt("http://x"), () => Effect.succeed({ id: "1" })),
  "/failing": CallbackReceiver.make(contractAt("http://x"), () => Effect.fail("no"), {
    redelivery: { secrets: [secret] }
  }),
  "/misfit": CallbackReceiver.make(
    Callback.make({
      url: "http://x",
      bucket: "media",
      body: { object: Callback.object, ticket: Callback.var("ticket", Schema.NumberFromString) },
      response: Answer
    }),
    () => Effect.succeed({ id: "1" })
  )
}

/** Spoils callbacks on their way, so that OSS signs another text than we did, and shows it. */
const spoiling = Layer.map(NodeTransport.layer(), (context) => {
  const { send } = Context.get(context, Transport)
  const spoil = (text: string) => text.replace(/.{8}$/, "AAAAAAAA")
  return Context.make(Transport, {
    send: (request) =>
      send({
        ...request,
        url: request.url.replace(/(?<=[?&]callback=\w{40})\w{8}/, "AAAAAAAA"),
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [
            name,
            name.startsWith("x-oss-callback") ? spoil(value) : value
          ])
        )
      })
  })
})

/** Whether a text holds a piece of another: messages quote in part. */
const holdsPieceOf = (text: string, other: string): boolean =>
  Array.from({ length: Math.max(0, other.length - 20) }, (_, at) => other.slice(at, at + 20)).some((piece) =>
    text.includes(piece)
  )

it.scopedLive("nothing of a callback is traced, logged, or said in an error, whatever becomes of it", () =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.make({ bucket: "media", credentials: right })
    const { layer, text } = recorder()
    const errors: Array<unknown> = []
    const tags = (exits: ReadonlyArray<Exit.Exit<unknown, unknown>>) =>
      exits.map((exit) => {
        if (Exit.isSuccess(exit)) return "Uploaded"
        const error = Cause.squash(exit.cause) as Error & { readonly _tag: string } // ours, all of them
        errors.push(error, error.message, Cause.pretty(exit.cause))
        return error._tag
      })
    const client = Emulated.client(emulator)
    const spoilt = OssClient.layer(emulator).pipe(
      Layer.provide(CredentialsProvider.layer(right)),
      Layer.provideMerge(Layer.merge(spoiling, NodeCrypto.layer))
    )
    const encoded: Array<string> = []
    yield* Effect.gen(function* () {
      const { url } = yield* Emulated.server(emulator, receivers)
      const callbackAt = (path: string) => contractAt(url + path)({ ticket: "hidden-in-a-variable" })
      const every = [callbackAt("/taken"), callbackAt("/failing"), callbackAt("/misfit")] as const
      for (const { encoded: either } of every) {
        const { callback, callbackVar } = yield* either
        encoded.push(callback, callbackVar ?? assert.fail("there is a variable"))
      }
      const [taken, failing, misfit] = every
      const local = ["InvalidParam", "InvalidParam"]
      assert.deepStrictEqual(tags(yield* Effect.provide(uploads(taken), client)), [
        ...Array(6).fill("Uploaded"),
        ...local
      ])
      for (const callback of [failing, misfit]) {
        const exits = yield* Effect.provide(uploads(callback), client)
        assert.deepStrictEqual(tags(exits), [...Array(6).fill("CallbackFailed"), ...local])
      }
      assert.deepStrictEqual(tags(yield* Effect.provide(uploads(taken), spoilt)), [
        ...Array(5).fill("ServiceError"),
        "Uploaded",
        ...local
      ])

      const failed = errors.find((error) => error instanceof CallbackFailed) ?? assert.fail("a callback failed")
      const again = { secret, schedule: Schedule.recurs(0) }
      assert.deepStrictEqual(
        tags([
          yield* Effect.exit(Redelivery.redeliver(failing, failed, again)),
          yield* Effect.exit(Redelivery.redeliver(taken, failed, again))
        ]),
        ["CallbackFailed", "CallbackFailed"]
      )
      yield* Effect.exit(Redelivery.keeping(failing)(Effect.fail(failed)))
      assert.strictEqual((yield* Redelivery.reconcile({ secret })).kept.length, 1)
    }).pipe(Effect.provide([client, Outbox.layerMemory]), Effect.provide(layer))
    const told = text() + json(errors)
    for (const name of ["oss.PutObject", "oss.CallbackReceiver.handle", "oss.Redelivery.deliver", "not delivered:"]) {
      assert.include(told, name)
    }
    assert.include(told, "x-oss-callback arrived with another value")
    assert.notMatch(told, /hidden-/)
    assert.deepStrictEqual(
      encoded.filter((secret) => holdsPieceOf(told, secret)),
      []
    )
  })
)
