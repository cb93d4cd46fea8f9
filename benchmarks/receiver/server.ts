/**
 * One of three servers on a free port, in a process of its own: `ours`, a receiver with all its checks; `guarded`, one that
 * also runs its handler once for each callback (a guard in memory); or `bare`, what one would write by hand with node:http
 * and one `crypto.verify`. The second argument is the public key as base64 of its DER. Tells its port.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeCallback from "../../adapters/node/NodeCallback.ts"
import * as ReplayGuard from "../../core/ports/ReplayGuard.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../core/wire/Callback.ts"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"

const [which, der = ""] = process.argv.slice(2)

const bare = (): Http.RequestListener => {
  const publicKey = NodeCrypto.createPublicKey({ key: Buffer.from(der, "base64"), format: "der", type: "spki" })
  return (request, response) => {
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
}

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video-uploaded",
  bucket: "media",
  body: {
    object: Callback.object,
    size: Callback.size,
    etag: Callback.etag,
    request: Callback.reqId,
    userId: Callback.var("user_id", Schema.String)
  },
  response: Schema.Struct({ videoId: Schema.String })
})

const ours = (isGuarded: boolean): Http.RequestListener => {
  const trustedKeys = [Either.getOrThrow(CallbackSignature.trust("https://keys.example.com/callback.pem", der))]
  const handler = ({ object }: { readonly object: string }) => Effect.succeed({ videoId: object })
  if (!isGuarded)
    return NodeCallback.listener(CallbackReceiver.make(VideoUploaded, handler, { trustedKeys }), Effect.runFork)
  const guard = ReplayGuard.makeMemory()
  const receiver = CallbackReceiver.make(VideoUploaded, handler, {
    trustedKeys,
    replay: { guard: ReplayGuard.ReplayGuard }
  })
  return NodeCallback.listener(receiver, (program) =>
    Effect.runFork(Effect.provideService(program, ReplayGuard.ReplayGuard, guard))
  )
}

const server = Http.createServer(which === "bare" ? bare() : ours(which === "guarded"))
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo // listens on a port
  process.stdout.write(`${port}\n`)
})
process.stdin.on("end", () => process.exit()).resume()
