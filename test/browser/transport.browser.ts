/** FetchTransport in Chromium: the contract of its port, as far as browsers let it be kept. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as esbuild from "esbuild"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Path from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { SourceError, TransportError } from "../../core/model/OssError.ts"
import { type Body, type Request, type Response, type Service, Transport } from "../../core/ports/Transport.ts"
import { transportContract } from "../contracts/Transport.contract.ts"
import * as Stage from "./Stage.ts"
import type { Order, Outcome } from "./transport.page.ts"

/** What Node keeps of a request that the page sends. */
interface Kept {
  readonly request: Request
  iterator: AsyncIterator<Uint8Array> | undefined
  thrown: unknown
}

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

const orderOf = (id: number, { body, headers, maxResponseBytes, method, timeout, url }: Request): Order => ({
  id,
  method,
  url,
  headers,
  body: plain(body),
  timeoutMillis: Duration.toMillis(timeout),
  maxResponseBytes
})

const plain = (body: Body): Order["body"] =>
  body._tag === "Empty" ? body : body._tag === "Bytes" ? { _tag: "Bytes" } : { _tag: "Chunks", size: body.size }

const toResult = (outcome: Outcome, { thrown }: Kept): Effect.Effect<Response, TransportError | SourceError> => {
  switch (outcome._tag) {
    case "Response": {
      const { base64, headers, status } = outcome
      return Effect.succeed({ status, headers, body: new Uint8Array(Buffer.from(base64, "base64")) })
    }
    case "TransportError":
      return Effect.fail(new TransportError(outcome as ConstructorParameters<typeof TransportError>[0])) // it was one
    case "SourceError": {
      // An error cannot leave its process: what the iterator threw here is what the page met there.
      if (thrown instanceof SourceError) return Effect.fail(thrown)
      const { detail } = outcome
      const reason = outcome.reason as SourceError["reason"] // it was one
      const cause = thrown === undefined ? {} : { cause: thrown }
      return Effect.fail(new SourceError({ reason, source: "request body", detail, ...cause }))
    }
    case "Other":
      return Effect.dieMessage(outcome.detail)
  }
}

const kept = new Map<number, Kept>()

/** What the page asks Node for: nothing but itself at first, then the bodies of requests. */
const answer = async (path: string): Promise<Uint8Array | "over" | "threw"> => {
  const [, what, id] = path.split("/")
  const one = kept.get(Number(id))
  const body = one?.request.body
  if (one === undefined || body === undefined) return "over"
  if (body._tag === "Bytes") return body.bytes
  if (what === "stop") {
    await one.iterator?.return?.()
    return "over"
  }
  if (body._tag === "Empty") return "over"
  // Several chunks at once: each way to the page takes its time.
  const batch: Array<Buffer> = []
  let length = 0
  while (one.thrown === undefined && length < 2 ** 21) {
    try {
      one.iterator ??= body.chunks()[Symbol.asyncIterator]()
      const next = await one.iterator.next()
      if (next.done === true) break
      length += next.value.length
      batch.push(Buffer.from(next.value))
    } catch (error) {
      one.thrown = error
    }
  }
  if (batch.length > 0) return Buffer.concat(batch)
  return one.thrown === undefined ? "over" : "threw"
}

const home = Http.createServer(async (request, response) => {
  if (request.url === "/") return response.writeHead(200, { "content-type": "text/html" }).end()
  const found = await answer(request.url ?? "")
  return typeof found === "string" ? response.writeHead(found === "over" ? 204 : 500).end() : response.end(found)
})

let browser: Browser
let page: Page

beforeAll(async () => {
  await new Promise<void>((resolve) => home.listen(0, "127.0.0.1", resolve))
  // The contract's servers know nothing of CORS.
  browser = await Stage.launch(["--disable-web-security"])
  page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(home.address() as AddressInfo).port}/`) // it listens on a port
  await page.exposeFunction("told", (id: number, bytes: number): void => kept.get(id)?.request.onSent?.(bytes))
  await page.addScriptTag({ content: await script() })
})

afterAll(async () => {
  await browser.close()
  home.closeAllConnections()
  home.close()
})

let last = 0

const transport: Service = {
  send: (request) =>
    Effect.suspend(() => {
      const id = ++last
      const one: Kept = { request, iterator: undefined, thrown: undefined }
      kept.set(id, one)
      return Effect.async<Response, TransportError | SourceError>((resume) => {
        const answered = page.evaluate((order) => globalThis.send(order), orderOf(id, request))
        answered.then(
          (outcome) => resume(toResult(outcome, one)),
          (error: unknown) => resume(Effect.die(error))
        )
        return Effect.promise(() => page.evaluate((id) => globalThis.interrupt(id), id))
      })
    })
}

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
