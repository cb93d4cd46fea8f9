/** NodeTransport: the contract of its port, plain and over TLS, and what is its own: agents, limits, unreadable requests. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Worker } from "node:worker_threads"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import { SourceError, TransportError } from "../../../core/model/OssError.ts"
import { bytes, empty, type Request, type Service } from "../../../core/ports/Transport.ts"
import * as AtOnce from "../../../core/programs/atOnce.ts"
import { transportContract } from "../../contracts/Transport.contract.ts"
import * as Certificate from "../../support/Certificate.ts"
import * as TestServer from "../../support/TestServer.ts"

transportContract("NodeTransport", NodeTransport.layer())
transportContract("NodeTransport over TLS", NodeTransport.layer({ ca: Certificate.authority }), { tls: true })

const request = (url: string, more: Partial<Request> = {}): Request => ({
  method: "PUT",
  url,
  headers: {},
  body: empty,
  timeout: Duration.seconds(20),
  maxResponseBytes: 1024 * 1024,
  ...more
})

const refusal = (transport: Service, input: Request) =>
  Effect.map(Effect.flip(transport.send(input)), (error) => {
    assert.instanceOf(error, TransportError)
    return { reason: error.reason, sent: error.sent, message: error.message }
  })

/** Six at once. */
const six = (transport: Service, input: Request) =>
  Effect.all(
    Array.from({ length: 6 }, () => Effect.either(transport.send(input))),
    { concurrency: "unbounded" }
  )

// Answers once the head has come, at once or within 3 ms, and closes with the body unread: the kernel resets what still comes.
const rudeServer = `
  let count = 0
  const server = require("node:net").createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", () => {
      socket.pause()
      const answer = () => {
        socket.end("HTTP/1.1 403 Forbidden\\r\\nContent-Length: 8\\r\\nConnection: close\\r\\n\\r\\n<Error/>")
        setTimeout(() => socket.destroy(), 0)
      }
      if (count++ % 2 === 0) answer()
      else setTimeout(answer, (count % 12) / 4)
    })
  })
  server.listen(0, "127.0.0.1", () => require("node:worker_threads").parentPort.postMessage(server.address().port))
`

/** The port of a server that takes connections, but never says a word. */
const silentServer = Effect.acquireRelease(
  Effect.async<Net.Server>((resume) => {
    const server = Net.createServer((socket) => void socket.on("error", () => {}).resume())
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.async<void>((done) => void server.close(() => done(Effect.void)))
).pipe(
  Effect.map((server) => {
    const address = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })
)

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length

// Not through DNS, which may be slow to say no where there is no network.
const resolvesNothing: Net.LookupFunction = (_, __, callback) =>
  callback(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }), "")

