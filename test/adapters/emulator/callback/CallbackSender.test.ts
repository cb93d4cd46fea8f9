/**
 * Callbacks over real sockets of the loopback: what is on the wire, and what becomes of every kind of answer.
 *
 * The messages and ECs are those of Alibaba's pages; see the sources in adapters/emulator/callback/Outcome.ts.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import { createServer, type AddressInfo } from "node:net"
import type * as CallbackSender from "../../../../adapters/emulator/callback/CallbackSender.ts"
import type { Outcome } from "../../../../adapters/emulator/callback/Outcome.ts"
import * as TestServer from "../../../support/TestServer.ts"
import { cannotConnect, deliver, facts, failed, keys, ok, publicKeyUrl, sender, withServer } from "./Delivering.ts"

const outcomeOf = (handler: TestServer.Handler, options: Partial<CallbackSender.Options> = {}): Promise<Outcome> =>
  withServer(handler, (server) => deliver({ callbackUrl: server.origin }, options))

/** A server that answers any request with these bytes, and closes. */
const rawServer = (answer: string): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ port: number; close: () => void }>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => socket.end(answer))
      })
      server.listen(0, "127.0.0.1", () => {
        // A server that listens on a port has such an address.
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ port, close: () => server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ port }) => port))

const rawOutcome = (answer: string): Promise<Outcome> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(rawServer(answer), (port) => deliver({ callbackUrl: `http://127.0.0.1:${port}/cb` })))
  )

/** A port that nobody listens on. */
const closedPort = Effect.scoped(rawServer(""))

describe("the request", () => {
  it("has OSS's headers, and a signature that the public key verifies", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        const outcome = yield* deliver({
          callbackUrl: `${server.origin}/cb/%E4%B8%AD/a+b?id=1&name=%E4%B8%AD`,
          callbackBody: '{"object":${object},"size":${size},"crc64":${crc64},"vpc":${vpcId},"undefined":${x:no}}',
          callbackBodyType: "application/json"
        })
        expect(outcome).toEqual({
          _tag: "Answered",
          body: new Uint8Array(Buffer.from('{"Status":"OK"}')),
          contentType: "application/json"
        })
        const [request] = server.received
        const body = '{"object":"videos/holiday.mp4","size":5,"crc64":11051210869376104954,"vpc":null,"undefined":null}'
        expect(request?.body?.toString()).toBe(body)
        expect(request?.method).toBe("POST")
        expect(request?.target).toBe("/cb/%E4%B8%AD/a+b?id=1&name=%E4%B8%AD")
        const signature = request?.headers.authorization ?? ""
        expect(request?.rawHeaders).toEqual(
          [
            ["Host", `127.0.0.1:${server.port}`],
            ["Connection", "close"],
            ["Content-Length", String(body.length)],
            ["Authorization", signature],
            ["Content-MD5", NodeCrypto.createHash("md5").update(body).digest("base64")],
            ["Content-Type", "application/json"],
            ["Date", "Tue, 02 Jan 2024 03:04:05 GMT"],
            ["User-Agent", "aliyun-oss-callback"],
            ["x-oss-additional-headers", ""],
            ["x-oss-bucket", "examplebucket"],
            ["x-oss-owner", "1000000000000001"],
            ["x-oss-pub-key-url", Buffer.from(publicKeyUrl).toString("base64")],
            ["x-oss-request-id", "65A1B2C3D4E5F60718293A4B"],
            ["x-oss-requester", "1000000000000001"],
            ["x-oss-signature-version", "1.0"],
            ["x-oss-tag", "CALLBACK"],
            ["eagleeye-rpcid", "0.1"]
          ].flat()
        )
        expect(Buffer.from(signature, "base64").length).toBe(64)
        const signed = `/cb/中/a+b?id=1&name=%E4%B8%AD\n${body}`
        expect(NodeCrypto.verify("md5", Buffer.from(signed), keys.publicKeyPem, Buffer.from(signature, "base64"))).toBe(
          true
        )
      })
    ))

  it("is urlencoded by default, and asks for / when the URL names no path", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        yield* deliver({
          callbackUrl: `127.0.0.1:${server.port}`,
          callbackBody: "key=${object}&height=${imageInfo.height}&op=${operation}"
        })
        expect(server.received[0]?.target).toBe("/")
        expect(server.received[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded")
        expect(server.received[0]?.body?.toString()).toBe("key=videos%2Fholiday.mp4&height=&op=PutObject")
      })
    ))

  it("bears callbackHost as its Host, and still goes to callbackUrl", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        yield* deliver({ callbackUrl: server.origin, callbackHost: "app.example.com" })
        expect(server.received[0]?.headers.host).toBe("app.example.com")
      })
    ))

  it("closes its connection", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        yield* deliver({ callbackUrl: server.origin })
        yield* deliver({ callbackUrl: server.origin })
        expect(server.connections()).toBe(2)
      })
    ))
})

