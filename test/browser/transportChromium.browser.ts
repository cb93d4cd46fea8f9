/** FetchTransport in Chromium: the contract of its port, as far as browsers let it be kept. */
import * as Layer from "effect/Layer"
import * as esbuild from "esbuild"
import * as Path from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { Transport } from "../../core/ports/Transport.ts"
import { transportContract } from "../contracts/Transport.contract.ts"
import * as Bridge from "./Bridge.ts"
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

const transport = Bridge.transport((order, signal) => {
  signal.addEventListener("abort", () => void page.evaluate((id) => remote.interrupt(id), order.id))
  return page.evaluate((order) => remote.send(order), order)
})

transportContract("FetchTransport in Chromium", Layer.succeed(Transport, transport), {
  without: [
    "raw target",
    "header order",
    "streaming",
    "progress",
    "early answer",
    "no spare connections",
    "redirects",
    "causes"
  ]
})
