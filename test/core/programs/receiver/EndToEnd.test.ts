/** All five ways to upload and both body types, over HTTPS, behind a proxy that cuts off the front of the path. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as Https from "node:https"
import type { AddressInfo } from "node:net"
import * as OssEmulator from "../../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../../core/model/Bytes.ts"
import * as CheckpointStore from "../../../../core/ports/CheckpointStore.ts"
import * as ReplayGuard from "../../../../core/ports/ReplayGuard.ts"
import * as Source from "../../../../core/ports/Source.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as Presign from "../../../../core/programs/Presign.ts"
import * as Upload from "../../../../core/programs/Upload.ts"
import * as Callback from "../../../../core/wire/Callback.ts"
import * as PostPolicy from "../../../../core/wire/PostPolicy.ts"
import * as Certificate from "../../../support/Certificate.ts"
import * as Emulated from "../../../support/Emulated.ts"

const contractAt = (origin: string, bodyType: "form" | "json") =>
  Callback.make({
    url: `${origin}/api/oss/video?v=%2F1`,
    bucket: "media",
    bodyType,
    body: {
      object: Callback.object,
      etag: Callback.etag,
      request: Callback.reqId,
      size: Callback.size,
      crc64: Callback.crc64,
      width: Callback.imageWidth,
      userId: Callback.var("user_id", Schema.String)
    },
    response: Schema.Struct({ told: Schema.String })
  })

/** HTTPS outside, plain HTTP inside, and `/api` stays outside. */
const proxy = (inner: { readonly port: number }) =>
  Effect.acquireRelease(
    Effect.async<Https.Server>((resume) => {
      const tls = { key: Certificate.key, cert: Certificate.certificate }
      const server = Https.createServer(tls, (request, response) => {
        const { headers, method, url = "" } = request
        const to = { port: inner.port, host: "127.0.0.1", method, path: url.replace(/^\/api/, ""), headers }
        const onward = Http.request(to, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        })
        request.pipe(onward)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

const key = "视频/a b+c.mp4"
const content = new Uint8Array(300_000).fill(7)
const source = Source.bytes(content)
const partSize = Bytes.KiB(100)

describe("a receiver behind HTTPS and a proxy that strips /api", () => {
  for (const bodyType of ["form", "json"] as const) {
    it.scopedLive(`is told of all five uploads by ${bodyType} body, and answers each`, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const receiver = CallbackReceiver.make(
          contractAt("https://unused.example.com", bodyType),
          ({ object, size, userId, width }) =>
            Effect.sync(() => {
              seen.push(`${object} ${size} ${userId} ${width}`)
              return { told: userId }
            }),
          { strippedPrefix: "/api", replay: { guard: ReplayGuard.ReplayGuard } }
        )
        const guard = ReplayGuard.makeMemory()
        const emulator = yield* OssEmulator.make({ bucket: "media", callback: { ca: Certificate.authority } })
        const inner = yield* Emulated.server(emulator, {
          ...receiver,
          handle: (request) => Effect.provideService(receiver.handle(request), ReplayGuard.ReplayGuard, guard)
        })
        const { port } = (yield* proxy(inner)).address() as AddressInfo // it listens on a port
        const contract = contractAt(`https://127.0.0.1:${port}`, bodyType)
        const bind = (userId: string) => ({ callback: contract({ userId }) })
        const answers = yield* Effect.gen(function* () {
          const form = yield* Presign.postObject({
            expiresIn: "1 minute",
            conditions: [PostPolicy.startsWith("key", "视频/")],
            ...bind("form")
          })
          const url = yield* Presign.putObject(key, { expiresIn: "1 minute", ...bind("presigned") })
          return yield* Effect.all([
            Upload.simple(key, source, bind("simple")),
            Upload.multipart(key, source, { partSize, ...bind("multipart") }),
            Upload.resumable(key, source, { partSize, ...bind("resumable") }),
            Upload.form(form, key, source, { callback: contract }),
            Upload.presigned(url, source, { callback: contract })
          ])
        }).pipe(Effect.provide(Layer.merge(Emulated.client(emulator), CheckpointStore.layerMemory)))
        const names = ["simple", "multipart", "resumable", "form", "presigned"]
        assert.deepEqual(
          answers.map(({ callback }) => callback.told),
          names
        )
        assert.deepEqual(
          seen,
          names.map((name) => `${key} 300000 ${name} undefined`)
        )
      })
    )
  }
})