describe("answers that count", () => {
  it("are passed on byte for byte", async () => {
    const body = ' { "名" : "\\u540d" }\n'
    const outcome = await outcomeOf(TestServer.answer(200, {}, body))
    expect(outcome).toEqual({ _tag: "Answered", body: new Uint8Array(Buffer.from(body)), contentType: undefined })
  })

  it.each(["1", '"OK"', "null", "[]"])("may be any JSON: %s", async (body) => {
    expect((await outcomeOf(TestServer.answer(200, {}, body)))._tag).toBe("Answered")
  })

  it("may be XML, if they say so", async () => {
    const xml = '<?xml version="1.0" encoding="UTF-8"?>\n<Result>OK</Result>'
    const types = ["application/xml", "Application/XML; charset=utf-8"]
    for (const type of types) {
      expect(await outcomeOf(TestServer.answer(200, { "Content-Type": type }, xml))).toMatchObject({
        _tag: "Answered",
        contentType: type
      })
    }
    expect(await outcomeOf(TestServer.answer(200, {}, xml))).toEqual(
      failed("205", "Response body is not valid json format.")
    )
  })

  it("may be 1 MiB long", async () => {
    const body = JSON.stringify("a".repeat(1024 * 1024 - 2))
    expect(await outcomeOf(TestServer.answer(200, {}, body))).toMatchObject({ _tag: "Answered" })
  })
})

const chunked: TestServer.Handler = (_, response) => {
  response.write('{"a":')
  response.end('"b"}')
}

const trickling: TestServer.Handler = (_, response) => {
  response.writeHead(200, { "Content-Length": 1000 })
  const drip = setInterval(() => response.write(" "), 10)
  response.on("close", () => clearInterval(drip))
}

