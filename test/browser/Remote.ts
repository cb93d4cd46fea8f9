/**
 * The far half of the transport's contract: FetchTransport elsewhere, in Chromium or at the edge, driven from Node.
 */
import { FetchTransport, XhrTransport } from "effect-oss/fetch"
import { type OssError, Transport } from "effect-oss"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

/** A request without its body: that is fetched from Node, at `/bytes/<id>` or chunk by chunk at `/pull/<id>`. */
export interface Order {
  readonly id: number
  readonly by: "fetch" | "xhr"
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body:
    { readonly _tag: "Empty" } | { readonly _tag: "Bytes" } | { readonly _tag: "Chunks"; readonly size: number }
  readonly timeoutMillis: number
  readonly maxResponseBytes: number
}

/** What became of it, and what `onSent` was told. */
export type Outcome = { readonly told: ReadonlyArray<number> } & Result

type Result =
  | {
      readonly _tag: "Response"
      readonly status: number
      readonly headers: Record<string, string>
      readonly base64: string
    }
  | {
      readonly _tag: "TransportError"
      readonly reason: string
      readonly sent: string
      readonly host: string
      readonly detail: string
    }
  | { readonly _tag: "SourceError"; readonly reason: string; readonly detail: string }
  | { readonly _tag: "Other"; readonly detail: string }

const toBase64 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

/** 200: bytes; 204: no more; 500: the iterator threw. */
const ask = async (url: string): Promise<Uint8Array | undefined> => {
  const response = await fetch(url)
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (response.status === 500) throw new Error("the iterator in Node threw")
  return response.status === 200 ? bytes : undefined
}

async function* chunks(home: string, id: number): AsyncGenerator<Uint8Array> {
  const pull = () => ask(`${home}/pull/${id}`)
  try {
    for (let chunk = await pull(); chunk !== undefined; chunk = await pull()) yield chunk
  } finally {
    await ask(`${home}/stop/${id}`)
  }
}

const bodyOf = async (home: string, { body, id }: Order): Promise<Transport.Body> => {
  if (body._tag === "Empty") return Transport.empty
  if (body._tag === "Chunks") return { _tag: "Chunks", size: body.size, chunks: () => chunks(home, id) }
  return Transport.bytes((await ask(`${home}/bytes/${id}`)) ?? new Uint8Array(0))
}

const transports = { fetch: FetchTransport.make(), xhr: XhrTransport.make() }

const toResult = (exit: Exit.Exit<Transport.Response, OssError.TransportError | OssError.SourceError>): Result => {
  if (Exit.isSuccess(exit)) {
    const { body, headers, status } = exit.value
    return { _tag: "Response", status, headers, base64: toBase64(body) }
  }
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  if (error === undefined) return { _tag: "Other", detail: Cause.pretty(exit.cause) }
  const { detail, reason } = error
  if (error._tag === "SourceError") return { _tag: "SourceError", reason, detail }
  return { _tag: "TransportError", reason, sent: error.sent, host: error.host, detail }
}

/** Sends it, with its body from `home`, unless the signal interrupts it. */
export const send = async (home: string, order: Order, signal: AbortSignal): Promise<Outcome> => {
  const { headers, maxResponseBytes, method, timeoutMillis, url } = order
  const told: Array<number> = []
  const exit = await Effect.runPromiseExit(
    transports[order.by].send({
      method,
      url,
      headers,
      body: await bodyOf(home, order),
      timeout: Duration.millis(timeoutMillis),
      maxResponseBytes,
      onSent: (bytes) => told.push(bytes)
    }),
    { signal }
  )
  return { told, ...toResult(exit) }
}
