/**
 * The near half of the transport's contract: a Transport whose requests are sent by another process (Remote.ts).
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { SourceError, TransportError } from "../../core/model/OssError.ts"
import type { Body, Request, Response, Service } from "../../core/ports/Transport.ts"
import type { Order, Outcome } from "./Remote.ts"

/** What Node keeps of a request that is sent elsewhere. */
interface Kept {
  readonly request: Request
  iterator: AsyncIterator<Uint8Array> | undefined
  thrown: unknown
  /** Settles when it is over: with true when it was interrupted. */
  readonly interrupted: Promise<boolean>
}

const orderOf = (
  id: number,
  by: Order["by"],
  { body, headers, maxResponseBytes, method, timeout, url }: Request
): Order => ({
  id,
  by,
  method,
  url,
  headers,
  body: plain(body),
  timeoutMillis: Duration.toMillis(timeout),
  maxResponseBytes
})

const plain = (body: Body): Order["body"] =>
  body._tag === "Empty" ? body : body._tag === "Bytes" ? { _tag: "Bytes" } : { _tag: "Chunks", size: body.size }

const toResult = (outcome: Outcome, { thrown }: Kept): Effect.Effect<Response, TransportError | SourceError> => {
  switch (outcome._tag) {
    case "Response": {
      const { base64, headers, status } = outcome
      return Effect.succeed({ status, headers, body: new Uint8Array(Buffer.from(base64, "base64")) })
    }
    case "TransportError":
      return Effect.fail(new TransportError(outcome as ConstructorParameters<typeof TransportError>[0])) // it was one
    case "SourceError": {
      // An error cannot leave its process: what the iterator threw here is what was met there.
      if (thrown instanceof SourceError) return Effect.fail(thrown)
      const { detail } = outcome
      const reason = outcome.reason as SourceError["reason"] // it was one
      const cause = thrown === undefined ? {} : { cause: thrown }
      return Effect.fail(new SourceError({ reason, source: "request body", detail, ...cause }))
    }
    case "Other":
      return Effect.dieMessage(outcome.detail)
  }
}

const kept = new Map<number, Kept>()

/** What is asked of Node: an empty page, and the bodies of requests. */
const answer = async (path: string): Promise<Uint8Array | "over" | "threw"> => {
  const [, what, id] = path.split("/")
  const one = kept.get(Number(id))
  const body = one?.request.body
  if (one === undefined || body === undefined) return "over"
  if (what === "interrupted") return (await one.interrupted) ? new Uint8Array(0) : "over"
  if (body._tag === "Bytes") return body.bytes
  if (what === "stop") {
    await one.iterator?.return?.()
    return "over"
  }
  if (body._tag === "Empty") return "over"
  // Several chunks at once: each way takes its time.
  const batch: Array<Buffer> = []
  let length = 0
  while (one.thrown === undefined && length < 2 ** 21) {
    try {
      one.iterator ??= body.chunks()[Symbol.asyncIterator]()
      const next = await one.iterator.next()
      if (next.done === true) break
      length += next.value.length
      batch.push(Buffer.from(next.value))
    } catch (error) {
      one.thrown = error
    }
  }
  if (batch.length > 0) return Buffer.concat(batch)
  return one.thrown === undefined ? "over" : "threw"
}

const home = Http.createServer(async (request, response) => {
  if (request.url === "/") return response.writeHead(200, { "content-type": "text/html" }).end()
  const found = await answer(request.url ?? "")
  return typeof found === "string" ? response.writeHead(found === "over" ? 204 : 500).end() : response.end(found)
})

/** Where bodies are to be had: `http://127.0.0.1:port`. */
export const open = (): Promise<string> =>
  new Promise((resolve) => {
    // It listens on a port.
    home.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(home.address() as AddressInfo).port}`))
  })

export const close = (): void => {
  home.closeAllConnections()
  home.close()
}

let last = 0

/** `by`: what sends there. `run` has an order carried out elsewhere, and stops it when the signal says so. */
export const transport = (by: Order["by"], run: (order: Order, signal: AbortSignal) => Promise<Outcome>): Service => ({
  send: (request) =>
    Effect.suspend(() => {
      const id = ++last
      const over = new AbortController()
      const interrupted = new Promise<boolean>((resolve) =>
        over.signal.addEventListener("abort", () => resolve(over.signal.reason === "interrupted"))
      )
      const one: Kept = { request, iterator: undefined, thrown: undefined, interrupted }
      kept.set(id, one)
      return Effect.async<Response, TransportError | SourceError>((resume) => {
        const controller = new AbortController()
        run(orderOf(id, by, request), controller.signal).then(
          (outcome) => {
            over.abort("done")
            for (const bytes of outcome.told) request.onSent?.(bytes)
            resume(toResult(outcome, one))
          },
          (error: unknown) => resume(Effect.die(error))
        )
        return Effect.sync(() => {
          over.abort("interrupted")
          controller.abort()
        })
      })
    })
})