describe("answers that fail", () => {
  it.each([201, 204, 301, 302, 400, 404, 500, 502, 503])("status %i", async (status) => {
    const handler = TestServer.answer(status, { Location: "http://127.0.0.1:1/" }, status === 204 ? "" : "{}")
    expect(await outcomeOf(handler)).toEqual(failed("203", `Error status : ${status}.`))
  })

  it("a redirect is not followed", () =>
    withServer(ok, (other) =>
      Effect.gen(function* () {
        yield* Effect.promise(() => outcomeOf(TestServer.answer(301, { Location: other.origin }, "{}")))
        expect(other.received).toEqual([])
      })
    ))

  it("chunked, without Content-Length", async () => {
    expect(await outcomeOf(chunked)).toEqual(failed("203", "Error Status : 400.User server missing content-length."))
  })

  it("ended by closing the connection, without Content-Length", async () => {
    expect(await rawOutcome("HTTP/1.0 200 OK\r\n\r\n{}")).toEqual(
      failed("203", "Error Status : 400.User server missing content-length.")
    )
  })

  it.each(["0", "abc", "-1", "+2", "1.5"])("Content-Length %j", async (length) => {
    expect(await rawOutcome(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n{}`)).toEqual(
      failed("203", "Error Status : 400.User server return invalid conent-length value.")
    )
  })

  it("longer than 1 MiB, without a byte of it being read", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"
    expect(await rawOutcome(answer)).toEqual(
      failed("203", "Error Status : 400.User server return too long content-length value.")
    )
  })

  it.each([
    ["plain text", "OK"],
    ["a byte-order mark", '\u{feff}{"Status":"OK"}'],
    ["two values", "{}{}"],
    ["half of one", '{"a":'],
    ["a page", "<html></html>"]
  ])("%s", async (_, body) => {
    expect(await outcomeOf(TestServer.answer(200, { "Content-Type": "application/json" }, body))).toEqual(
      failed("205", "Response body is not valid json format.")
    )
  })

  it("bytes that are no UTF-8", async () => {
    expect(await outcomeOf(TestServer.answer(200, {}, Buffer.from([0x22, 0xff, 0x22])))).toEqual(
      failed("205", "Response body is not valid json format.")
    )
  })

  it.each([
    ["JSON", "{}"],
    ["broken", "<a><b></a>"],
    ["very deep", "<a>".repeat(200_000)]
  ])("application/xml that is %s", async (_, body) => {
    expect(await outcomeOf(TestServer.answer(200, { "Content-Type": "application/xml" }, body))).toEqual(
      failed("205", "Response body is not valid xml format.")
    )
  })

  it.each([
    ["shorter than announced", 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a"'],
    ["no HTTP", "SSH-2.0-OpenSSH\r\n"],
    ["nothing at all", ""]
  ])("%s: a gateway would say 502", async (_, answer) => {
    expect(await rawOutcome(answer)).toEqual(failed("203", "Error status : 502."))
  })

  it("a refused connection", async () => {
    const port = await Effect.runPromise(closedPort)
    expect(await Effect.runPromise(deliver({ callbackUrl: `http://127.0.0.1:${port}/` }))).toEqual(cannotConnect)
  })

  it("no answer in time, and the connection is closed", () =>
    withServer(
      () => {},
      (server) =>
        Effect.gen(function* () {
          const outcome = yield* deliver({ callbackUrl: server.origin }, { timeout: 60 })
          expect(outcome).toEqual(
            failed(
              "203",
              `Error status : -1 127.0.0.1:${server.port} reply timeout, cost:60ms, timeout:60ms (err -4, errno115)`
            )
          )
          yield* Effect.promise(() => expect.poll(server.open).toBe(0))
        })
    ))

  it("an answer that trickles: the time is that of the whole", async () => {
    const outcome = await outcomeOf(trickling, { timeout: 80 })
    expect(outcome).toMatchObject({ message: expect.stringContaining("reply timeout, cost:80ms") })
  })
})

describe("several URLs", () => {
  it("the second is tried after the first has failed, with a signature of its own", () =>
    withServer(TestServer.answer(500), (first) =>
      Effect.scoped(
        Effect.gen(function* () {
          const second = yield* TestServer.start(ok)
          const outcome = yield* deliver({ callbackUrl: `${first.origin}/a;${second.origin}/b` })
          expect(outcome._tag).toBe("Answered")
          expect(first.received.length).toBe(1)
          const signature = Buffer.from(second.received[0]?.headers.authorization ?? "", "base64")
          expect(NodeCrypto.verify("md5", Buffer.from("/b\nsize=5"), keys.publicKeyPem, signature)).toBe(true)
        })
      )
    ))

  it("none is tried after the first success", () =>
    withServer(ok, (first) =>
      Effect.scoped(
        Effect.gen(function* () {
          const second = yield* TestServer.start(ok)
          yield* deliver({ callbackUrl: `${first.origin};${second.origin}` })
          expect(second.received).toEqual([])
        })
      )
    ))

  it("when all fail, the last failure stands, and the list of deliveries tells of all", () =>
    withServer(TestServer.answer(500), (server) =>
      Effect.gen(function* () {
        const service = sender()
        const port = yield* closedPort
        const urls = `${server.origin}/a?token=secret;http://127.0.0.1:${port}`
        expect(yield* deliver({ callbackUrl: urls }, {}, service)).toEqual(cannotConnect)
        const { bucket, object, requestId, time } = facts
        expect(service.deliveries()).toEqual([
          { bucket, object, requestId, time, url: `${server.origin}/a?…`, outcome: "Error status : 500." },
          { bucket, object, requestId, time, url: `http://127.0.0.1:${port}/`, outcome: cannotConnect.message }
        ])
      })
    ))

  it("the list of deliveries keeps the last 200", () => {
    const service = sender({
      receiver: () => () => Effect.succeed({ status: 200, headers: {}, body: new Uint8Array(Buffer.from("{}")) })
    })
    const one = (n: number) => deliver({ callbackUrl: `http://a.com/${n}` }, {}, service)
    Effect.runSync(
      Effect.forEach(
        Array.from({ length: 205 }, (_, n) => n),
        one
      )
    )
    expect(service.deliveries().length).toBe(200)
    expect(service.deliveries()[0]?.url).toBe("http://a.com/5")
  })
})

it("interruption closes the socket", () =>
  withServer(
    () => {},
    (server) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(deliver({ callbackUrl: server.origin }))
        yield* Effect.promise(() => expect.poll(() => server.received.length).toBe(1))
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => expect.poll(server.open).toBe(0))
      })
  ))
