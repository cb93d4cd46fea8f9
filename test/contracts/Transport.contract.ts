/**
 * What the port `Transport` promises, as one suite over real sockets for every adapter.
 *
 * An adapter whose platform cannot keep a promise says so in `without`, so that its test file tells what it lacks.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { inspect } from "node:util"
import * as Crc64 from "../../core/model/Crc64.ts"
import { SourceError, TransportError } from "../../core/model/OssError.ts"
import { type Body, bytes, empty, type Request, Transport } from "../../core/ports/Transport.ts"
import * as TestServer from "../support/TestServer.ts"

/** Promises that need more than some platforms give. */
export type Hard =
  /** The path and query of the URL arrive as they stand. */
  | "raw target"
  /** The names of headers keep their case, and headers their order. */
  | "header order"
  /** A body in chunks is pulled as the network takes it, and no further when the request is over. */
  | "streaming"
  /** `onSent` rises piece by piece. */
  | "progress"
  /** An answer that comes before the body is sent is seen. */
  | "early answer"
  /** Connections are opened for requests only: Node's fetch opens one in place of any that was cut. */
  | "no spare connections"
  /** GET and DELETE without a body say no length: workerd says that it is 0, which does no harm. */
  | "no needless length"
  /** A redirect is an answer like any other: browsers show a page none. */
  | "redirects"
  /** What kept the answer away is told: browsers tell a page nothing. */
  | "causes"
  /** An answer that stops being HTTP after its head is told from one that was cut short. */
  | "broken answers"

const request = (url: string, more: Partial<Request> = {}): Request => ({
  method: "PUT",
  url,
  headers: {},
  body: empty,
  timeout: Duration.seconds(20),
  maxResponseBytes: 1024 * 1024,
  ...more
})

const send = (input: Request) => Effect.flatMap(Transport, (transport) => transport.send(input))

const failure = (input: Request): Effect.Effect<TransportError | SourceError, unknown, Transport> =>
  Effect.flip(send(input))

const pattern = (length: number): Uint8Array => {
  const content = new Uint8Array(length)
  for (let i = 0; i < length; i++) content[i] = i * 31 + (i >> 8)
  return content
}

/** A body in chunks of 64 KiB, with a record of what became of the iteration. */
const chunked = (content: Uint8Array, size = content.length) => {
  const seen = { pulled: 0, iterations: 0, closed: 0 }
  async function* chunks() {
    seen.iterations++
    try {
      for (let at = 0; at < content.length; at += 65536) {
        seen.pulled++
        yield content.subarray(at, at + 65536)
      }
    } finally {
      seen.closed++
    }
  }
  const body: Body = { _tag: "Chunks", size, chunks }
  return { body, seen }
}

/** Waits until a claim holds, for at most three seconds. Answers the milliseconds it took. */
const eventually = (claim: () => boolean): Effect.Effect<number> =>
  Effect.gen(function* () {
    const start = performance.now()
    while (!claim()) {
      if (performance.now() - start > 3000) return assert.fail(`did not come to hold within 3 s: ${claim.toString()}`)
      yield* Effect.sleep(2)
    }
    return performance.now() - start
  })

const incomplete = (server: TestServer.TestServer) => server.received.every(({ body }) => body === undefined)

const isTransportError = (
  error: TransportError | SourceError,
  expected: { readonly reason: TransportError["reason"]; readonly sent: TransportError["sent"] }
) => {
  assert.instanceOf(error, TransportError)
  assert.deepStrictEqual({ reason: error.reason, sent: error.sent }, expected)
}

