/** FetchTransport and XhrTransport in Chromium: the contract of their port, as far as browsers let it be kept. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as esbuild from "esbuild"
import * as Path from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { bytes, empty, Transport } from "../../core/ports/Transport.ts"
import { type Hard, transportContract } from "../contracts/Transport.contract.ts"
import * as TestServer from "../support/TestServer.ts"
import * as Bridge from "./Bridge.ts"
import type { Order } from "./Remote.ts"
import * as SlowRoad from "./SlowRoad.ts"
import * as Stage from "./Stage.ts"
import type { PageGlobals } from "./transport.page.ts"

const script = async (): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [Path.join(import.meta.dirname, "transport.page.ts")],
    bundle: true,
    format: "iife",
    target: "es2022",
    write: false
  })
  return outputFiles[0]!.text // one entry
}

/** What transport.page.ts has put into the page. */
declare const remote: PageGlobals["remote"]

let browser: Browser
let page: Page

beforeAll(async () => {
  // The contract's servers know nothing of CORS.
  browser = await Stage.launch(["--disable-web-security"])
  page = await browser.newPage()
  await page.goto(await Bridge.open())
  await page.addScriptTag({ content: await script() })
})

afterAll(async () => {
  await browser.close()
  Bridge.close()
})

const transport = (by: Order["by"]) =>
  Layer.succeed(
    Transport,
    Bridge.transport(by, (order, signal) => {
      signal.addEventListener("abort", () => void page.evaluate((id) => remote.interrupt(id), order.id))
      return page.evaluate((order) => remote.send(order), order)
    })
  )

const without: ReadonlyArray<Hard> = [
  "raw target",
  "header order",
  "streaming",
  "progress",
  "early answer",
  "no spare connections",
  "redirects",
  "causes"
]

transportContract("FetchTransport in Chromium", transport("fetch"), { without })
transportContract("XhrTransport in Chromium", transport("xhr"), { without })

describe("XhrTransport in Chromium", () => {
  it.scopedLive("tells how far a body has come, on the way", () =>
    Effect.gen(function* () {
      const road = yield* Effect.acquireRelease(
        Effect.flatMap(TestServer.start(), ({ port }) => Effect.promise(() => SlowRoad.open(port))),
        (road) => Effect.promise(road.close)
      )
      road.limit(10 * 1024 ** 2)
      const sent: Array<number> = []
      const { send } = yield* Transport
      const size = 12 * 1024 ** 2
      yield* send({
        method: "PUT",
        url: `http://127.0.0.1:${road.port}/k`,
        headers: {},
        body: bytes(new Uint8Array(size)),
        timeout: Duration.seconds(20),
        maxResponseBytes: 1000,
        onSent: (bytes) => sent.push(bytes)
      })
      assert.isAtLeast(sent.length, 4)
      assert.strictEqual(sent.at(-1), size)
    }).pipe(Effect.provide(transport("xhr")))
  )

  it.scopedLive("takes no answer from where it was redirected to", () =>
    Effect.gen(function* () {
      const elsewhere = yield* TestServer.start(TestServer.answer(200, {}, "elsewhere"))
      const server = yield* TestServer.start(TestServer.answer(307, { Location: `${elsewhere.origin}/` }))
      const { send } = yield* Transport
      const request = { method: "GET", url: `${server.origin}/k`, headers: {}, body: empty, maxResponseBytes: 1000 }
      const error = yield* Effect.flip(send({ ...request, timeout: Duration.seconds(20) }))
      assert.deepInclude(error, { _tag: "TransportError", reason: "BadResponse", sent: "unknown" })
    }).pipe(Effect.provide(transport("xhr")))
  )
})
