/**
 * A bare client for tests of the emulator: signs what it is told to sign, sends what it is told to send.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import { utf8 } from "../../../adapters/emulator/Server.ts"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import { bytes, type Body, empty, Transport } from "../../../core/ports/Transport.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Uri from "../../../core/wire/Uri.ts"

export const signer = Signature.make(crypto)

/** What a test with this client needs. */
export type Needs = OssEmulator | Transport

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
  // Over a socket, bytes of headers come back as Latin-1.
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, utf8(value)]))
  return {
    ...response,
    headers,
    text,
    xml: (element) => {
      const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(document)?.[1]
      return found === undefined ? undefined : unescape(found)
    }
  }
}

/** The headers that sign a request. */
export const signed = (input: Input) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const { method = "GET", bucket = oss.bucket, key, query = {}, headers = {} } = input
    const time = (yield* Clock.currentTimeMillis) + (input.skew ?? 0)
    return Either.getOrThrow(
      Signature.signHeaders(
        signer,
        { method, bucket, key, query, headers },
        { credentials: input.credentials ?? oss.credentials, region: input.region ?? oss.region, time }
      )
    ).headers
  })

/** Sends a request about an object or the bucket, signed by its headers unless told otherwise. */
export const send = (input: Input) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const transport = yield* Transport
    const { method = "GET", bucket = oss.bucket, key, query = {}, headers = {}, body } = input
    const own = input.sign === "none" ? {} : yield* signed(input)
    const search = Uri.encodeQuery(query)
    const path = input.path ?? `/${bucket}/${key === undefined ? "" : Uri.encodePath(key)}`
    const response = yield* transport.send({
      method,
      url: `${oss.endpoint}${path}${search === "" ? "" : `?${search}`}`,
      headers: { ...headers, ...own, ...input.tamper },
      body: toBody(body),
      timeout: Duration.seconds(30),
      maxResponseBytes: 64 * 1024 * 1024
    })
    return output(response)
  })

/** Lists buckets: about no bucket, so nothing but "/" is signed. */
export const listBuckets = (query: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const time = yield* Clock.currentTimeMillis
    const terms = { credentials: oss.credentials, region: oss.region, time }
    const request = { method: "GET", bucket: undefined, key: undefined, query, headers: {} }
    const { headers } = Either.getOrThrow(Signature.signHeaders(signer, request, terms))
    return yield* send({ path: "/", query, headers, sign: "none" })
  })

export const put = (key: string, body: Input["body"], more: Input = {}) =>
  send({ method: "PUT", key, body: body ?? "", ...more })
export const get = (key: string, more: Input = {}) => send({ method: "GET", key, ...more })

interface Presigning extends Input {
  /** Seconds. */
  readonly expiresIn?: number
  /** Changes the query after it was signed. */
  readonly requery?: (query: Record<string, string>) => Record<string, string>
}

/** Sends a request signed in its query. */
export const sendPresigned = (input: Presigning) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator
    const { method = "GET", bucket = oss.bucket, key, query = {}, headers = {} } = input
    const time = (yield* Clock.currentTimeMillis) + (input.skew ?? 0)
    const { query: signed } = Either.getOrThrow(
      Signature.presign(
        signer,
        { method, bucket, key, query, headers },
        {
          credentials: input.credentials ?? oss.credentials,
          region: input.region ?? oss.region,
          time,
          expiresIn: input.expiresIn ?? 600
        }
      )
    )
    return yield* send({ ...input, query: input.requery?.({ ...signed }) ?? signed, sign: "none" })
  })

/** A field of a form; the file is the one with a file name or of the name `file`. */
export interface Field {
  readonly name: string
  readonly value: string | Uint8Array
  readonly filename?: string
  readonly type?: string
}

const line = (text: string): Uint8Array => new TextEncoder().encode(`${text}\r\n`)

/** The bytes of a form with the boundary `B0undary`. */
export const formBody = (fields: ReadonlyArray<Field>): Uint8Array =>
  new Uint8Array(
    Buffer.concat([
      ...fields.flatMap(({ name, value, filename, type }) => [
        line("--B0undary"),
        line(
          `Content-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}`
        ),
        ...(type === undefined ? [] : [line(`Content-Type: ${type}`)]),
        line(""),
        typeof value === "string" ? new TextEncoder().encode(value) : value,
        line("")
      ]),
      line("--B0undary--")
    ])
  )

/** Posts a form. */
export const post = (fields: ReadonlyArray<Field>, input: Input = {}) =>
  send({
    method: "POST",
    body: formBody(fields),
    sign: "none",
    ...input,
    headers: { "content-type": "multipart/form-data; boundary=B0undary", ...input.headers }
  })
