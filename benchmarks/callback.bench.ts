/**
 * Callbacks: binding a contract's variables for an upload, verifying a signature, decoding a body.
 *
 * No package on npm does these, so the rival is what an application would write on Node, without a check of anything:
 * JSON and base64, `node:crypto` with a key that was read beforehand, URLSearchParams, JSON.parse.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"
import { crypto } from "../adapters/node/NodeCrypto.ts"
import * as Callback from "../core/wire/Callback.ts"
import * as CallbackSignature from "../core/wire/CallbackSignature.ts"
import type { Bout, Settings } from "./Harness.ts"

const contractOf = (bodyType: "form" | "json") =>
  Callback.make({
    url: "https://api.example.com/oss/video-uploaded",
    bucket: "media",
    bodyType,
    body: {
      object: Callback.object,
      size: Callback.size,
      etag: Callback.etag,
      userId: Callback.var("user_id", Schema.String)
    },
    response: Schema.Struct({ videoId: Schema.String })
  })

const formContract = contractOf("form")
const jsonContract = contractOf("json")

const etag = "5B3C1A2E053D763E1B002CC607C5A0FE"
const formBody = Buffer.from(`object=videos%2Fu_42%2Fholiday.mp4&size=83886080&etag=${etag}&userId=u_42&bucket=media`)
const jsonBody = Buffer.from(
  `{"object":"videos/u_42/holiday.mp4","size":83886080,"etag":"${etag}","userId":"u_42","bucket":"media"}`
)

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64")

const binding = (): Bout => ({
  name: "bind and encode a callback",
  contestants: [
    { name: "effect-oss, checked", run: () => Either.getOrThrow(formContract({ userId: "u_42" }).encoded) },
    {
      name: "by hand, unchecked",
      run: () => ({
        callback: base64(
          JSON.stringify({
            callbackUrl: "https://api.example.com/oss/video-uploaded",
            callbackBody: formContract.template,
            callbackBodyType: "application/x-www-form-urlencoded",
            callbackSNI: true
          })
        ),
        callbackVar: base64(JSON.stringify({ "x:user_id": "u_42" }))
      })
    }
  ]
})

/** OSS's own key has 512 bits; longer ones are what a private deployment might trust. */
const verifying = (modulusLength: number): Bout => {
  const { privateKey, publicKey } = NodeCrypto.generateKeyPairSync("rsa", { modulusLength })
  const keyUrl = "https://keys.example.com/callback.pem"
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString()
  const trusted = [Either.getOrThrow(CallbackSignature.trust(keyUrl, pem))]
  const path = "/oss/video-uploaded"
  const query = "id=1"
  const text = Buffer.concat([Buffer.from(`${path}?${query}\n`), formBody])
  const authorization = base64(NodeCrypto.sign("RSA-MD5", text, privateKey))
  const received = { path, query, headers: { authorization, "x-oss-pub-key-url": base64(keyUrl) }, body: formBody }
  const byHand = () => {
    const signed = Buffer.concat([Buffer.from(`${decodeURIComponent(path)}?${query}\n`), received.body])
    return NodeCrypto.verify("RSA-MD5", signed, publicKey, Buffer.from(authorization, "base64"))
  }
  if (!byHand()) throw new Error(`node:crypto does not accept its own signature of ${modulusLength} bits`)
  return {
    name: `verify a callback, RSA ${modulusLength}`,
    contestants: [
      { name: "effect-oss", run: () => Either.getOrThrow(CallbackSignature.verify(crypto, trusted, received)) },
      { name: "node:crypto.verify, by hand", run: byHand }
    ]
  }
}

const decoding = (): ReadonlyArray<Bout> => [
  {
    name: "decode a callback's form body",
    contestants: [
      { name: "effect-oss, checked", run: () => Either.getOrThrow(formContract.decode(formBody)) },
      {
        name: "URLSearchParams, unchecked",
        run: () => {
          const fields = new URLSearchParams(formBody.toString())
          return {
            object: fields.get("object"),
            size: Number(fields.get("size")),
            etag: fields.get("etag"),
            userId: fields.get("userId")
          }
        }
      }
    ]
  },
  {
    name: "decode a callback's JSON body",
    contestants: [
      { name: "effect-oss, checked", run: () => Either.getOrThrow(jsonContract.decode(jsonBody)) },
      { name: "JSON.parse, unchecked", run: (): unknown => JSON.parse(jsonBody.toString()) }
    ]
  }
]

export const bouts = async ({ smoke }: Settings): Promise<ReadonlyArray<Bout>> => [
  binding(),
  ...(smoke ? [512] : [512, 2048]).map(verifying),
  ...decoding()
]