describe("NodeTransport", () => {
  const live = it.scopedLive

  live("trusts a private authority only if told to, and sends nothing otherwise", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start(undefined, { tls: true })
      const transport = yield* NodeTransport.make()
      const { reason, sent } = yield* refusal(
        transport,
        request(`${server.origin}/k`, { body: bytes(Buffer.from("a")) })
      )
      assert.deepStrictEqual([reason, sent, server.received.length], ["Connect", "nothing", 0])
    })
  )

  live("says Read where an iterator written without types gives what are no bytes", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make()
      for (const given of [undefined, 7, { length: 5 }]) {
        async function* chunks(): AsyncGenerator<Uint8Array> {
          yield given as unknown as Uint8Array // that is the case
        }
        const error = yield* Effect.flip(
          transport.send(request(`${server.origin}/k`, { body: { _tag: "Chunks", size: 300_000, chunks } }))
        )
        assert.instanceOf(error, SourceError)
        assert.strictEqual(error.reason, "Read")
      }
    })
  )

  live("checks the name in the certificate", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start(undefined, { tls: true })
      const httpsAgent = new Https.Agent({ ca: Certificate.authority, servername: "oss.example.com" })
      const transport = yield* NodeTransport.make({ httpsAgent })
      const { message, reason, sent } = yield* refusal(transport, request(`${server.origin}/k`))
      assert.deepStrictEqual([reason, sent], ["Connect", "nothing"])
      assert.include(message, "altnames")
    })
  )

  live("uses the user's own agents, and leaves them alone at the end", () =>
    Effect.gen(function* () {
      const plain = yield* TestServer.start()
      const secure = yield* TestServer.start(undefined, { tls: true })
      const httpAgent = new Http.Agent({ keepAlive: true })
      const httpsAgent = new Https.Agent({ keepAlive: true, ca: Certificate.authority })
      const send = (server: TestServer.TestServer) =>
        Effect.scoped(
          Effect.flatMap(NodeTransport.make({ httpAgent, httpsAgent }), (transport) =>
            transport.send(request(`${server.origin}/k`))
          )
        )
      for (const server of [plain, plain, secure, secure]) yield* send(server)
      assert.deepStrictEqual([plain.connections(), secure.connections()], [1, 1])
      httpAgent.destroy()
      httpsAgent.destroy()
    })
  )

  live("sends one request after the other on one connection, however they are chained", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make()
      let left = 10
      const body = () => transport.send(request(`${server.origin}/k`, { body: bytes(Buffer.from("a")) }))
      yield* AtOnce.whileLoop({ while: () => left > 0, body, step: () => void left-- })
      for (let i = 0; i < 10; i++) yield* body()
      assert.deepStrictEqual([server.received.length, server.connections()], [20, 1])
    })
  )

  live("closes its own connections with the scope", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const scope = yield* Scope.make()
      const transport = yield* Scope.extend(NodeTransport.make(), scope)
      yield* transport.send(request(`${server.origin}/k`))
      assert.strictEqual(server.open(), 1)
      yield* Scope.close(scope, Exit.void)
      yield* Effect.sleep(50)
      assert.strictEqual(server.open(), 0)
    })
  )

  live("closes a connection that was not used for the idle time", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make({ idleTimeout: "100 millis" })
      yield* transport.send(request(`${server.origin}/k`))
      assert.strictEqual(server.open(), 1)
      yield* Effect.sleep(250)
      assert.strictEqual(server.open(), 0)
    })
  )

  live("counts the idle time of each connection, and anew after every use", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start((_, response) => void setTimeout(() => response.end(), 20))
      const transport = yield* NodeTransport.make({ idleTimeout: "300 millis" })
      yield* six(transport, request(`${server.origin}/k`))
      const [all, open] = [server.connections(), [server.open()]]
      for (let i = 0; i < 3; i++) {
        yield* Effect.sleep(180)
        yield* transport.send(request(`${server.origin}/k`))
        open.push(server.open())
      }
      yield* Effect.sleep(400)
      assert.deepStrictEqual([all, server.connections(), open, server.open()], [6, 6, [6, 6, 1, 1], 0])
    })
  )

  /** A server that says for how many seconds it keeps connections. */
  const announcing = (seconds: number) =>
    TestServer.start((_, response) => {
      response.setHeader("keep-alive", `timeout=${seconds}`)
      response.end()
    })

  live("closes a connection a second before its server does, if that says when", () =>
    Effect.gen(function* () {
      const server = yield* announcing(2)
      const transport = yield* NodeTransport.make()
      const open: Array<number> = []
      yield* transport.send(request(`${server.origin}/k`))
      for (const millis of [700, 600]) {
        yield* Effect.sleep(millis)
        open.push(server.open())
      }
      assert.deepStrictEqual(open, [1, 0])
    })
  )

  live("uses no connection again whose server keeps it for a second", () =>
    Effect.gen(function* () {
      const server = yield* announcing(1)
      const transport = yield* NodeTransport.make()
      for (let i = 0; i < 3; i++) yield* transport.send(request(`${server.origin}/k`))
      assert.strictEqual(server.connections(), 3)
    })
  )

  live("does not cut an exchange that is silent for longer than the idle time", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start((_, response) => void setTimeout(() => response.end("late"), 300))
      const transport = yield* NodeTransport.make({ idleTimeout: "100 millis" })
      const response = yield* transport.send(request(`${server.origin}/k`))
      assert.strictEqual(Buffer.from(response.body).toString(), "late")
    })
  )

  live("opens at most maxSockets connections, and counts the wait for one as time", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start((_, response) => void setTimeout(() => response.end(), 20))
      const transport = yield* NodeTransport.make({ maxSockets: 2 })
      yield* six(transport, request(`${server.origin}/k`))
      assert.deepStrictEqual([server.received.length, server.connections()], [6, 2])

      const stalled = yield* TestServer.start(() => {})
      const others = yield* Effect.fork(six(transport, request(`${stalled.origin}/k`)))
      yield* Effect.sleep(100)
      const late = yield* refusal(transport, request(`${stalled.origin}/k`, { timeout: Duration.millis(100) }))
      assert.deepStrictEqual([late.reason, late.sent, stalled.connections()], ["Timeout", "nothing", 2])
      yield* Fiber.interrupt(others)
    })
  )

  live("gives up connecting after connectTimeout, with nothing sent", () =>
    Effect.gen(function* () {
      const port = yield* silentServer
      const transport = yield* NodeTransport.make({ connectTimeout: "100 millis" })
      const { message, reason, sent } = yield* refusal(transport, request(`https://127.0.0.1:${port}/k`))
      assert.deepStrictEqual([reason, sent], ["Connect", "nothing"])
      assert.include(message, "no connection within 100ms")
    })
  )

  live("waits for TLS on a connection that an agent made, as proxies' agents do", () =>
    Effect.gen(function* () {
      const port = yield* silentServer
      class Tunnel extends Https.Agent {
        override createConnection(_: Net.NetConnectOpts, done?: (error: Error | null, socket: Net.Socket) => void) {
          const socket = Net.connect(port, "127.0.0.1", () => done?.(null, Tls.connect({ socket })))
          return undefined
        }
      }
      const transport = yield* NodeTransport.make({ httpsAgent: new Tunnel(), connectTimeout: "100 millis" })
      const { reason, sent } = yield* refusal(transport, request("https://oss.invalid/k"))
      assert.deepStrictEqual([reason, sent], ["Connect", "nothing"])
    })
  )

  live("sees the refusal of a server that answers early and closes at once, also when writing fails first", () =>
    Effect.gen(function* () {
      // In a thread of its own: in ours, it would always act between our looking for an answer and our writing.
      const server = yield* Effect.acquireRelease(
        Effect.async<{ readonly worker: Worker; readonly port: number }>((resume) => {
          const worker = new Worker(rudeServer, { eval: true })
          worker.once("message", (port: number) => resume(Effect.succeed({ worker, port })))
        }),
        ({ worker }) => Effect.promise(() => worker.terminate())
      )
      const transport = yield* NodeTransport.make()
      const body = bytes(new Uint8Array(4 * 1024 * 1024))
      const attempt = Effect.either(transport.send(request(`http://127.0.0.1:${server.port}/k`, { body })))
      const outcomes = yield* Effect.all(
        Array.from({ length: 500 }, () => attempt),
        { concurrency: 2 }
      )
      const missed = outcomes.filter((outcome) => outcome._tag === "Left" || outcome.right.status !== 403)
      // Without EarlyAnswer, 5 to 10 of 500 end with "write EPIPE".
      assert.deepStrictEqual(missed, [])
    })
  )

  live("cuts a body into small pieces on a slow line", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start((incoming, response) => {
        // 10 MiB/s, in steps of 100 ms: half of what it takes for pieces to grow.
        const allowance = 1024 * 1024
        let left = allowance
        incoming.on("data", (chunk: Buffer) => {
          if ((left -= chunk.length) > 0) return
          incoming.pause()
          setTimeout(() => {
            left += allowance
            incoming.resume()
          }, 100)
        })
        incoming.on("end", () => response.end())
      })
      const transport = yield* NodeTransport.make()
      const sent: Array<number> = []
      const body = bytes(new Uint8Array(24 * 1024 * 1024))
      yield* transport.send(request(`${server.origin}/k`, { body, onSent: (bytes) => sent.push(bytes) }))
      const pieces = sent.map((bytes, i) => bytes - (sent[i - 1] ?? 0))
      // The first ones go into the system's buffers, and are quick.
      assert.isTrue(pieces.slice(4, -1).includes(1024 * 1024), String(pieces))
      assert.isAtLeast(pieces.filter((piece) => piece <= 2 * 1024 * 1024).length, 6, String(pieces))
    })
  )

  live("leaves no timer behind", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make()
      yield* transport.send(request(`${server.origin}/warm`))
      const before = timers()
      for (let i = 0; i < 5; i++) yield* transport.send(request(`${server.origin}/k`))
      assert.isAtMost(timers(), before)
    })
  )

  live("says whether the connection was lost before the answer or within it", () =>
    Effect.gen(function* () {
      const transport = yield* NodeTransport.make()
      const before = yield* TestServer.start((request) => request.socket.destroy())
      assert.include((yield* refusal(transport, request(`${before.origin}/k`))).message, "lost before the answer")
      const within = yield* TestServer.start((_, response) => {
        response.writeHead(200)
        response.write("half", () => setTimeout(() => response.socket?.resetAndDestroy(), 50))
      })
      // With the second body there is still something to write, and Node reports the broken writing first.
      for (const size of [0, 30 * 1024 * 1024]) {
        const error = yield* refusal(transport, request(`${within.origin}/k`, { body: bytes(new Uint8Array(size)) }))
        assert.include(error.message, "lost within the answer")
      }
    })
  )

  live("sends nothing to a name that does not resolve", () =>
    Effect.gen(function* () {
      const transport = yield* NodeTransport.make({ httpAgent: new Http.Agent({ lookup: resolvesNothing }) })
      const { message, reason, sent } = yield* refusal(transport, request("http://media.oss.invalid/k"))
      assert.deepStrictEqual([reason, sent], ["Connect", "nothing"])
      assert.include(message, "media.oss.invalid:80: cannot connect: getaddrinfo ENOTFOUND")
    })
  )

  live("keeps a Host header given, and corrects a Content-Length given", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make()
      const headers = { host: "media.oss-cn-hangzhou.aliyuncs.com", "content-length": "7" }
      yield* transport.send(request(`${server.origin}/k`, { headers, body: bytes(Buffer.from("abc")) }))
      assert.deepStrictEqual(server.received[0]?.rawHeaders.slice(0, 4), [
        "host",
        "media.oss-cn-hangzhou.aliyuncs.com",
        "Content-Length",
        "3"
      ])
      yield* transport.send(request(`${server.origin}/k`, { headers, method: "GET" }))
      assert.strictEqual(server.received[1]?.headers["content-length"], undefined)
    })
  )

  live("reaches an address of IP version 6", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const createConnection = (options: Net.TcpNetConnectOpts): Net.Socket => {
        seen.push(`${options.host} ${options.port}`)
        throw new Error("seen")
      }
      const transport = yield* NodeTransport.make({ httpAgent: Object.assign(new Http.Agent(), { createConnection }) })
      yield* Effect.either(transport.send(request("http://[::1]:8080/k")))
      yield* Effect.either(transport.send(request("http://[::1]")))
      assert.deepStrictEqual(seen, ["::1 8080", "::1 80"])
    })
  )

  for (const url of [
    "ftp://h/k",
    "h/k",
    "http:///k",
    "http://user:secret@h/k",
    "http://h/hidden#secret",
    "http://h/hidden secret",
    "http://h/hidden\r\nsecret",
    "http://h/hidden-é-secret",
    "http://h:secret/k"
  ]) {
    live(`refuses the URL ${JSON.stringify(url)} without telling it`, () =>
      Effect.gen(function* () {
        const transport = yield* NodeTransport.make()
        const { message, reason, sent } = yield* refusal(transport, request(url))
        assert.deepStrictEqual([reason, sent], ["Connect", "nothing"])
        assert.include(message, "the URL must be http(s)://host[:port]/path")
        assert.notMatch(message, /hidden|secret/)
      })
    )
  }

  live("refuses a header or a method that HTTP cannot carry, without telling its value", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start()
      const transport = yield* NodeTransport.make()
      for (const more of [
        { headers: { "x-oss-meta-a": "sec\r\nret" } },
        { headers: { "bad name": "sec ret" } },
        { method: "P T" }
      ]) {
        const { message, reason, sent } = yield* refusal(transport, request(`${server.origin}/k`, more))
        assert.deepStrictEqual([reason, sent, server.received.length], ["Connect", "nothing", 0])
        assert.notInclude(message, "ret")
      }
    })
  )
})
