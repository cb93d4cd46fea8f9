/** FetchTransport: the contract of its port as far as fetch can keep it, on Node's own fetch; and what it refuses. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { init } from "../../../adapters/fetch/FetchHeaders.ts"
import * as FetchTransport from "../../../adapters/fetch/FetchTransport.ts"
import { TransportError } from "../../../core/model/OssError.ts"
import { bytes, empty, type Request } from "../../../core/ports/Transport.ts"
import { transportContract } from "../../contracts/Transport.contract.ts"
import * as TestServer from "../../support/TestServer.ts"

transportContract("FetchTransport", FetchTransport.layer(), {
  // fetch parses URLs, sorts headers and adds its own, and takes bodies whole and silently.
  without: ["raw target", "header order", "streaming", "progress", "early answer", "no spare connections"]
})

const request = (url: string, more: Partial<Request> = {}): Request => ({
  method: "PUT",
  url,
  headers: {},
  body: empty,
  timeout: Duration.seconds(20),
  maxResponseBytes: 1024 * 1024,
  ...more
})

const refusal = (input: Request, fetch?: typeof globalThis.fetch) =>
  Effect.map(Effect.flip(FetchTransport.make({ fetch }).send(input)), (error) => {
    assert.instanceOf(error, TransportError)
    return error
  })

describe("FetchTransport", () => {
  const live = it.scopedLive

  for (const path of ["/a/../hidden", "/a/./hidden", "/%2e%2E/hidden", "/a\\hidden", "/hidden?q='x'"]) {
    live(`refuses ${path}, which fetch would change, and sends nothing`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        const error = yield* refusal(request(`${server.origin}${path}`))
        assert.deepStrictEqual([error.reason, error.sent, server.received.length], ["Connect", "nothing", 0])
        assert.include(error.message, "fetch would change")
        assert.notInclude(error.message, "hidden")
      })
    )
  }

  for (const path of ["", "/", "/a//b", "/a%2F..%2Fb", "/%E6%97%A5?x=%27&y=~!*()", "/a/...", "/b?a/../b"]) {
    live(`sends ${path || "no path"} as it stands`, () =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        yield* FetchTransport.make().send(request(server.origin + path))
        assert.strictEqual(server.received[0]?.target, path || "/")
      })
    )
  }

  for (const url of ["ftp://h/k", "h/k", "http://user:secret@h/k", "http://h/k#secret", "http://h/ secret"]) {
    live(`refuses the URL ${JSON.stringify(url)} without telling it`, () =>
      Effect.gen(function* () {
        const error = yield* refusal(request(url))
        assert.deepStrictEqual([error.reason, error.sent], ["Connect", "nothing"])
        assert.notInclude(error.message, "secret")
      })
    )
  }

  live("adds no header but those of every fetch, and no cache-control to what is stored", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      yield* FetchTransport.make().send(request(`${server.origin}/k`, { body: bytes(new Uint8Array(3)) }))
      const plain = ["host", "connection", "accept", "accept-language", "user-agent", "accept-encoding"]
      assert.deepStrictEqual(
        Object.keys(server.received[0]!.headers).filter((name) => !plain.includes(name)),
        ["sec-fetch-mode", "content-length"]
      )
      assert.strictEqual(server.received[0]!.headers["accept-encoding"], "identity")
    })
  )

  live("sends and reads header values as UTF-8", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start((_, response, received) => {
        response.writeHead(200, { "x-oss-meta-b": received.headers["x-oss-meta-a"] }).end()
      })
      const headers = { "x-oss-meta-a": "日本 é" }
      const answer = yield* FetchTransport.make().send(request(`${server.origin}/k`, { headers }))
      assert.strictEqual(answer.headers["x-oss-meta-b"], "日本 é")
      const raw = server.received[0]!.headers["x-oss-meta-a"]
      assert.strictEqual(Buffer.from(String(raw), "latin1").toString("utf8"), "日本 é")
    })
  )

  live("refuses a header that HTTP cannot carry, without telling its value", () =>
    Effect.gen(function* () {
      for (const headers of [{ "x-a": "sec\r\nret" }, { "bad name": "secret" }]) {
        const error = yield* refusal(request("http://127.0.0.1:9/k", { headers }))
        assert.deepStrictEqual([error.reason, error.sent], ["Connect", "nothing"])
        assert.notInclude(error.message, "ret")
      }
    })
  )

  live("calls a redirect that the browser hides an answer it cannot read", () =>
    Effect.gen(function* () {
      const hidden = Object.defineProperty(new Response(), "type", { value: "opaqueredirect" })
      const error = yield* refusal(request("http://h/k"), async () => hidden)
      assert.deepStrictEqual([error.reason, error.sent], ["BadResponse", "unknown"])
    })
  )

  live("keeps none of the text of an error, where it could quote the URL", () =>
    Effect.gen(function* () {
      const error = yield* refusal(request("http://h/k?signature=secret"), async () => {
        throw new TypeError("error sending request for url (http://h/k?signature=secret)")
      })
      assert.deepStrictEqual([error.reason, error.sent, error.cause], ["Reset", "unknown", undefined])
      assert.notInclude(error.message, "secret")
    })
  )

  it("works in a runtime that throws on settings of browsers, as workerd does", async () => {
    class Strict extends Request {
      constructor(input: RequestInfo | URL, init?: RequestInit) {
        if (init?.credentials !== undefined) throw new Error("The 'credentials' field is not implemented.")
        super(input, init)
      }
    }
    vi.resetModules()
    vi.stubGlobal("Request", Strict)
    const { init } = await import("../../../adapters/fetch/FetchHeaders.ts")
    const settings = [init(request("http://h/k")), init(request("http://h/k", { method: "GET" }))]
    vi.unstubAllGlobals()
    assert.deepStrictEqual(
      settings.map((one) => Object.keys(one)),
      [
        ["method", "headers"],
        ["method", "headers"]
      ]
    )
  })

  it("leaves cookies and the page's address at home", () => {
    const { cache, credentials, referrerPolicy } = init(request("http://h/k"))
    assert.deepStrictEqual([credentials, referrerPolicy, cache], ["omit", "no-referrer", undefined])
    assert.strictEqual(init(request("http://h/k", { method: "GET" })).cache, "no-store")
  })
})