export const transportContract = <E>(
  name: string,
  layer: Layer.Layer<Transport, E>,
  options: {
    readonly without?: ReadonlyArray<Hard>
    /** Over TLS, with the certificate of `test/support/Certificate.ts`, whose authority the layer must trust. */
    readonly tls?: boolean
  } = {}
): void => {
  const lacks = (promise: Hard): boolean => options.without?.includes(promise) === true
  const live = it.scopedLive
  const start = (handler?: TestServer.Handler) => TestServer.start(handler, { tls: options.tls === true })
  const closed = (server: TestServer.TestServer): boolean =>
    lacks("no spare connections")
      ? server.received.every(({ connection }) => !server.isOpen(connection))
      : server.open() === 0

  describe(`${name} keeps the contract of Transport:`, () => {
    describe("what is sent", () => {
      live.skipIf(lacks("raw target"))("the path and the query as they stand", () =>
        Effect.gen(function* () {
          const server = yield* start()
          yield* send(request(`${server.origin}/a/../b//%2e%2e?q=~'*+%20`))
          assert.strictEqual(server.received[0]?.target, "/a/../b//%2e%2e?q=~'*+%20")
        }).pipe(Effect.provide(layer))
      )

      live("the method and the headers", () =>
        Effect.gen(function* () {
          const server = yield* start()
          yield* send(request(`${server.origin}/k`, { method: "POST", headers: { "x-oss-meta-a": "1", date: "now" } }))
          const { headers, method } = server.received[0]!
          assert.strictEqual(method, "POST")
          assert.strictEqual(headers["x-oss-meta-a"], "1")
          assert.strictEqual(headers.host, `127.0.0.1:${server.port}`)
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("header order"))(
        "headers in their order and case, and none but Host, Content-Length, Connection",
        () =>
          Effect.gen(function* () {
            const server = yield* start()
            yield* send(request(`${server.origin}/k`, { headers: { "X-b": "2", "x-A": "1", date: "now" } }))
            assert.deepStrictEqual(
              server.received[0]?.rawHeaders.filter((_, i) => i % 2 === 0),
              ["Host", "X-b", "x-A", "date", "Content-Length", "Connection"]
            )
          }).pipe(Effect.provide(layer))
      )

      live("no header of its own that OSS would have to find signed", () =>
        Effect.gen(function* () {
          const server = yield* start()
          yield* send(request(`${server.origin}/k`, { body: bytes(pattern(10)) }))
          const names = Object.keys(server.received[0]!.headers)
          assert.deepStrictEqual(
            names.filter((name) => /^(x-oss-|content-(?!length)|date$|authorization$|expect$|transfer-)/.test(name)),
            []
          )
        }).pipe(Effect.provide(layer))
      )

      live("Content-Length 0 with an empty PUT and POST, none with GET and DELETE", () =>
        Effect.gen(function* () {
          const server = yield* start()
          for (const method of ["PUT", "POST", "GET", "DELETE"]) yield* send(request(`${server.origin}/k`, { method }))
          yield* send(request(`${server.origin}/k`, { body: bytes(new Uint8Array(0)) }))
          yield* send(request(`${server.origin}/k`, { body: chunked(new Uint8Array(0)).body }))
          const none = lacks("no needless length") ? server.received[3]?.headers["content-length"] : undefined
          assert.deepStrictEqual(
            server.received.map(({ headers }) => [headers["content-length"], headers["transfer-encoding"]]),
            [
              ["0", undefined],
              ["0", undefined],
              [undefined, undefined],
              [none, undefined],
              ["0", undefined],
              ["0", undefined]
            ]
          )
        }).pipe(Effect.provide(layer))
      )

      live("the bytes, small and large, with their Content-Length", () =>
        Effect.gen(function* () {
          const server = yield* start()
          for (const size of [1, 65_536, 1_048_576, 1_048_577, 3_000_001]) {
            const content = pattern(size)
            yield* send(request(`${server.origin}/k`, { body: bytes(content) }))
            yield* send(request(`${server.origin}/k`, { body: chunked(content).body }))
            for (const { body, headers } of server.received.slice(-2)) {
              assert.strictEqual(headers["content-length"], String(size))
              assert.strictEqual(headers["transfer-encoding"], undefined)
              assert.isTrue(body?.equals(content), `${size} bytes`)
            }
          }
        }).pipe(Effect.provide(layer))
      )

      live("bytes where Crc64 has them read, whole and in chunks, which are there afterwards", () =>
        Effect.gen(function* () {
          const server = yield* start()
          const content = pattern(3_000_001)
          const [lying] = Crc64.buffers(1, content.length)
          assert.ok(lying)
          lying.set(content)
          yield* send(request(`${server.origin}/k`, { body: bytes(lying) }))
          yield* send(request(`${server.origin}/k`, { body: chunked(lying).body }))
          assert.deepStrictEqual(
            server.received.map(({ body }) => body?.equals(content)),
            [true, true]
          )
          assert.isTrue(Buffer.from(content).equals(lying))
        }).pipe(Effect.provide(layer))
      )

      for (const [chunk, count] of [
        [1, 24],
        // More than the kernels hold, so that the last but one is still on its way when the last is given.
        [24, 1]
      ] as const) {
        live(`chunks of ${chunk} MiB whose memory is used again from the second next() on`, () =>
          Effect.gen(function* () {
            const server = yield* start((request, response, received) => {
              setTimeout(() => TestServer.answer(200)(request, response, received), 100)
            })
            const size = chunk * 1024 * 1024
            const content = pattern(count * size + 5)
            async function* chunks() {
              const buffers = [Buffer.alloc(size), Buffer.alloc(size)]
              for (let i = 0; i <= count; i++) {
                const part = content.subarray(i * size, (i + 1) * size)
                buffers[i % 2]!.fill(0xee).set(part)
                yield buffers[i % 2]!.subarray(0, part.length)
              }
              buffers[(count + 1) % 2]!.fill(0xee)
            }
            const body: Body = { _tag: "Chunks", size: content.length, chunks }
            yield* send(request(`${server.origin}/k`, { body }))
            assert.isTrue(server.received[0]?.body?.equals(content))
          }).pipe(Effect.provide(layer))
        )
      }

      live("empty chunks do no harm, not even at the end", () =>
        Effect.gen(function* () {
          const server = yield* start()
          const texts = ["", "abc", "", "", "def", "", "", ""]
          async function* chunks() {
            const buffers = [Buffer.alloc(3), Buffer.alloc(3)]
            for (const [i, text] of texts.entries()) {
              buffers[i % 2]!.fill("-")
              buffers[i % 2]!.write(text)
              yield buffers[i % 2]!.subarray(0, text.length)
            }
          }
          yield* send(request(`${server.origin}/k`, { body: { _tag: "Chunks", size: 6, chunks } }))
          assert.strictEqual(server.received[0]?.body?.toString(), "abcdef")
        }).pipe(Effect.provide(layer))
      )

      live("the chunks afresh with each attempt", () =>
        Effect.gen(function* () {
          const server = yield* start(TestServer.answer(503))
          const { body, seen } = chunked(pattern(200_000))
          yield* send(request(`${server.origin}/k`, { body }))
          yield* send(request(`${server.origin}/k`, { body }))
          assert.deepStrictEqual(
            server.received.map((one) => one.body?.length),
            [200_000, 200_000]
          )
          assert.strictEqual(seen.iterations, 2)
        }).pipe(Effect.provide(layer))
      )

      live("ten PUTs on one connection", () =>
        Effect.gen(function* () {
          const server = yield* start(TestServer.answer(200, {}, "stored"))
          for (let i = 0; i < 10; i++) yield* send(request(`${server.origin}/${i}`, { body: bytes(pattern(300_000)) }))
          assert.strictEqual(server.received.length, 10)
          assert.isAtMost(server.connections(), lacks("no spare connections") ? 2 : 1)
        }).pipe(Effect.provide(layer))
      )
    })

    describe("what comes back", () => {
      live("any status, 203 and 302 too, with lower-case headers and the body", () =>
        Effect.gen(function* () {
          for (const status of [200, 201, 203, 302, 403, 404, 500, 503]) {
            if (status === 302 && lacks("redirects")) continue
            const server = yield* start(
              TestServer.answer(status, { "X-Oss-Request-Id": "65A1", Location: "http://127.0.0.1:9/" }, "<Error/>")
            )
            const response = yield* send(request(`${server.origin}/k`))
            assert.strictEqual(response.status, status)
            assert.strictEqual(response.headers["x-oss-request-id"], "65A1")
            assert.strictEqual(Buffer.from(response.body).toString(), "<Error/>")
          }
        }).pipe(Effect.provide(layer))
      )

      live("an answer without a body: 204, 304, and any to HEAD", () =>
        Effect.gen(function* () {
          for (const [method, status] of [
            ["DELETE", 204],
            ["GET", 304]
          ] as const) {
            const server = yield* start(TestServer.answer(status))
            const response = yield* send(request(`${server.origin}/k`, { method }))
            assert.deepStrictEqual([response.status, response.body.length], [status, 0])
          }
          const server = yield* start((_, response) => response.writeHead(200, { "Content-Length": 5_000_000 }).end())
          const response = yield* send(request(`${server.origin}/k`, { method: "HEAD" }))
          assert.strictEqual(response.headers["content-length"], "5000000")
          assert.strictEqual(response.body.length, 0)
        }).pipe(Effect.provide(layer))
      )

      live("an answer in chunks, and one of exactly the longest length", () =>
        Effect.gen(function* () {
          const content = pattern(300_000)
          const server = yield* start((_, response) => {
            response.writeHead(200)
            response.write(content.subarray(0, 100_000))
            setTimeout(() => response.end(content.subarray(100_000)), 10)
          })
          const response = yield* send(request(`${server.origin}/k`, { maxResponseBytes: 300_000 }))
          assert.isTrue(Buffer.from(response.body).equals(content))
        }).pipe(Effect.provide(layer))
      )

      live("an answer that ends with its connection", () =>
        Effect.gen(function* () {
          const server = yield* start((_, response) => {
            response.socket?.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole", () =>
              setTimeout(() => response.socket?.end(), 10)
            )
          })
          const response = yield* send(request(`${server.origin}/k`))
          assert.strictEqual(Buffer.from(response.body).toString(), "whole")
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("causes"))("BadResponse for an answer that is not HTTP, at its head or within", () =>
        Effect.gen(function* () {
          for (const text of [
            "220 mail ready\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n"
          ]) {
            if (text.startsWith("HTTP") && lacks("broken answers")) continue
            const server = yield* start((_, response) => response.socket?.write(text))
            const error = yield* failure(request(`${server.origin}/k`))
            isTransportError(error, { reason: "BadResponse", sent: "unknown" })
          }
        }).pipe(Effect.provide(layer))
      )

      live("ResponseTooLong for a longer one, and the connection is closed", () =>
        Effect.gen(function* () {
          const server = yield* start((_, response) => {
            response.writeHead(200)
            response.write(pattern(1001))
          })
          const error = yield* failure(request(`${server.origin}/k`, { maxResponseBytes: 1000 }))
          isTransportError(error, { reason: "ResponseTooLong", sent: "unknown" })
          yield* eventually(() => closed(server))
        }).pipe(Effect.provide(layer))
      )

      live("Reset for an answer cut short", () =>
        Effect.gen(function* () {
          for (const headers of [{ "Content-Length": 100 }, {}]) {
            const server = yield* start((_, response) => {
              response.writeHead(200, headers)
              response.write("half", () => setTimeout(() => response.socket?.destroy(), 10))
            })
            isTransportError(yield* failure(request(`${server.origin}/k`)), { reason: "Reset", sent: "unknown" })
          }
        }).pipe(Effect.provide(layer))
      )

      live("Reset for a connection that ends without an answer", () =>
        Effect.gen(function* () {
          const server = yield* start((request) => request.socket.destroy())
          isTransportError(yield* failure(request(`${server.origin}/k`)), { reason: "Reset", sent: "unknown" })
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("causes"))("Connect, and nothing sent, where nobody listens", () =>
        Effect.gen(function* () {
          const origin = yield* Effect.scoped(Effect.map(start(), (server) => server.origin))
          const error = yield* failure(request(`${origin}/k`, { body: bytes(pattern(10)) }))
          isTransportError(error, { reason: "Connect", sent: "nothing" })
        }).pipe(Effect.provide(layer))
      )

      live("Timeout for a server that does not answer, and the connection is closed", () =>
        Effect.gen(function* () {
          const server = yield* start(() => {})
          const begin = performance.now()
          const error = yield* failure(request(`${server.origin}/k`, { timeout: Duration.millis(150) }))
          isTransportError(error, { reason: "Timeout", sent: "unknown" })
          assert.isBelow(performance.now() - begin, 3000)
          yield* eventually(() => closed(server))
        }).pipe(Effect.provide(layer))
      )

      live("Timeout for a server that takes for ever to take the body, and the iterator is closed", () =>
        Effect.gen(function* () {
          const server = yield* start(() => {})
          const { body, seen } = chunked(pattern(16 * 1024 * 1024))
          const error = yield* failure(request(`${server.origin}/k`, { body, timeout: Duration.seconds(1) }))
          isTransportError(error, { reason: "Timeout", sent: "unknown" })
          yield* eventually(() => seen.closed === 1)
        }).pipe(Effect.provide(layer))
      )

      live("Timeout for an answer that does not end", () =>
        Effect.gen(function* () {
          const server = yield* start((_, response) => response.writeHead(200).write("half"))
          const error = yield* failure(request(`${server.origin}/k`, { timeout: Duration.millis(150) }))
          isTransportError(error, { reason: "Timeout", sent: "unknown" })
        }).pipe(Effect.provide(layer))
      )

      live("errors that name host and port, never the path, the query or a header", () =>
        Effect.gen(function* () {
          const server = yield* start((request) => request.socket.destroy())
          const refused = yield* Effect.scoped(Effect.map(start(), ({ origin }) => origin))
          for (const origin of [server.origin, refused]) {
            const error = yield* failure(
              request(`${origin}/hidden-path?x-oss-signature=hidden-query`, {
                headers: { authorization: "hidden-header" }
              })
            )
            assert.instanceOf(error, TransportError)
            assert.include(error.message, new URL(origin).host)
            assert.notInclude(inspect(error, { depth: 20, showHidden: true }), "hidden")
          }
        }).pipe(Effect.provide(layer))
      )
    })

    describe("the body's own failures", () => {
      for (const [what, length, declared, found] of [
        ["short", 200_000, 300_000, "200000"],
        ["long", 300_001, 300_000, "more"],
        ["long by a whole chunk", 4 * 65_536 + 1, 4 * 65_536, "more"]
      ] as const) {
        live(`Changed for a body too ${what}, and the server never has a whole request`, () =>
          Effect.gen(function* () {
            const server = yield* start()
            const { body, seen } = chunked(pattern(length), declared)
            const error = yield* failure(request(`${server.origin}/k`, { body }))
            assert.instanceOf(error, SourceError)
            assert.strictEqual(error.reason, "Changed")
            assert.include(error.message, found)
            yield* eventually(() => seen.closed === 1 && closed(server))
            assert.isTrue(incomplete(server))
          }).pipe(Effect.provide(layer))
        )
      }

      live("the iterator's own SourceError, as it is", () =>
        Effect.gen(function* () {
          const server = yield* start()
          const broken = new SourceError({ reason: "Changed", source: "a.txt", detail: "shrank" })
          async function* chunks() {
            yield pattern(100_000)
            throw broken
          }
          const error = yield* failure(
            request(`${server.origin}/k`, { body: { _tag: "Chunks", size: 300_000, chunks } })
          )
          assert.strictEqual(error, broken)
          yield* eventually(() => closed(server))
          assert.isTrue(incomplete(server))
        }).pipe(Effect.provide(layer))
      )

      live("Read for anything else the iterator throws, at once or later", () =>
        Effect.gen(function* () {
          const server = yield* start()
          const broken = new Error("disk on fire")
          async function* later(): AsyncGenerator<Uint8Array> {
            yield pattern(100_000)
            throw broken
          }
          const atOnce = (): AsyncIterable<Uint8Array> => {
            throw broken
          }
          for (const chunks of [later, atOnce]) {
            const error = yield* failure(
              request(`${server.origin}/k`, { body: { _tag: "Chunks", size: 300_000, chunks } })
            )
            assert.instanceOf(error, SourceError)
            assert.strictEqual(error.reason, "Read")
            assert.strictEqual(error.cause, broken)
          }
        }).pipe(Effect.provide(layer))
      )
    })

    describe("while it is under way", () => {
      live("interruption closes the connection within 100 ms", () =>
        Effect.gen(function* () {
          const server = yield* start((request) => request.resume())
          const times: Array<number> = []
          for (let i = 1; i <= 5; i++) {
            const fiber = yield* Effect.fork(send(request(`${server.origin}/k`, { body: bytes(pattern(1024)) })))
            yield* eventually(() => server.received.length === i)
            yield* Fiber.interrupt(fiber)
            times.push(yield* eventually(() => closed(server)))
          }
          // The best of five, because the machine may be busy with something else.
          assert.isBelow(Math.min(...times), 100)
        }).pipe(Effect.provide(layer))
      )

      live("interruption in the middle of a body closes the connection too", () =>
        Effect.gen(function* () {
          const server = yield* start((request) => request.resume())
          const body = bytes(pattern(16 * 1024 * 1024))
          const fiber = yield* Effect.fork(send(request(`${server.origin}/k`, { body })))
          yield* eventually(() => server.received.length === 1)
          yield* Fiber.interrupt(fiber)
          yield* eventually(() => closed(server))
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("streaming"))("interruption stops the iterator", () =>
        Effect.gen(function* () {
          const server = yield* start(() => {})
          const { body, seen } = chunked(pattern(30 * 1024 * 1024))
          const fiber = yield* Effect.fork(send(request(`${server.origin}/k`, { body })))
          yield* eventually(() => server.received.length === 1 && seen.pulled > 1)
          yield* Fiber.interrupt(fiber)
          yield* eventually(() => seen.closed === 1)
          const { pulled } = seen
          yield* Effect.sleep(50)
          assert.strictEqual(seen.pulled, pulled)
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("streaming"))("a server that stops reading stops the iterator, until it reads on", () =>
        Effect.gen(function* () {
          let go: (() => void) | undefined
          const server = yield* start((request, response) => {
            go = () => request.resume()
            request.on("end", () => response.end())
          })
          const { body, seen } = chunked(pattern(64 * 1024 * 1024))
          const fiber = yield* Effect.fork(send(request(`${server.origin}/k`, { body })))
          yield* eventually(() => server.received.length === 1)
          yield* Effect.sleep(300)
          const stalled = seen.pulled
          // What the kernels hold on both sides is 3 to 6 MiB.
          assert.isBelow(stalled, 256, "16 MiB of 64 MiB")
          go?.()
          const response = yield* Fiber.join(fiber)
          assert.strictEqual(response.status, 200)
          assert.strictEqual(seen.pulled, 1024)
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("early answer"))("a refusal that comes early is seen, and nothing more is sent", () =>
        Effect.gen(function* () {
          const content = new Uint8Array(100 * 1024 * 1024)
          for (const manner of ["reads on", "reads on, answers slowly", "closes"]) {
            for (const kind of ["Bytes", "Chunks"]) {
              const server = yield* start((request, response) => {
                if (manner === "closes") setTimeout(() => response.socket?.destroy(), 50)
                response.writeHead(403, { "Content-Length": 8 })
                if (manner !== "reads on, answers slowly") return void response.end("<Error/>")
                request.resume()
                response.write("<Error")
                setTimeout(() => response.end("/>"), 300)
              })
              const { body, seen } = chunked(content)
              let sent = 0
              const response = yield* send(
                request(`${server.origin}/k`, {
                  body: kind === "Bytes" ? bytes(content) : body,
                  onSent: (bytes) => (sent = bytes)
                })
              )
              assert.strictEqual(response.status, 403)
              assert.strictEqual(Buffer.from(response.body).toString(), "<Error/>")
              assert.isBelow(sent, 16 * 1024 * 1024)
              if (kind === "Chunks") yield* eventually(() => seen.closed === 1)
              yield* eventually(() => closed(server))
            }
          }
        }).pipe(Effect.provide(layer))
      )

      live("progress ends at the exact size", () =>
        Effect.gen(function* () {
          const server = yield* start()
          for (const size of [1, 1_048_576, 3_000_001]) {
            for (const body of [bytes(pattern(size)), chunked(pattern(size)).body]) {
              const sent: Array<number> = []
              yield* send(request(`${server.origin}/k`, { body, onSent: (bytes) => sent.push(bytes) }))
              assert.strictEqual(sent.at(-1), size)
              assert.isTrue(
                sent.every((bytes, i) => i === 0 || bytes > sent[i - 1]!),
                String(sent)
              )
            }
          }
        }).pipe(Effect.provide(layer))
      )

      live.skipIf(lacks("progress"))("progress tells of pieces of at most 4 MiB, and stops with the request", () =>
        Effect.gen(function* () {
          const server = yield* start()
          const sent: Array<number> = []
          const body = bytes(pattern(15_000_000))
          yield* send(request(`${server.origin}/k`, { body, onSent: (bytes) => sent.push(bytes) }))
          assert.isTrue(
            sent.every((bytes, i) => bytes - (sent[i - 1] ?? 0) <= 4 * 1024 * 1024),
            String(sent)
          )

          const stalled = yield* start(() => {})
          const late: Array<number> = []
          const result = yield* Effect.either(
            send(
              request(`${stalled.origin}/k`, {
                body: bytes(pattern(30 * 1024 * 1024)),
                timeout: Duration.millis(150),
                onSent: (bytes) => late.push(bytes)
              })
            )
          )
          assert.isTrue(Either.isLeft(result))
          const { length } = late
          yield* Effect.sleep(50)
          assert.strictEqual(late.length, length)
        }).pipe(Effect.provide(layer))
      )

      live("many requests at once do not mix", () =>
        Effect.gen(function* () {
          const server = yield* start((request, response, received) =>
            TestServer.answer(200, {}, received.target)(request, response, received)
          )
          const answers = yield* Effect.forEach(
            Array.from({ length: 50 }, (_, i) => `/${i}`),
            (path) =>
              Effect.map(send(request(server.origin + path, { body: bytes(pattern(10_000)) })), ({ body }) => [
                path,
                Buffer.from(body).toString()
              ]),
            { concurrency: 10 }
          )
          assert.isTrue(answers.every(([path, echo]) => path === echo))
        }).pipe(Effect.provide(layer))
      )
    })
  })
}
