/** No upload tells a secret to who traces or logs: neither when it succeeds nor when it is refused. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import * as CheckpointStore from "../../../core/ports/CheckpointStore.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Upload from "../../../core/programs/Upload.ts"
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
        end: (_, exit) => void told.push(String(exit), exit)
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
  return { layer, text: () => JSON.stringify(told, (_, value) => (typeof value === "bigint" ? String(value) : value)) }
}

const uploads = Effect.gen(function* () {
  const content = Source.bytes(new Uint8Array(300_000))
  const every = [
    Upload.simple("a.txt", content),
    Upload.multipart("b.txt", content, { partSize: 102_400 }),
    Effect.provide(Upload.resumable("c.txt", content, { partSize: 102_400 }), CheckpointStore.layerMemory),
    Effect.flatMap(Presign.putObject("d.txt", { expiresIn: "1 hour" }), (url) => Upload.presigned(url, content)),
    Effect.flatMap(Presign.postObject({ expiresIn: "1 hour", conditions: [] }), (form) =>
      Upload.form(form, "e.txt", content)
    )
  ]
  for (const upload of every) yield* Effect.exit(Effect.withSpan(upload, "application"))
})

it.scopedLive("no secret, token, signature or signed URL is traced or logged", () =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.make({ credentials: right })
    for (const credentials of [right, wrong]) {
      const { layer, text } = recorder()
      yield* uploads.pipe(Effect.provide(Emulated.client(emulator, { credentials })), Effect.provide(layer))
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
