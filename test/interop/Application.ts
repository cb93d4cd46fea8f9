/**
 * The application server of the scenarios: verifies a callback, and hands back what it was told; or fails, when asked to.
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as NodeHttp from "node:http"
import type { AddressInfo } from "node:net"

/** Verified here by itself, without the library: RSA and MD5 over the path, a line feed, and the body. */
const isSigned = (request: NodeHttp.IncomingMessage, body: Buffer, publicKeyPem: string): boolean => {
  const signed = Buffer.concat([Buffer.from(`${decodeURIComponent(request.url ?? "")}\n`), body])
  const signature = Buffer.from(request.headers.authorization ?? "", "base64")
  return NodeCrypto.verify("RSA-MD5", signed, publicKeyPem, signature)
}

/** Its address: callbacks to `/ok` are answered 200, `/fail` 500, and whatever is not signed 403. */
export const start = (publicKeyPem: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly server: NodeHttp.Server }>((resume) => {
      const server = NodeHttp.createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const body = Buffer.concat(chunks)
          const answer = Buffer.from(JSON.stringify({ told: body.toString() }))
          const status = !isSigned(request, body, publicKeyPem) ? 403 : request.url === "/ok" ? 200 : 500
          response
            .writeHead(status, { "Content-Type": "application/json", "Content-Length": answer.length })
            .end(answer)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo // a server that listens on a port has such an address
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, server }))
      })
    }),
    ({ server }) =>
      Effect.async<void>((done) => {
        server.close(() => done(Effect.void))
        server.closeAllConnections()
      })
  )
