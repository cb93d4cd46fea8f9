/**
 * 5,000 forgeries against one receiver: what a stranger can make of requests that OSS really signed, and of nothing.
 *
 * No handler may run, no request may leave the process, and every answer must be a refusal. Of every forgery it is made sure
 * that it differs from what was signed, for a change back would be no forgery.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Net from "node:net"
import type { Crypto } from "../../../../core/ports/Crypto.ts"
import * as ReplayGuard from "../../../../core/ports/ReplayGuard.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../../core/wire/Callback.ts"
import * as SignedCallback from "../../../support/SignedCallback.ts"
import { base64, keyUrl, services } from "../../../support/SignedCallback.ts"

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video",
  bucket: "media",
  body: { object: Callback.object, etag: Callback.etag, request: Callback.reqId, size: Callback.size },
  response: Schema.Struct({})
})

const bodyOf = (bucket: string, request: string) =>
  `object=videos%2Fa.mp4&etag=E1&request=${request}&size=9&bucket=${bucket}`
const genuine = SignedCallback.make(bodyOf("media", "R1"), "/oss/video", "id=1&x=%2Fy")

let runs = 0
let connections = 0
const receiver = CallbackReceiver.make(VideoUploaded, () => Effect.sync(() => ({ runs: runs++ })), {
  replay: { guard: ReplayGuard.ReplayGuard },
  redelivery: { secrets: [Redacted.make("a secret drawn at random")] }
})

const runtime = Effect.runSync(
  Effect.runtime<Crypto | ReplayGuard.ReplayGuard>().pipe(
    Effect.provide(services),
    Effect.provide(ReplayGuard.layerMemory()),
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )
)
const answer = (request: CallbackReceiver.Request) => Runtime.runSync(runtime)(receiver.handle(request))

// Every outgoing connection of this process would go through here, whatever library makes it.
const connect = Net.Socket.prototype.connect
beforeAll(() => {
  Net.Socket.prototype.connect = function (this: Net.Socket, ...args: Array<never>) {
    connections++
    return Reflect.apply(connect, this, args) as Net.Socket
  } as typeof connect
})
afterAll(() => {
  Net.Socket.prototype.connect = connect
})

const flip = (text: string, bit: number): string => {
  const bytes = Buffer.from(text, "latin1")
  const at = (bit >> 3) % bytes.length
  bytes[at] = bytes[at]! ^ (1 << (bit & 7))
  return bytes.toString("latin1")
}

type Forge = (bit: number, word: string) => CallbackReceiver.Request

const withHeader = (name: string, value: string): CallbackReceiver.Request => ({
  ...genuine,
  headers: { ...genuine.headers, [name]: value }
})

const lookAlikes = [
  "http://gosspublic.alicdn.com.evil/callback_pub_key_v1.pem",
  "https://gosspublic.alicdn.com@evil/callback_pub_key_v1.pem",
  "https://gosspublic.alicdn.com:443@evil/callback_pub_key_v1.pem",
  "https://evil/https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
  "https://evil/?https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
  "https://gosspublic.alicdn.com/../evil.pem",
  "https://gosspublic.alicdn.com/callback_pub_key_v1.pem#evil",
  "HTTPS://GOSSPUBLIC.ALICDN.COM/callback_pub_key_v1.pem",
  "//gosspublic.alicdn.com/callback_pub_key_v1.pem",
  "file:///etc/passwd",
  "http://169.254.169.254/latest/meta-data"
]

const reencoded = ["//oss/video", "/oss/./video", "/oss/video/", "/oss/x/../video", "/OSS/video"]
// What decodes to the signed path is no forgery: OSS signs the decoded one.
const forgeries: Readonly<Record<string, Forge>> = {
  "a bit of the path": (bit) => ({ ...genuine, path: flip(genuine.path, bit) }),
  "a bit of the query": (bit) => ({ ...genuine, query: flip(genuine.query ?? "", bit) }),
  "a bit of the body": (bit) => ({ ...genuine, body: Buffer.from(flip(Buffer.from(genuine.body).toString(), bit)) }),
  "a bit of the signature": (bit) =>
    withHeader(
      "authorization",
      Buffer.from(
        flip(Buffer.from(genuine.headers["authorization"]!, "base64").toString("latin1"), bit),
        "latin1"
      ).toString("base64")
    ),
  "a bit of the key's URL": (bit) => withHeader("x-oss-pub-key-url", base64(flip(keyUrl, bit % (keyUrl.length * 8)))),
  "a key host that looks alike": (bit) => withHeader("x-oss-pub-key-url", base64(lookAlikes[bit % lookAlikes.length]!)),
  "a key host with something before or behind": (bit, word) =>
    withHeader("x-oss-pub-key-url", base64(bit % 2 === 0 ? `${keyUrl}${word}x` : `x${word}${keyUrl}`)),
  "a path written in another way": (bit) => ({ ...genuine, path: reencoded[bit % reencoded.length]! }),
  "a query decoded": () => ({ ...genuine, query: decodeURIComponent(genuine.query ?? "") }),
  "no query": () => ({ ...genuine, query: undefined }),
  "a header twice, joined as servers join them": () =>
    withHeader("authorization", `${genuine.headers["authorization"]}, ${genuine.headers["authorization"]}`),
  "a key URL twice": () => withHeader("x-oss-pub-key-url", `${base64(keyUrl)}, ${base64(keyUrl)}`),
  "another version": (_, word) => withHeader("x-oss-signature-version", `1.0${word}1`),
  "more in the body": (_, word) => ({
    ...genuine,
    body: Buffer.from(`${Buffer.from(genuine.body).toString()}&${word}`)
  }),
  "a huge body": (bit) => ({ ...genuine, body: new Uint8Array(65_537 + (bit % 100_000)) }),
  "no signature at all": (_, word) => ({ ...genuine, headers: { [word]: word } }),
  "another bucket, well signed": (_, word) =>
    SignedCallback.make(bodyOf(`media${encodeURIComponent(word)}x`, "R2"), "/oss/video"),
  "no bucket, well signed": () => SignedCallback.make("object=a&etag=E&request=R2&size=9", "/oss/video"),
  "a replay of what was handled": () => genuine,
  "a redelivery that nobody sealed": (bit) => ({
    ...genuine,
    headers: { "x-effect-oss-redelivery": `v1.${bit}.${"0".repeat(64)}` }
  })
}

describe("5,000 forgeries", () => {
  it("are all refused; none reaches the handler, and none makes a request leave", () => {
    assert.strictEqual(answer(genuine).status, 200)
    const handled = runs
    const outcomes = new Map<string, number>()
    const word = FastCheck.string({ unit: "grapheme", maxLength: 10 })
    const names = Object.keys(forgeries)
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...names), FastCheck.nat(1_000_000), word, (name, bit, word) => {
        const { status } = answer(forgeries[name]!(bit, word))
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
        return status === 400 || status === 403 || status === 409 || status === 413
      }),
      { numRuns: 5000 }
    )
    assert.deepEqual([...outcomes.keys()].sort(), names.sort())
    assert.deepEqual({ runs: runs - handled, connections }, { runs: 0, connections: 0 })
  })
})
