/** A refused signature, explained: OSS's texts and ours go to `Explain`, and its sentence stands in the error's message. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../core/ports/Source.ts"
import { Transport, type Request } from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"

/** What an upload fails with when something on the way changes its request, or the secret is wrong. */
const failure = (change: (request: Request) => Request, secret?: string) =>
  Effect.gen(function* () {
    const { bucket, credentials, endpoint, region } = yield* OssEmulator.make({ bucket: "media" })
    const transport = Layer.effect(
      Transport,
      Effect.map(Transport, ({ send }) => ({ send: (request: Request) => send(change(request)) }))
    ).pipe(Layer.provide(NodeTransport.layer()))
    const keys = secret === undefined ? credentials : { ...credentials, accessKeySecret: Redacted.make(secret) }
    const client = OssClient.layer({ bucket, endpoint, region }).pipe(
      Layer.provide([transport, NodeCrypto.layer, CredentialsProvider.layer(keys)])
    )
    const error = yield* Effect.flip(
      Upload.simple("a.txt", Source.text("a"), { contentType: "text/plain", metadata: { a: "1" } }).pipe(
        Effect.provide(client)
      )
    )
    assert.strictEqual(error._tag === "ServiceError" && error.code, "SignatureDoesNotMatch")
    // The emulator's request IDs and ports differ from run to run.
    return error.message.replace(/request [0-9A-F]{24}/, "request …")
  })

const head = "PutObject: 403 SignatureDoesNotMatch (EC 0002-00000201, request …); "
const withHeader = (name: string, value: string) => (request: Request) => ({
  ...request,
  headers: { ...request.headers, [name]: value }
})

describe("a signature that OSS refuses", () => {
  const cases: ReadonlyArray<readonly [string, (request: Request) => Request, string]> = [
    [
      "after a header was changed",
      withHeader("content-type", "image/jpeg"),
      'content-type arrived with another value; first difference in line 4 of the canonical request: ours "content-type:text/plain", OSS "content-type:image/jpeg"'
    ],
    [
      "after a header was added",
      withHeader("content-md5", "x"),
      'content-md5 was not signed, but x was sent; first difference in line 4 of the canonical request: ours "content-type:text/plain", OSS "content-md5:x"'
    ],
    [
      "after the path was rewritten",
      (request) => ({ ...request, url: request.url.replace("a.txt", "b.txt") }),
      'the key differs: something rewrote the path on its way; first difference in line 2 of the canonical request: ours "/media/a.txt", OSS "/media/b.txt"'
    ]
  ]
  for (const [what, change, sentence] of cases) {
    it.scopedLive(`is explained in the message ${what}`, () =>
      Effect.map(failure(change), (message) => assert.strictEqual(message, head + sentence))
    )
  }

  it.scopedLive("is explained in the message when the secret is wrong, without showing it", () =>
    Effect.map(
      failure((request) => request, "another secret"),
      (message) =>
        assert.strictEqual(
          message,
          `${head}OSS signed the same text, so the AccessKeySecret is not that of the AccessKeyId (are there blanks around it?)`
        )
    )
  )
})
