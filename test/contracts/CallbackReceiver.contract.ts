/**
 * What every adapter owes to a callback's receiver: what OSS signed arrives as it was signed, and nothing else does. Run it
 * over each adapter, with a server that hands all its requests to the receiver. Over real sockets, byte for byte.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as NodeCrypto from "../../adapters/node/NodeCrypto.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../core/wire/Callback.ts"
import * as RedeliverySignature from "../../core/wire/RedeliverySignature.ts"
import * as SignedCallback from "../support/SignedCallback.ts"

/** Listens at 127.0.0.1 and gives the port. */
export type Serve = (receiver: CallbackReceiver.Receiver<never>) => Effect.Effect<number, never, Scope.Scope>

const secret = Redacted.make("a secret drawn at random")

/** A receiver, and what its handler was given. */
const receiving = () => {
  const handled: Array<unknown> = []
  const contract = Callback.make({
    url: "https://api.example.com/oss/video",
    bucket: "media",
    body: { object: Callback.object, size: Callback.size },
    response: Schema.Struct({ videoId: Schema.String })
  })
  const receiver = CallbackReceiver.make(
    contract,
    (body) =>
      Effect.sync(() => {
        handled.push(body)
        return { videoId: "é" }
      }),
    { trustedKeys: [SignedCallback.trusted], redelivery: { secrets: [secret] }, maxBodyBytes: 1000 }
  )
  return { receiver, handled }
}

/** Sends a request as it is; gives the answer when the server has closed the connection. */
const talk = (port: number, request: Uint8Array): Effect.Effect<{ status: number; headers: string; body: string }> =>
  Effect.async((resume) => {
    const chunks: Array<Buffer> = []
    const socket = Net.connect(port, "127.0.0.1", () => socket.write(request))
    socket.on("data", (chunk) => chunks.push(chunk))
    socket.on("error", () => {})
    socket.on("close", () => {
      const [head = "", body = ""] = Buffer.concat(chunks).toString("utf8").split("\r\n\r\n", 2)
      resume(Effect.succeed({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), headers: head.toLowerCase(), body }))
    })
    return Effect.sync(() => socket.destroy())
  })

type Lines = ReadonlyArray<readonly [name: string, value: string]>

const post = (target: string, headers: Lines, body: Uint8Array, framing?: Lines): Uint8Array => {
  const lines = [
    `POST ${target} HTTP/1.1`,
    ...[["Host", "h"] as const, ["Connection", "close"] as const, ...headers]
      .concat(framing ?? [["Content-Length", String(body.length)]])
      .map(([name, value]) => `${name}: ${value}`)
  ]
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body])
}

const body = "object=a.mp4&size=9&bucket=media"

/** What OSS would send to this target, whose decoded path is `path`. */
const signed = (path = "/oss/video", query?: string, text = body) => {
  const { headers, body } = SignedCallback.make(text, path, query)
  return { headers: Object.entries(headers), body }
}

