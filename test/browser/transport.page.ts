/**
 * The page's half of the transport's contract: FetchTransport in Chromium, driven from Node.
 */
import { FetchTransport } from "effect-oss/fetch"
import { Transport } from "effect-oss"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** A request without its body: that is fetched from Node, at `/bytes/<id>` or chunk by chunk at `/pull/<id>`. */
export interface Order {
  readonly id: number
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body:
    { readonly _tag: "Empty" } | { readonly _tag: "Bytes" } | { readonly _tag: "Chunks"; readonly size: number }
  readonly timeoutMillis: number
  readonly maxResponseBytes: number
}

export type Outcome =
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

declare global {
  /** Node is told what `onSent` is told. */
  var told: (id: number, bytes: number) => Promise<void>
  var send: (order: Order) => Promise<Outcome>
  var interrupt: (id: number) => void
}

const toBase64 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

/** 200: bytes; 204: no more; 500: the iterator threw. */
const ask = async (path: string): Promise<Uint8Array | undefined> => {
  const response = await fetch(path)
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (response.status === 500) throw new Error("the iterator in Node threw")
  return response.status === 200 ? bytes : undefined
}

async function* chunks(id: number): AsyncGenerator<Uint8Array> {
  try {
    for (let chunk = await ask(`/pull/${id}`); chunk !== undefined; chunk = await ask(`/pull/${id}`)) yield chunk
  } finally {
    await ask(`/stop/${id}`)
  }
}

const bodyOf = async ({ body, id }: Order): Promise<Transport.Body> => {
  if (body._tag === "Empty") return Transport.empty
  if (body._tag === "Chunks") return { _tag: "Chunks", size: body.size, chunks: () => chunks(id) }
  return Transport.bytes((await ask(`/bytes/${id}`)) ?? new Uint8Array(0))
}

const transport = FetchTransport.make()
const running = new Map<number, Fiber.RuntimeFiber<unknown, unknown>>()

globalThis.send = async (order) => {
  const { headers, id, maxResponseBytes, method, timeoutMillis, url } = order
  const body = await bodyOf(order)
  return new Promise((resolve) => {
    const fiber = Effect.runFork(
      transport.send({
        method,
        url,
        headers,
        body,
        timeout: Duration.millis(timeoutMillis),
        maxResponseBytes,
        onSent: (bytes) => void told(id, bytes)
      })
    )
    running.set(id, fiber)
    fiber.addObserver((exit) => {
      running.delete(id)
      if (Exit.isSuccess(exit)) {
        const { body, headers, status } = exit.value
        return resolve({ _tag: "Response", status, headers, base64: toBase64(body) })
      }
      const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
      if (error === undefined) return resolve({ _tag: "Other", detail: Cause.pretty(exit.cause) })
      const { detail, reason } = error
      if (error._tag === "SourceError") return resolve({ _tag: "SourceError", reason, detail })
      resolve({ _tag: "TransportError", reason, sent: error.sent, host: error.host, detail })
    })
  })
}

globalThis.interrupt = (id) => {
  const fiber = running.get(id)
  fiber?.unsafeInterruptAsFork(fiber.id())
}
