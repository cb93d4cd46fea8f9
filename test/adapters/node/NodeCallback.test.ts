/** NodeCallback: what reaches a receiver, what does not, and how the server ends. Over real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { generateKeyPairSync, sign } from "node:crypto"
import * as Http from "node:http"
import * as Net from "node:net"
import * as NodeCallback from "../../../adapters/node/NodeCallback.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"

const text = (body: Uint8Array): string => Buffer.from(body).toString()

const answerOf = (status: number, body: string): CallbackReceiver.Answer => ({
  status,
  headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
  body: Buffer.from(body)
})

/** Remembers what it is given, and answers `{}`. */
const recorder = (maxBodyBytes = 1024) => {
  const seen: Array<CallbackReceiver.Request> = []
  const receiver: CallbackReceiver.Receiver<never> = {
    maxBodyBytes,
    handle: (request) => {
      seen.push(request)
      return Effect.succeed(answerOf(request.body.length > maxBodyBytes ? 413 : 200, "{}"))
    }
  }
  return { receiver, seen }
}

/** Never answers. Tells whether it was interrupted. */
const hanging = () => {
  const state = { started: 0, interrupted: 0 }
  const receiver: CallbackReceiver.Receiver<never> = {
    maxBodyBytes: 1024,
    handle: () =>
      Effect.sync(() => state.started++).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Effect.sync(() => state.interrupted++))
      )
  }
  return { receiver, state }
}

/** Sends bytes as they are, and gives what came back until the server closed the connection. */
const talk = (port: number, message: string): Effect.Effect<string> =>
  Effect.async((resume) => {
    let answer = ""
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(message))
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(answer)))
    return Effect.sync(() => socket.destroy())
  })

const post = (target: string, body: string, ...headers: ReadonlyArray<string>): string =>
  [`POST ${target} HTTP/1.1`, "Host: h", `Content-Length: ${Buffer.byteLength(body)}`, ...headers, "", body].join(
    "\r\n"
  )

const once = "Connection: close"

const eventually = (claim: () => boolean): Effect.Effect<number> =>
  Effect.gen(function* () {
    const begin = performance.now()
    while (!claim()) {
      if (performance.now() - begin > 2000) return assert.fail(`did not come to hold within 2 s: ${claim.toString()}`)
      yield* Effect.sleep(2)
    }
    return performance.now() - begin
  })

const statusOf = (answer: string): string | undefined => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]

/** A server of the test's own with the listener on it. */
const mount = (listener: NodeCallback.Listener) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port)) // it listens on a port

class Videos extends Context.Tag("test/Videos")<Videos, { readonly insert: (object: string) => string }>() {}

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/caf%C3%A9",
  bucket: "media",
  body: { object: Callback.object },
  response: Schema.Struct({ videoId: Schema.String })
})

/** A server, and how long it takes to stop, in milliseconds. */
const served = (receiver: CallbackReceiver.Receiver<never>, options?: NodeCallback.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const { port } = yield* Scope.extend(NodeCallback.serve(receiver, options), scope)
    const stop = Effect.timed(Scope.close(scope, Exit.void))
    return { port, stop: Effect.map(stop, ([took]) => Duration.toMillis(took)) }
  })

