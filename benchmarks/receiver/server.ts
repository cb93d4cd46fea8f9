/**
 * One of two servers on a free port, in a process of its own: `ours`, a receiver with all its checks, or `bare`, what one
 * would write by hand with node:http and one `crypto.verify`. Tells its port and, for the load, a signed request, as JSON.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeCallback from "../../adapters/node/NodeCallback.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../core/wire/Callback.ts"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"

const { privateKey, publicKey } = NodeCrypto.generateKeyPairSync("rsa", { modulusLength: 512 })
const keyUrl = "https://keys.example.com/callback.pem"
const path = "/oss/video-uploaded"
const body = `object=videos%2Fu_42%2Fholiday.mp4&size=83886080&etag=5B3C1A2E053D763E1B002CC607C5A0FE&userId=u_42&bucket=media`
const authorization = NodeCrypto.sign("RSA-MD5", Buffer.from(`${path}\n${body}`), privateKey).toString("base64")

const bare: Http.RequestListener = (request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const raw = Buffer.concat(chunks)
    const [path = "", query] = (request.url ?? "").split("?")
    const head = Buffer.from(`${decodeURIComponent(path)}${query === undefined ? "" : `?${query}`}\n`)
    const signature = Buffer.from(request.headers.authorization ?? "", "base64")
    const isSigned = NodeCrypto.verify("RSA-MD5", Buffer.concat([head, raw]), publicKey, signature)
    const object = new URLSearchParams(raw.toString()).get("object")
    const answer = JSON.stringify({ videoId: object })
    response.writeHead(isSigned ? 200 : 403, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(answer)
    })
    response.end(answer)
  })
}

const VideoUploaded = Callback.make({
  url: `https://api.example.com${path}`,
  bucket: "media",
  body: {
    object: Callback.object,
    size: Callback.size,
    etag: Callback.etag,
    userId: Callback.var("user_id", Schema.String)
  },
  response: Schema.Struct({ videoId: Schema.String })
})

const ours = (): Http.RequestListener => {
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString()
  const trustedKeys = [Either.getOrThrow(CallbackSignature.trust(keyUrl, pem))]
  const receiver = CallbackReceiver.make(VideoUploaded, ({ object }) => Effect.succeed({ videoId: object }), {
    trustedKeys
  })
  return NodeCallback.listener(receiver, Effect.runFork)
}

const server = Http.createServer(process.argv[2] === "bare" ? bare : ours())
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo // listens on a port
  const request = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    "content-type: application/x-www-form-urlencoded",
    `content-length: ${Buffer.byteLength(body)}`,
    `authorization: ${authorization}`,
    `x-oss-pub-key-url: ${Buffer.from(keyUrl).toString("base64")}`,
    "x-oss-signature-version: 1.0",
    "x-oss-request-id: 65A1B2C3D4E5F60718293A4B",
    "",
    body
  ].join("\r\n")
  process.stdout.write(`${JSON.stringify({ port, request })}\n`)
})
process.stdin.on("end", () => process.exit()).resume()
