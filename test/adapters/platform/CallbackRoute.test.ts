/** CallbackRoute in a router of the user's own, with the signatures of the emulator. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as CallbackRoute from "../../../adapters/platform/CallbackRoute.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as Emulated from "../../support/Emulated.ts"

class Names extends Context.Tag("Names")<Names, { readonly prefix: string }>() {}

const contractAt = (url: string, bodyType: "form" | "json" = "form") =>
  Callback.make({
    url,
    bucket: "media",
    bodyType,
    body: { object: Callback.object, size: Callback.size },
    response: Schema.Struct({ id: Schema.String })
  })

let handled = 0
const receiver = (bodyType: "form" | "json") =>
  CallbackReceiver.make(contractAt("http://x", bodyType), ({ object, size }) =>
    Effect.map(Names, ({ prefix }) => {
      handled++
      return { id: `${prefix}:${object}:${size}` }
    })
  )

/** The router on a free port. */
const serve = (emulator: OssEmulator.Service) =>
  Effect.gen(function* () {
    const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
    const router = HttpRouter.empty.pipe(
      HttpRouter.get("/health", HttpServerResponse.text("fine")),
      HttpRouter.post("/oss/form", CallbackRoute.make(receiver("form"))),
      HttpRouter.post("/oss/json", CallbackRoute.make(receiver("json")))
    )
    const server = HttpServer.serve(router).pipe(
      Layer.provide(Layer.succeed(Names, { prefix: "v" })),
      Layer.provide(CallbackReceiver.layerTrustedKeys([key])),
      Layer.provideMerge(NodeHttpServer.layer(Http.createServer, { port: 0, host: "127.0.0.1" })),
      Layer.provide(Logger.remove(Logger.defaultLogger))
    )
    const { address } = Context.get(yield* Layer.build(server), HttpServer.HttpServer)
    return address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : assert.fail("it listens on a port")
  })

describe("CallbackRoute", () => {
  for (const bodyType of ["form", "json"] as const) {
    it.scopedLive(`takes what OSS signed, in a router with other routes: ${bodyType}`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const url = yield* serve(emulator)
        const callback = contractAt(`${url}/oss/${bodyType}?a=b%20c`, bodyType)()
        const uploaded = yield* Upload.simple("a b/é.txt", Source.text("hello"), { callback }).pipe(
          Effect.provide(Emulated.client(emulator))
        )
        assert.deepStrictEqual(uploaded.callback, { id: "v:a b/é.txt:5" })
        assert.strictEqual(yield* Effect.promise(async () => (await fetch(`${url}/health`)).text()), "fine")
      })
    )
  }

  it.scopedLive("refuses what is unsigned, and what is too long, without running the handler", () =>
    Effect.gen(function* () {
      const url = yield* serve(yield* OssEmulator.make({ bucket: "media" }))
      const before = handled
      const post = (body: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`${url}/oss/form`, { method: "POST", body })
          return [answer.status, await answer.text(), answer.headers.get("content-type")]
        })
      assert.deepStrictEqual(yield* post("object=a&size=1"), [403, '{"error":"Unsigned"}', "application/json"])
      const [status] = yield* post("x".repeat(1_000_000))
      assert.strictEqual(status, 413)
      assert.strictEqual(handled, before)
    })
  )
})