describe("NodeCallback", () => {
  const live = it.scopedLive

  describe("a signed callback", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 })
    const keyUrl = "https://keys.test/callback.pem"
    const trusted = CallbackReceiver.layerTrustedKeys([
      Either.getOrThrow(CallbackSignature.trust(keyUrl, publicKey.export({ type: "spki", format: "pem" }).toString()))
    ])
    const onVideoUploaded = CallbackReceiver.make(VideoUploaded, ({ object }) =>
      Effect.map(Videos, (videos) => ({ videoId: videos.insert(object) }))
    )
    const videos = Layer.succeed(Videos, { insert: (object) => `video of ${object}` })
    const server = NodeCallback.layerServer({
      "/oss/video uploaded": onVideoUploaded,
      "/oss/caf%C3%A9": onVideoUploaded
    }).pipe(Layer.provide(Layer.merge(videos, trusted)))
    const body = "bucket=media&object=v.mp4"

    const signed = (path: string, query: string) => {
      const signature = sign("RSA-MD5", Buffer.from(`${decodeURIComponent(path)}${query}\n${body}`), privateKey)
      return [
        `authorization: ${signature.toString("base64")}`,
        `x-oss-pub-key-url: ${Buffer.from(keyUrl).toString("base64")}`,
        once
      ]
    }

    live("reaches its handler, whose answer goes back with a Content-Length", () =>
      Effect.gen(function* () {
        const { port } = yield* NodeCallback.Server
        const path = "/oss/caf%C3%A9"
        const answer = yield* talk(port, post(`${path}?a=%20'+b`, body, ...signed(path, "?a=%20'+b")))
        assert.strictEqual(statusOf(answer), "200")
        assert.match(answer, /\r\ncontent-length: 28\r\n/)
        assert.match(answer, /\r\n\r\n\{"videoId":"video of v\.mp4"\}$/)
      }).pipe(Effect.provide(server))
    )

    live("is refused when a byte is different", () =>
      Effect.gen(function* () {
        const { port } = yield* NodeCallback.Server
        const path = "/oss/caf%C3%A9"
        for (const [target, content] of [
          [`${path}?a=2`, body],
          [`${path}?a=1`, body.replace("v.mp4", "w.mp4")]
        ] as const) {
          const answer = yield* talk(port, post(target, content, ...signed(path, "?a=1")))
          assert.strictEqual(statusOf(answer), "403")
        }
      }).pipe(Effect.provide(server))
    )
  })

  describe("what reaches a receiver", () => {
    live("is the target, the headers and the body as they came", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port } = yield* NodeCallback.serve(receiver)
        yield* talk(port, post("/a/../b//%2e%2e?q=~'*+%20?x", "a=ü", "X-Oss-Bucket: media", once))
        const { body, headers, method, path, query } = seen[0]!
        assert.deepStrictEqual([method, path, query], ["POST", "/a/../b//%2e%2e", "q=~'*+%20?x"])
        assert.deepStrictEqual([headers["x-oss-bucket"], headers["content-length"]], ["media", "4"])
        assert.strictEqual(text(body), "a=ü")
      })
    )

    live("tells an empty query from none", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port } = yield* NodeCallback.serve(receiver)
        for (const target of ["/a", "/a?"]) yield* talk(port, post(target, "", once))
        assert.deepStrictEqual(
          seen.map(({ query }) => query),
          [undefined, ""]
        )
      })
    )

    live("comes on one connection as well as on two", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port } = yield* NodeCallback.serve(receiver)
        const answers = yield* talk(port, post("/1", "a") + post("/2", "b", once))
        assert.strictEqual(answers.match(/HTTP\/1\.1 200/g)?.length, 2)
        assert.deepStrictEqual(
          seen.map(({ path, body }) => [path, text(body)]),
          [
            ["/1", "a"],
            ["/2", "b"]
          ]
        )
      })
    )

    live("comes after 100 Continue to a client that waits for it, as OSS's sample does", () =>
      Effect.gen(function* () {
        const { receiver } = recorder()
        const { port } = yield* NodeCallback.serve(receiver)
        const answer = yield* talk(port, post("/a", "b", "Expect: 100-continue", once))
        assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/)
      })
    )

    live("goes to the receiver of its path, and to nobody on another", () =>
      Effect.gen(function* () {
        const [video, avatar] = [recorder(), recorder()]
        const { port } = yield* NodeCallback.serve({ "/video": video.receiver, "/avatar": avatar.receiver })
        yield* talk(port, post("/avatar?x=1", "", once))
        assert.deepStrictEqual([video.seen.length, avatar.seen.length], [0, 1])
        for (const target of ["/", "/video/", "/Video", "/constructor"]) {
          const answer = yield* talk(port, post(target, "", once))
          assert.strictEqual(statusOf(answer), "404")
          assert.match(answer, /\r\ncontent-length: \d+\r\n/i)
        }
        assert.deepStrictEqual([video.seen.length, avatar.seen.length], [0, 1])
      })
    )
  })

  describe("what does not", () => {
    live("is more of a body than shows that it is too long; the connection is closed", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder(1000)
        const { port } = yield* NodeCallback.serve(receiver)
        const head = `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${100 * 1024 * 1024}\r\n\r\n`
        const chunked = `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n`
        // The connection is never closed from here, so that the answers are the server's own decision.
        for (const message of [head + "x".repeat(1001), chunked]) {
          const answer = yield* talk(port, message)
          assert.strictEqual(statusOf(answer), "413")
          assert.match(answer, /\r\nconnection: close\r\n/i)
        }
        assert.deepStrictEqual(
          seen.map(({ body }) => body.length),
          [1001, 1001]
        )
        assert.strictEqual(statusOf(yield* talk(port, post("/a", "x".repeat(1000), once))), "200")
      })
    )

    live("is a request with two of a header that decides", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port } = yield* NodeCallback.serve(receiver)
        for (const name of ["Authorization", "x-oss-pub-key-url", "X-OSS-Signature-Version", "Content-Length"]) {
          const answer = yield* talk(port, post("/a", "ab", `${name}: 2`, `${name.toLowerCase()}: 2`, once))
          assert.strictEqual(statusOf(answer), "400", name)
        }
        assert.strictEqual(seen.length, 0)
        assert.strictEqual(statusOf(yield* talk(port, post("/a", "", "Accept: a", "Accept: b", once))), "200")
      })
    )

    live("is a request that takes too long, by its head or by its body", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port } = yield* NodeCallback.serve(receiver, { requestTimeout: "100 millis" })
        for (const message of ["POST /a HTTP/1.1\r\nHo", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx"]) {
          const begin = performance.now()
          const answer = yield* talk(port, message)
          assert.include([undefined, "408"], statusOf(answer))
          assert.isBelow(performance.now() - begin, 3000)
        }
        assert.strictEqual(seen.length, 0)
      })
    )

    live("is a connection too many", () =>
      Effect.gen(function* () {
        const { receiver } = hanging()
        const { port } = yield* NodeCallback.serve(receiver, { maxConnections: 1, grace: "10 millis" })
        yield* Effect.fork(talk(port, post("/a", "")))
        yield* Effect.sleep(50)
        assert.strictEqual(yield* talk(port, post("/a", "")), "")
      })
    )
  })

  live("interrupts the receiver when who called goes away", () =>
    Effect.gen(function* () {
      const { receiver, state } = hanging()
      const { port } = yield* NodeCallback.serve(receiver)
      const fiber = yield* Effect.fork(talk(port, post("/a", "")))
      yield* eventually(() => state.started === 1)
      yield* Fiber.interrupt(fiber)
      assert.isBelow(yield* eventually(() => state.interrupted === 1), 200)
    })
  )

  live("answers 500 for a receiver that dies, and goes on", () =>
    Effect.gen(function* () {
      const receiver: CallbackReceiver.Receiver<never> = {
        maxBodyBytes: 1024,
        handle: () => Effect.die(new Error("secret of the house"))
      }
      const { port } = yield* NodeCallback.serve(receiver)
      for (let i = 0; i < 2; i++) {
        const answer = yield* talk(port, post("/a", "", once))
        assert.strictEqual(statusOf(answer), "500")
        assert.notInclude(answer, "secret")
      }
    })
  )

  describe("the server", () => {
    live("tells where it is reached", () =>
      Effect.gen(function* () {
        const { receiver } = recorder()
        const everywhere = yield* NodeCallback.serve(receiver)
        assert.strictEqual(everywhere.url, `http://127.0.0.1:${everywhere.port}`)
        const local = yield* NodeCallback.serve(receiver, { host: "127.0.0.1" })
        assert.strictEqual(local.url, `http://127.0.0.1:${local.port}`)
        const response = yield* Effect.promise(() => fetch(`${everywhere.url}/a`, { method: "POST", body: "b" }))
        assert.strictEqual(response.status, 200)
      })
    )

    live("dies, and says why, when its port is taken", () =>
      Effect.gen(function* () {
        const { receiver } = recorder()
        const { port } = yield* NodeCallback.serve(receiver, { host: "127.0.0.1" })
        const exit = yield* Effect.exit(Effect.scoped(NodeCallback.serve(receiver, { host: "127.0.0.1", port })))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.include(String(exit), "EADDRINUSE")
      })
    )

    live("stops at once when nothing is under way, and cuts kept connections", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const { port, stop } = yield* served(receiver)
        const kept = yield* Effect.fork(talk(port, post("/a", "")))
        yield* eventually(() => seen.length === 1)
        yield* Effect.sleep(50)
        assert.isBelow(yield* stop, 2500)
        assert.strictEqual(statusOf(yield* Fiber.join(kept)), "200")
      })
    )

    live("answers a request that comes while it stops, and does not keep its connection", () =>
      Effect.gen(function* () {
        const { receiver } = recorder()
        const { port, stop } = yield* served(receiver)
        const socket = Net.connect(port, "127.0.0.1")
        let answer = ""
        socket.on("data", (chunk) => (answer += chunk.toString("latin1")))
        yield* Effect.sleep(100)
        const stopping = yield* Effect.fork(stop)
        yield* Effect.sleep(100)
        socket.write(post("/a", ""))
        assert.isBelow(yield* Fiber.join(stopping), 3000)
        yield* eventually(() => statusOf(answer) === "200")
      })
    )

    live("lets a request under way end, and stops then", () =>
      Effect.gen(function* () {
        const receiver: CallbackReceiver.Receiver<never> = {
          maxBodyBytes: 1024,
          handle: () => Effect.delay(Effect.succeed(answerOf(200, "{}")), "300 millis")
        }
        const { port, stop } = yield* served(receiver)
        const kept = yield* Effect.fork(talk(port, post("/a", "")))
        yield* Effect.sleep(50)
        const took = yield* stop
        assert.strictEqual(statusOf(yield* Fiber.join(kept)), "200")
        assert.isAbove(took, 150)
        assert.isBelow(took, 3000)
      })
    )

    live("cuts what is not done within the grace time, and waits for its receiver to end", () =>
      Effect.gen(function* () {
        const { receiver, state } = hanging()
        const { port, stop } = yield* served(receiver, { grace: "100 millis" })
        yield* Effect.fork(talk(port, post("/a", "")))
        yield* eventually(() => state.started === 1)
        const took = yield* stop
        assert.isAbove(took, 80)
        assert.isBelow(took, 1000)
        assert.strictEqual(state.interrupted, 1)
      })
    )
  })

  describe("the listener", () => {
    live("serves a server of the user's own, with the services of a runtime", () =>
      Effect.gen(function* () {
        const runtime = ManagedRuntime.make(Layer.succeed(Videos, { insert: (object) => `video of ${object}` }))
        const receiver: CallbackReceiver.Receiver<Videos> = {
          maxBodyBytes: 1024,
          handle: ({ body }) => Effect.map(Videos, ({ insert }) => answerOf(200, insert(text(body))))
        }
        const port = yield* mount(NodeCallback.listener(receiver, runtime.runFork))
        assert.match(yield* talk(port, post("/a", "v.mp4", once)), /\r\n\r\nvideo of v\.mp4$/)
        yield* Effect.promise(() => runtime.dispose())
      })
    )

    live("takes the target before Express cut off what it is mounted at", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const listener = NodeCallback.listener({ "/oss/a": receiver }, Effect.runFork)
        const port = yield* mount((request, response) => {
          listener(Object.assign(request, { originalUrl: request.url, url: "/a" }), response)
        })
        yield* talk(port, post("/oss/a?q", "", once))
        assert.deepStrictEqual(
          seen.map(({ path, query }) => [path, query]),
          [["/oss/a", "q"]]
        )
      })
    )

    live("takes the bytes of a raw body parser, and answers 500 where the bytes are lost", () =>
      Effect.gen(function* () {
        const { receiver, seen } = recorder()
        const listener = NodeCallback.listener(receiver, Effect.runFork)
        const parse = (raw: boolean) =>
          mount((request, response) => {
            const chunks: Array<Buffer> = []
            request.on("data", (chunk: Buffer) => chunks.push(chunk))
            request.on("end", () => {
              const body = Buffer.concat(chunks)
              listener(Object.assign(request, { body: raw ? body : { parsed: body.toString() } }), response)
            })
          })
        assert.strictEqual(statusOf(yield* talk(yield* parse(true), post("/a", "bytes", once))), "200")
        assert.deepStrictEqual(
          seen.map(({ body }) => text(body)),
          ["bytes"]
        )
        assert.strictEqual(statusOf(yield* talk(yield* parse(false), post("/a", "bytes", once))), "500")
        assert.strictEqual(seen.length, 1)
      })
    )
  })
})
