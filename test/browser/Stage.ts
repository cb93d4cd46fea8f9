/**
 * What the browser tests play on: the example's server, an emulator that can be stopped and started, and a Chromium.
 *
 * Everything that the browser sends and gets is kept, to be searched at the end. Pictures of the screen go to `artefacts/`.
 */
import { CallbackSignature } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import * as SlowRoad from "./SlowRoad.ts"
import { cors } from "../examples/direct-upload/cors.ts"
import { type Options, serve } from "../examples/direct-upload/server.ts"

/** Named by CHROMIUM, or found where systems put it. */
export const executablePath = (): string => {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
  const folders = (process.env["PATH"] ?? "").split(Path.delimiter)
  const found = [
    process.env["CHROMIUM"] ?? "",
    ...folders.flatMap((folder) => names.map((name) => Path.join(folder, name)))
  ].find((path) => path !== "" && existsSync(path))
  if (found === undefined) throw new Error("no Chromium in the PATH: install it, or name it in CHROMIUM")
  return found
}

export const launch = (args: ReadonlyArray<string> = []): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath(), args: ["--no-sandbox", ...args], headless: true })

/** Neither may ever be in an answer. */
export const keySecret = "the-access-key-secret-of-the-tests"
export const ticketSecret = "the-ticket-secret-of-the-tests"

export interface Exchange {
  readonly method: string
  readonly url: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly responseHeaders: Readonly<Record<string, string>>
  readonly text: string
}

/** All of what all tests have exchanged. */
export const traffic: Array<Exchange> = []
const reading: Array<Promise<unknown>> = []

/** Waits until what came in is kept. */
export const settled = (): Promise<unknown> => Promise.all(reading)

const record = (context: BrowserContext): void => {
  context.on("response", (response) => {
    const request = response.request()
    const read = async (): Promise<void> => {
      const [requestHeaders, responseHeaders, text] = await Promise.all([
        request.allHeaders(),
        response.allHeaders(),
        // The body of a page that was left is gone.
        response.text().catch(() => "")
      ])
      traffic.push({ method: request.method(), url: request.url(), requestHeaders, responseHeaders, text })
    }
    reading.push(read().catch(() => {}))
  })
}

export interface Stage {
  readonly url: string
  readonly emulator: () => OssEmulator.Service
  /** Stops the emulator in the middle of whatever it does, for so many milliseconds. Its data stay. */
  readonly restart: (downFor: number) => Promise<void>
  readonly page: (options?: BrowserContextOptions) => Promise<Page>
  /** How fast the page's bytes reach OSS, in bytes per second: without it, this machine is faster than the eye. */
  readonly throttle: (bytesPerSecond: number) => void
  readonly folder: string
  readonly close: () => Promise<void>
}

/** Opens the example, its pages in `browser`. */
export const open = async (browser: Browser, options: Partial<Options> = {}): Promise<Stage> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-browser-"))
  const run = Effect.runPromise
  const credentials = { accessKeyId: "tests", accessKeySecret: Redacted.make(keySecret) }
  let port = 0
  let scope = await run(Scope.make())
  const begin = () =>
    OssEmulator.make({
      bucket: "media",
      credentials,
      port,
      dataDir: Path.join(folder, "oss"),
      cors: cors("http://127.0.0.1:*"),
      graceMillis: 0
    }).pipe(Scope.extend(scope), run)
  let emulator = await begin()
  port = Number(new URL(emulator.endpoint).port)
  const { bucket, endpoint, publicKeyPem, publicKeyUrl, region } = emulator
  const road = await SlowRoad.open(port)
  const publicEndpoint = `http://127.0.0.1:${road.port}`
  const key = await run(CallbackSignature.trust(publicKeyUrl, publicKeyPem))
  const whole = await run(Scope.make())
  const { url } = await serve({
    oss: { bucket, region, endpoint, publicEndpoint, credentials },
    secret: Redacted.make(ticketSecret),
    trustedKeys: [key],
    ...options
  }).pipe(Scope.extend(whole), run)
  const contexts: Array<BrowserContext> = []
  return {
    url,
    folder,
    throttle: road.limit,
    emulator: () => emulator,
    restart: async (downFor) => {
      await run(Scope.close(scope, Exit.void))
      await new Promise((resolve) => setTimeout(resolve, downFor))
      scope = await run(Scope.make())
      emulator = await begin()
    },
    page: async (options) => {
      const context = await browser.newContext({ viewport: { width: 800, height: 700 }, ...options })
      contexts.push(context)
      record(context)
      return context.newPage()
    },
    close: async () => {
      await settled()
      for (const context of contexts) await context.close()
      await run(Scope.close(whole, Exit.void))
      await road.close()
      await run(Scope.close(scope, Exit.void))
      await Fs.rm(folder, { recursive: true, force: true })
    }
  }
}

const artefacts = Path.join(import.meta.dirname, "artefacts")

/** Keeps a picture of the screen. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  await Fs.mkdir(artefacts, { recursive: true })
  await page.screenshot({ path: Path.join(artefacts, `${name}.png`), fullPage: true })
}

/** A file of that many bytes which no compression makes smaller; the same for the same size. */
export const file = async (folder: string, name: string, size: number): Promise<string> => {
  const path = Path.join(folder, name)
  await Fs.writeFile(path, bytes(size))
  return path
}

export const bytes = (size: number): Buffer => {
  const content = Buffer.alloc(size)
  const words = new Uint32Array(content.buffer, content.byteOffset, size >> 2)
  let state = size | 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return content
}

/** A picture of one pixel. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==",
  "base64"
)