/** `ofUrls`: the host makes a URL of the target, which rewrites some of it (see FetchCallback). */
export const callbackReceiverContract = (name: string, serve: Serve, { ofUrls = false } = {}): void => {
  const law = <E>(
    sentence: string,
    claim: (port: number, handled: ReadonlyArray<unknown>) => Effect.Effect<void, E, Scope.Scope>
  ) =>
    it.scopedLive(sentence, () =>
      Effect.gen(function* () {
        const { handled, receiver } = receiving()
        yield* claim(yield* serve(receiver), handled)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
    )

  describe(`${name} between OSS and a receiver`, () => {
    law("hands on what OSS signed: the path encoded, the query and the body as they came", (port, handled) =>
      Effect.gen(function* () {
        for (const [target, path, query] of [
          ["/oss/video", "/oss/video", undefined],
          ["/oss/caf%C3%A9%20%2B?a=%20%27+b&x=/y?z", "/oss/café +", "a=%20%27+b&x=/y?z"],
          ["/oss/%76ideo?", "/oss/video", ""],
          ...(ofUrls ? [] : [["/oss/../b//%2e%2e?a=it's", "/oss/../b//..", "a=it's"] as const])
        ] as const) {
          const { body, headers } = signed(path, query)
          const answer = yield* talk(port, post(target, headers, body))
          assert.deepStrictEqual([target, answer.status, answer.body], [target, 200, '{"videoId":"é"}'])
          assert.match(answer.headers, /\r\ncontent-type: application\/json/)
          assert.match(answer.headers, /\r\ncontent-length: 16(?:\r\n|$)/)
        }
        assert.strictEqual(handled.length, ofUrls ? 3 : 4)
      })
    )

    law("hands on a body in pieces, which OSS never sends and proxies do", (port, handled) =>
      Effect.gen(function* () {
        const { body, headers } = signed()
        const pieces = Buffer.from(
          `5\r\n${Buffer.from(body.subarray(0, 5)).toString()}\r\n${(body.length - 5).toString(16)}\r\n${Buffer.from(body.subarray(5)).toString()}\r\n0\r\n\r\n`
        )
        const answer = yield* talk(port, post("/oss/video", headers, pieces, [["Transfer-Encoding", "chunked"]]))
        assert.deepStrictEqual([answer.status, handled.length], [200, 1])
      })
    )

    for (const name of ["Authorization", "X-Oss-Pub-Key-Url", "x-oss-signature-version"]) {
      law(`refuses two of ${name}, though both say the same`, (port, handled) =>
        Effect.gen(function* () {
          const { body, headers } = signed()
          const same = headers.find(([known]) => known === name.toLowerCase()) ?? assert.fail("it is signed with it")
          for (const other of [same[1], "x"]) {
            for (const doubled of [
              [[name, other] as const, ...headers],
              [...headers, [name, other] as const]
            ]) {
              const answer = yield* talk(port, post("/oss/video", doubled, body))
              assert.include([400, 403], answer.status, answer.body)
            }
          }
          assert.strictEqual(handled.length, 0)
        })
      )
    }

    law("refuses two seals of a redelivery, though both are good, and takes one", (port, handled) =>
      Effect.gen(function* () {
        const bytes = Buffer.from(body)
        const called = { path: "/oss/video", query: undefined, body: bytes }
        const seal = RedeliverySignature.sign(NodeCrypto.crypto, secret, Date.now(), called)
        const header = [RedeliverySignature.header, seal] as const
        const twice = yield* talk(port, post("/oss/video", [header, header], bytes))
        assert.include([400, 403], twice.status)
        assert.strictEqual(handled.length, 0)
        assert.strictEqual((yield* talk(port, post("/oss/video", [header], bytes))).status, 200)
      })
    )

    law("refuses two lengths of one body", (port, handled) =>
      Effect.gen(function* () {
        const { body, headers } = signed()
        const lengths: Lines = ["3", String(body.length)].map((length) => ["Content-Length", length])
        assert.strictEqual((yield* talk(port, post("/oss/video", headers, body, lengths))).status, 400)
        assert.strictEqual(handled.length, 0)
      })
    )

    law("refuses what is unsigned, changed, or too long, with JSON that has a length", (port, handled) =>
      Effect.gen(function* () {
        const { body, headers } = signed()
        const long = signed(undefined, undefined, `${body.toString()}&x=${"x".repeat(1000)}`)
        for (const [request, status] of [
          [post("/oss/video", [], body), 403],
          [post("/oss/video?a", headers, body), 403],
          [post("/oss//video", headers, body), 403],
          [post("/oss/video", headers, Buffer.from(Buffer.from(body).toString().replace("9", "8"))), 403],
          [post("/oss/video", long.headers, long.body), 413]
        ] as const) {
          const answer = yield* talk(port, request)
          assert.strictEqual(answer.status, status)
          assert.match(answer.headers, /\r\ncontent-length: [1-9]/)
          assert.isString((JSON.parse(answer.body) as { readonly error: unknown }).error)
        }
        assert.strictEqual(handled.length, 0)
      })
    )
  })
}
