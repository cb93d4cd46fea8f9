/**
 * The emulator as a `Transport`: a request goes straight to the handler, without a socket.
 *
 * For tests that must be fast or must not open ports. What a socket would do is kept: bodies are pulled chunk by chunk,
 * a fault that cuts the connection is a `TransportError` of reason `Reset`, and interruption breaks the body off.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { SourceError, TransportError } from "../../core/model/OssError.ts"
import * as Transport from "../../core/ports/Transport.ts"
import * as Http from "./Http.ts"
import * as Sending from "./Sending.ts"
import type { Handler } from "./Server.ts"

const absolute = /^https?:\/\/([^/?#]*)(.*)$/is

const chunksOf = (body: Transport.Body): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  body._tag === "Chunks" ? body.chunks() : body._tag === "Bytes" && body.bytes.length > 0 ? [body.bytes] : []

const changed = (detail: string): SourceError => new SourceError({ reason: "Changed", source: "request body", detail })

// A body that nobody reads any more has nobody to tell.
const noted = (): void => {}

interface Outgoing {
  readonly body: AsyncIterable<Uint8Array>
  /** What the source of the bytes failed with. */
  readonly failure: () => SourceError | undefined
  /** Makes the next pull fail. */
  readonly abort: () => void
}

const outgoing = (request: Transport.Request): Outgoing => {
  const size = Transport.bodySize(request.body)
  let failure: SourceError | undefined
  const hangUp = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    hangUp.signal.addEventListener("abort", () => reject(new Error("the client hung up")))
  })
  aborted.catch(noted)
  async function* body(): AsyncGenerator<Uint8Array> {
    const source = chunksOf(request.body)
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    let sent = 0
    try {
      while (true) {
        const next = await Promise.race([iterator.next(), aborted])
        if (next.done === true) break
        sent += next.value.length
        if (sent > size) throw changed(`gave more than the ${size} bytes it declared`)
        // The source may reuse a chunk's memory.
        yield Uint8Array.from(next.value)
        request.onSent?.(sent)
      }
      if (sent < size) throw changed(`gave ${sent} of the ${size} bytes it declared`)
    } catch (cause) {
      if (cause instanceof SourceError) failure = cause
      throw cause
    } finally {
      void iterator.return?.()
    }
  }
  return { body: body(), failure: () => failure, abort: () => hangUp.abort() }
}

const lower = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const collect = async (response: Http.Response): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of Sending.chunks(response.body)) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

/** The transport. The handler runs by the caller's clock, so a test's clock rules both. */
export const make = <R>(handler: Handler<R>, context: Context.Context<R>): Transport.Service => ({
  send: (request) =>
    Effect.gen(function* () {
      const [, host, target] = absolute.exec(request.url) ?? []
      const failed = (reason: TransportError["reason"], sent: TransportError["sent"], detail: string) =>
        new TransportError({ reason, sent, host: host ?? "", detail })
      if (host === undefined || target === undefined) {
        return yield* failed("Connect", "nothing", "the URL must be absolute")
      }
      const out = outgoing(request)
      const incoming: Http.Request = {
        method: request.method,
        target: target.startsWith("/") ? target : `/${target}`,
        headers: { host, "content-length": String(Transport.bodySize(request.body)), ...lower(request.headers) },
        httpVersion: "1.1",
        body: out.body,
        remoteAddress: "127.0.0.1",
        sendContinue: () => {}
      }
      const answering = Effect.scoped(
        Effect.flatMap(handler(incoming), (response) =>
          Effect.map(
            Effect.promise(() => collect(response)),
            (body) => ({ response, body })
          )
        )
      )
      // A daemon, so that hanging up need not wait for what the server does after it.
      const fiber = yield* Effect.forkDaemon(Effect.provide(answering, context))
      const { response, body } = yield* Fiber.join(fiber).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.sync(() => out.abort()),
            Fiber.interruptFork(fiber)
          )
        ),
        Effect.timeoutFail({
          duration: request.timeout,
          onTimeout: () => failed("Timeout", "unknown", `no answer within ${Duration.format(request.timeout)}`)
        })
      )
      const failure = out.failure()
      if (failure !== undefined) return yield* failure
      if (response.hangUp !== undefined) return yield* failed("Reset", "unknown", "the server closed the connection")
      if (body.length > request.maxResponseBytes) {
        return yield* failed("ResponseTooLong", "unknown", `more than ${request.maxResponseBytes} bytes came back`)
      }
      const length = String(response.contentLength ?? Http.size(response.body))
      return { status: response.status, headers: { "content-length": length, ...lower(response.headers) }, body }
    })
})
