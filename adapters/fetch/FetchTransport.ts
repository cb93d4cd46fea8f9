/**
 * The port `Transport` on plain `fetch`: for browsers, edge runtimes, Deno, Bun, and Node where node:http is not wanted.
 *
 * `fetch` keeps less than the port promises, and this says so rather than hide it:
 * - its URL parser folds `..`, so a URL that it would change is refused before anything is sent;
 * - a body must have its length known, so chunks are gathered into a Blob first (browsers keep large ones on disk);
 * - it tells nothing of how far a body has come: `onSent` is called once, at the end. For pages there is `XhrTransport`;
 * - in a browser, why a request failed is hidden: `sent` is then `unknown`.
 * Source: Fetch Standard, https://fetch.spec.whatwg.org
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { type SourceError, TransportError } from "../../core/model/OssError.ts"
import {
  type Request as OssRequest,
  type Response as OssResponse,
  type Service,
  Transport
} from "../../core/ports/Transport.ts"
import * as FetchBody from "./FetchBody.ts"
import * as FetchFailure from "./FetchFailure.ts"
import * as FetchHeaders from "./FetchHeaders.ts"
import * as FetchUrl from "./FetchUrl.ts"

export interface Options {
  /** Default: the runtime's own `fetch`, looked up at each request. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * A transport on `fetch`. Limits are measured in real time, not by Effect's `Clock`: a test's clock must not cut live
 * connections. A URL that `fetch` would change, a method or a header that it refuses, fails with `TransportError`, reason
 * `Connect`, and nothing is sent.
 */
export const make = (options: Options = {}): Service => ({
  send: (request) => {
    const target = FetchUrl.parse(request.url)
    if (target._tag === "Refused") return Effect.fail(FetchUrl.refusal(target))
    return exchange(options.fetch ?? globalThis.fetch, target.host, request)
  }
})

/** `make` as a layer. */
export const layer = (options?: Options): Layer.Layer<Transport> => Layer.sync(Transport, () => make(options))

/** A timer takes longer times than these 25 days for none. */
const maxTimer = 2 ** 31 - 1

const exchange = (
  fetch: typeof globalThis.fetch,
  host: string,
  request: OssRequest
): Effect.Effect<OssResponse, TransportError | SourceError> =>
  Effect.async((resume) => {
    const controller = new AbortController()
    const { signal } = controller
    const failure = (reason: TransportError["reason"], sent: TransportError["sent"], detail: string) =>
      new TransportError({ reason, sent, host, detail })
    let over = false
    /** Whether `fetch` was called: before, the body is gathered. */
    let begun = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (outcome: Exit.Exit<OssResponse, TransportError | SourceError>): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      // Closes the connection, unless the answer was read to its end.
      if (Exit.isFailure(outcome)) controller.abort()
      resume(outcome)
    }
    const fail = (error: TransportError | SourceError) => end(Exit.fail(error))
    if (Duration.isFinite(request.timeout)) {
      const detail = `not done within ${Duration.format(request.timeout)}`
      timer = setTimeout(
        () => fail(failure("Timeout", begun ? "unknown" : "nothing", detail)),
        Math.min(Duration.toMillis(request.timeout), maxTimer)
      )
    }

    const run = async (): Promise<void> => {
      const body = await FetchBody.gather(request.body, signal)
      if (over) return
      let init: RequestInit
      try {
        init = { ...FetchHeaders.init(request), signal, redirect: "manual", ...(body === undefined ? {} : { body }) }
      } catch {
        return fail(failure("Connect", "nothing", "a header's name or value is one that HTTP cannot carry"))
      }
      begun = true
      const response = await fetch(request.url, init).catch((cause: unknown) => {
        const { detail, reason, sent } = FetchFailure.beforeAnswer(cause)
        return fail(failure(reason, sent, detail))
      })
      if (response === undefined || over) return
      if (response.type === "opaqueredirect") {
        return fail(failure("BadResponse", "unknown", "the server redirects, and a browser hides where to"))
      }
      const content = await readAll(response, request.maxResponseBytes).catch((cause: unknown) => {
        const { detail, reason } = FetchFailure.withinAnswer(cause)
        return fail(failure(reason, "unknown", detail))
      })
      if (content === "too long") {
        return fail(
          failure("ResponseTooLong", "unknown", `the answer is longer than ${request.maxResponseBytes} bytes`)
        )
      }
      if (content === undefined || over) return
      const total = FetchBody.size(body)
      if (total > 0) request.onSent?.(total)
      end(Exit.succeed({ status: response.status, headers: FetchHeaders.read(response.headers), body: content }))
    }
    run().catch((cause: unknown) => fail(FetchBody.asSourceError(cause)))

    return Effect.sync(() => {
      over = true
      clearTimeout(timer)
      controller.abort()
    })
  })

/** The whole body, always read to its end, so that its connection can be used again. */
const readAll = async (response: Response, maxBytes: number): Promise<Uint8Array | "too long"> => {
  if (response.body === null) return new Uint8Array(0)
  const chunks: Array<Uint8Array> = []
  let length = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > maxBytes) return "too long"
    chunks.push(value)
  }
  if (chunks.length === 1) return chunks[0]! // its length was just looked at
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
