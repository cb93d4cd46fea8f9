/**
 * A bare client for tests of the emulator: signs what it is told to sign, sends what it is told to send.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import { bytes, type Body, empty, Transport } from "../../../core/ports/Transport.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Uri from "../../../core/wire/Uri.ts"

export const signer = Signature.make(crypto)

export interface Input {
  readonly method?: string
  readonly bucket?: string
  /** `undefined`: about the bucket. */
  readonly key?: string | undefined
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Body
  /** Changes what is sent after it was signed. */
  readonly tamper?: Readonly<Record<string, string>>
  /** The path as it goes out, where it is not the plain one. */
  readonly path?: string
  readonly credentials?: Credentials
  readonly region?: string
  /** Milliseconds by which the client's clock is ahead. */
  readonly skew?: number
  /** "none": anonymous. Default: in the headers. */
  readonly sign?: "header" | "none"
}

export interface Output {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly text: string
  /** An element's text in the answer's XML, unescaped. */
  readonly xml: (element: string) => string | undefined
}

export const toBody = (body: Input["body"]): Body =>
  body === undefined
    ? empty
    : typeof body === "string"
      ? bytes(new TextEncoder().encode(body))
      : body instanceof Uint8Array
        ? bytes(body)
        : body

const unescape = (text: string): string =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

export const output = (response: {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}): Output => {
  const text = new TextDecoder().decode(response.body)
  const document = response.headers["x-oss-err"]
    ? Buffer.from(response.headers["x-oss-err"], "base64").toString()
    : text
  return {
    ...response,
    text,
    xml: (element) => {
      const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(document)?.[1]
      return found === undefined ? undefined : unescape(found)
    }
  }
}

/** Sends a request about an object or the bucket, signed by its headers unless told otherwise. */
export const send = (input: Input) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const transport = yield* Transport
    const { method = "GET", bucket = oss.bucket, key, query = {}, headers = {}, body } = input
    const time = (yield* Clock.currentTimeMillis) + (input.skew ?? 0)
    const signed =
      input.sign === "none"
        ? {}
        : Either.getOrThrow(
            Signature.signHeaders(
              signer,
              { method, bucket, key, query, headers },
              { credentials: input.credentials ?? oss.credentials, region: input.region ?? oss.region, time }
            )
          ).headers
    const search = Uri.encodeQuery(query)
    const path = input.path ?? `/${bucket}/${key === undefined ? "" : Uri.encodePath(key)}`
    const response = yield* transport.send({
      method,
      url: `${oss.endpoint}${path}${search === "" ? "" : `?${search}`}`,
      headers: { ...headers, ...signed, ...input.tamper },
      body: toBody(body),
      timeout: Duration.seconds(30),
      maxResponseBytes: 64 * 1024 * 1024
    })
    return output(response)
  })

export const put = (key: string, body: Input["body"], more: Input = {}) =>
  send({ method: "PUT", key, body: body ?? "", ...more })
export const get = (key: string, more: Input = {}) => send({ method: "GET", key, ...more })

/** A secret that no emulator knows. */
export const otherKey = (secret: Redacted.Redacted): Credentials => ({
  accessKeyId: "stranger",
  accessKeySecret: secret
})
