/** FetchCallback: Request in, Response out, with the signatures of the emulator. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as FetchCallback from "../../../adapters/fetch/FetchCallback.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as Emulated from "../../support/Emulated.ts"

class Names extends Context.Tag("Names")<Names, { readonly prefix: string }>() {}

const contractAt = (url: string) =>
  Callback.make({
    url,
    bucket: "examplebucket",
    body: { object: Callback.object, size: Callback.size },
    response: Schema.Struct({ id: Schema.String })
  })

const receiver = CallbackReceiver.make(contractAt("http://localhost/uploaded"), ({ object, size }) =>
  Effect.map(Names, ({ prefix }) => ({ id: `${prefix}:${object}:${size}` }))
)

/** A server as edge runtimes are: a handler of Requests. */
const serve = (handler: () => FetchCallback.WebHandler) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(async (incoming, outgoing) => {
        const chunks: Array<Buffer> = []
        for await (const chunk of incoming) chunks.push(chunk)
        const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)])
        const answer = await handler()(
          new Request(`http://localhost${incoming.url}`, {
            method: incoming.method ?? "",
            headers,
            body: Buffer.concat(chunks)
          })
        )
        outgoing
          .writeHead(answer.status, Object.fromEntries(answer.headers))
          .end(Buffer.from(await answer.arrayBuffer()))
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as AddressInfo).port)) // it listens on a port

const silent = Logger.remove(Logger.defaultLogger)
const names = Layer.succeed(Names, { prefix: "v" })
const post = (body: string, headers: Record<string, string> = {}) =>
  new Request("http://localhost/uploaded?a=b", { method: "POST", body, headers })

describe("FetchCallback.toWebHandler", () => {
  it.scopedLive("takes what OSS signed, runs the handler with its services, and hands its answer to the uploader", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make()
      const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
      const handler = FetchCallback.toWebHandler(receiver, Layer.merge(names, CallbackReceiver.layerTrustedKeys([key])))
      const port = yield* serve(() => handler)
      const contract = contractAt(`http://127.0.0.1:${port}/uploaded`)
      const { callback } = yield* Upload.simple("a b.txt", Source.text("hello"), { callback: contract() }).pipe(
        Effect.provide(Emulated.client(emulator))
      )
      assert.deepStrictEqual(callback, { id: "v:a b.txt:5" })
    })
  )

  it("refuses what is unsigned with 403, in JSON with a Content-Length", async () => {
    const answer = await FetchCallback.toWebHandler(receiver, Layer.merge(names, silent))(post("a=b"))
    assert.strictEqual(answer.status, 403)
    assert.deepStrictEqual(await answer.json(), { error: "Unsigned" })
    assert.strictEqual(answer.headers.get("content-length"), "20")
  })

  it("reads no further than the longest body", async () => {
    let pulled = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++
        controller.enqueue(new Uint8Array(16 * 1024))
      }
    })
    const request = new Request("http://localhost/", { method: "POST", body, duplex: "half" } as RequestInit) // not in DOM's types
    const answer = await FetchCallback.toWebHandler(receiver, Layer.merge(names, silent))(request)
    assert.strictEqual(answer.status, 413)
    assert.isBelow(pulled, 10)
  })

  it("answers 405 to other methods, and 500 when its layer cannot be built", async () => {
    const wrong = await FetchCallback.toWebHandler(
      receiver,
      Layer.merge(names, silent)
    )(new Request("http://localhost/"))
    assert.deepStrictEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"])
    const broken = Layer.merge(silent, Layer.fail("no database")) as Layer.Layer<Names, string> // it never gives one
    const logged: Array<unknown> = []
    const log = console.log
    console.log = (...line: Array<unknown>) => void logged.push(line.join(" "))
    const answer = await FetchCallback.toWebHandler(receiver, broken)(post("a=b"))
    await new Promise((resolve) => setTimeout(resolve, 10))
    console.log = log
    assert.strictEqual(answer.status, 500)
    assert.include(String(logged), "no database")
  })
})
