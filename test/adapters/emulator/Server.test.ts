/**
 * The emulator's socket, byte by byte: what node:http would hide, normalise or answer by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import { readHeaders } from "../../../adapters/emulator/Server.ts"

interface Connection {
  readonly write: (text: string | Uint8Array) => void
  readonly end: () => void
  /** All that has come, once it fits. */
  readonly until: (pattern: RegExp) => Promise<string>
  /** All that has come, once the server has closed. */
  readonly closed: Promise<string>
}

const connect = (endpoint: string): Connection => {
  const { hostname, port } = new URL(endpoint)
  const socket = Net.connect(Number(port), hostname)
  let seen = ""
  const waiting = new Set<() => void>()
  socket.setEncoding("latin1")
  socket.on("data", (text: string) => {
    seen += text
    for (const look of waiting) look()
  })
  socket.on("error", () => {})
  return {
    write: (text) => socket.write(text),
    end: () => socket.end(),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${pattern} in ${JSON.stringify(seen)}`)), 5000)
        const look = () => {
          if (!pattern.test(seen)) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(seen)
        }
        waiting.add(look)
        look()
      }),
    closed: new Promise((resolve) => {
      socket.on("close", () => resolve(seen))
    })
  }
}

/** One request on a connection of its own; the whole answer. */
const exchange = (oss: OssEmulator.Service, text: string): Effect.Effect<string> =>
  Effect.promise(() => {
    const connection = connect(oss.endpoint)
    connection.write(text)
    return connection.until(/\r\n\r\n/)
  })

const open = OssEmulator.make({ bucket: "open-bucket", acl: "public-read-write", limits: { maxBody: 1024 * 1024 } })

const test = (name: string, body: (oss: OssEmulator.Service) => Effect.Effect<unknown>) =>
  it.live(name, () => Effect.scoped(Effect.flatMap(open, body)))

const stored = (oss: OssEmulator.Service, key: string) =>
  Effect.map(
    oss.object(key),
    Option.map((bytes) => Buffer.from(bytes).toString())
  )

const status = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

const expecting = (key: string, more = "") =>
  `PUT /open-bucket/${key} HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n${more}\r\n`

const chunked = (key: string) =>
  `PUT /open-bucket/${key} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`

describe("Server", () => {
  test("takes chunked bodies, empty ones too", (oss) =>
    Effect.gen(function* () {
      assert.strictEqual(
        status(yield* exchange(oss, `${chunked("chunks")}5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n`)),
        200
      )
      assert.deepStrictEqual(yield* stored(oss, "chunks"), Option.some("hello world"))
      assert.strictEqual(status(yield* exchange(oss, `${chunked("none")}0\r\n\r\n`)), 200)
      assert.deepStrictEqual(yield* stored(oss, "none"), Option.some(""))
    }))

  test("takes requests of HTTP/1.0, without a Host, and closes after them", (oss) =>
    Effect.gen(function* () {
      const connection = connect(oss.endpoint)
      connection.write("PUT /open-bucket/old HTTP/1.0\r\nContent-Length: 3\r\n\r\nold")
      assert.match(yield* Effect.promise(() => connection.closed), /^HTTP\/1\.1 200 OK\r\n/)
      assert.deepStrictEqual(yield* stored(oss, "old"), Option.some("old"))
    }))

  test("takes absolute targets, as clients send them to a proxy, and refuses to be a tunnel", (oss) =>
    Effect.gen(function* () {
      const url = "http://open-bucket.oss-cn-hangzhou.aliyuncs.com/a/../b//%2e%2e?x-oss-process=&y"
      const refused = yield* exchange(oss, `GET ${url} HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\n\r\n`)
      assert.match(refused, /NotImplemented/)
      const put = `PUT ${url.split("?")[0]} HTTP/1.1\r\nHost: other\r\nContent-Length: 1\r\n\r\nx`
      assert.strictEqual(status(yield* exchange(oss, put)), 200)
      assert.deepStrictEqual(yield* stored(oss, "a/../b//.."), Option.some("x"))
      const tunnel = connect(oss.endpoint)
      tunnel.write("CONNECT open-bucket.oss-cn-hangzhou.aliyuncs.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
      assert.strictEqual(status(yield* Effect.promise(() => tunnel.closed)), 405)
    }))

  test("reads UTF-8 in headers, and writes it", (oss) =>
    Effect.gen(function* () {
      const text =
        "PUT /open-bucket/%C3%A4%E2%82%AC HTTP/1.1\r\nHost: 127.0.0.1\r\nx-oss-meta-a:  ü ü \t\r\nContent-Length: 1\r\n\r\nx"
      assert.strictEqual(status(yield* exchange(oss, text)), 200)
      const [object] = yield* oss.objects()
      assert.deepStrictEqual([object?.key, object?.meta], ["ä€", { a: "ü ü" }])
      const head = yield* exchange(oss, "HEAD /open-bucket/%C3%A4%E2%82%AC HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      assert.include(Buffer.from(head, "latin1").toString(), "\r\nx-oss-meta-a: ü ü\r\n")
    }))

  test("says 100 Continue only when the request is welcome", (oss) =>
    Effect.gen(function* () {
      const welcome = connect(oss.endpoint)
      welcome.write(expecting("welcome"))
      yield* Effect.promise(() => welcome.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/))
      welcome.write("hello")
      yield* Effect.promise(() => welcome.until(/HTTP\/1\.1 200 OK\r\n/))
      const unwelcome = connect(oss.endpoint)
      unwelcome.write(expecting("unwelcome", "Authorization: OSS4-HMAC-SHA256 x\r\n"))
      const answer = yield* Effect.promise(() => unwelcome.closed)
      assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
      assert.match(answer, /\r\nConnection: close\r\n/i)
      assert.deepStrictEqual(yield* stored(oss, "unwelcome"), Option.none())
    }))

  test("stores nothing of a body that breaks off, or has no length", (oss) =>
    Effect.gen(function* () {
      const short = connect(oss.endpoint)
      short.write("PUT /open-bucket/short HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhello")
      yield* Effect.sleep("50 millis")
      short.end()
      yield* Effect.promise(() => short.closed)
      assert.deepStrictEqual(yield* stored(oss, "short"), Option.none())
      const lengthless = yield* exchange(oss, "PUT /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      assert.strictEqual(status(lengthless), 411)
      assert.match(lengthless, /MissingContentLength/)
    }))

  test("ends a body where its length says", (oss) =>
    Effect.gen(function* () {
      const two = "PUT /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"
      const connection = connect(oss.endpoint)
      connection.write(`${two}GET /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
      yield* Effect.promise(() => connection.until(/200 OK[^]*200 OK[^]*\r\n\r\nhello$/))
    }))

  test("keeps the connection after a refusal that came before the body was read", (oss) =>
    Effect.gen(function* () {
      const connection = connect(oss.endpoint)
      connection.write("PUT /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000\r\n\r\n")
      yield* Effect.promise(() => connection.until(/400 Bad Request[^]*EntityTooLarge[^]*<\/Error>$/))
      connection.write(new Uint8Array(2_000_000))
      connection.write("GET /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      yield* Effect.promise(() => connection.until(/404 Not Found/))
    }))

  test("answers what is no HTTP with 400, and goes on", (oss) =>
    Effect.gen(function* () {
      for (const garbage of [
        "rubbish\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"
      ]) {
        const connection = connect(oss.endpoint)
        connection.write(garbage)
        assert.strictEqual(status(yield* Effect.promise(() => connection.closed)), 400)
      }
      const long = connect(oss.endpoint)
      long.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(100_000)}\r\n\r\n`)
      assert.strictEqual(status(yield* Effect.promise(() => long.closed)), 431)
      assert.strictEqual(status(yield* exchange(oss, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")), 403)
    }))

  test("never compresses", (oss) =>
    Effect.gen(function* () {
      const body = "a".repeat(4096)
      yield* exchange(
        oss,
        `PUT /open-bucket/text HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 4096\r\n\r\n${body}`
      )
      const answer = yield* exchange(
        oss,
        "GET /open-bucket/text HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
      )
      assert.match(answer, /\r\nContent-Length: 4096\r\n/)
      assert.notMatch(answer, /content-encoding/i)
    }))

  test("stores nothing when the client resets in the midst of a form", (oss) =>
    Effect.gen(function* () {
      const connection = connect(oss.endpoint)
      const form =
        '--B\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nhel'
      const head = "POST /open-bucket/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=B\r\n"
      connection.write(`${head}Content-Length: 1000\r\n\r\n${form}`)
      yield* Effect.sleep("50 millis")
      connection.end()
      yield* Effect.promise(() => connection.closed)
      assert.deepStrictEqual(yield* stored(oss, "k"), Option.none())
    }))

  it.live("stops within its grace time, though requests hang", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const oss = yield* Scope.extend(
        OssEmulator.make({ bucket: "open-bucket", acl: "public-read-write", graceMillis: 200 }),
        scope
      )
      yield* oss.inject({ fault: "stall" })
      const stalled = connect(oss.endpoint)
      stalled.write("GET /open-bucket/k HTTP/1.1\r\nHost: a\r\n\r\n")
      const idle = connect(oss.endpoint)
      const sending = connect(oss.endpoint)
      sending.write("PUT /open-bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhello")
      yield* Effect.sleep("50 millis")
      const began = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - began, 2000)
      for (const { closed } of [stalled, idle, sending]) yield* Effect.promise(() => closed)
    })
  )

  it.live("dies when its port is taken", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const oss = yield* OssEmulator.make()
        const exit = yield* Effect.exit(OssEmulator.make({ port: Number(new URL(oss.endpoint).port) }))
        assert.isTrue(Exit.isFailure(exit))
      })
    )
  )

  it("reads headers: names in lower case, blanks at the ends gone, twice joined, single ones once", () => {
    const raw = ["X-OSS-Meta-A", " 1\t", "x-oss-meta-a", "2", "Host", "a", "host", "b", "__proto__", "x"]
    assert.deepStrictEqual(Object.entries(readHeaders(raw)), [
      ["x-oss-meta-a", "1,2"],
      ["host", "a"],
      ["__proto__", "x"]
    ])
  })
})
