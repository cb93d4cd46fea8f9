/**
 * The port `Transport` on XMLHttpRequest: for pages that use Effect and want to know how far a body has come.
 *
 * As `FetchTransport` in all but two things. `onSent` is told on the way, as often as the browser looks (some twenty times a second).
 * And browsers follow redirects by themselves: what came from elsewhere is not taken for an answer, but fails as `BadResponse`.
 * To a bucket of another origin, progress makes the browser ask first (a preflight), also before a form.
 * Source: XMLHttpRequest Standard, https://xhr.spec.whatwg.org
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { type SourceError, TransportError } from "../../core/model/OssError.ts"
import { type Request as OssRequest, type Response, type Service, Transport } from "../../core/ports/Transport.ts"
import * as FetchBody from "./FetchBody.ts"
import * as FetchFailure from "./FetchFailure.ts"
import * as FetchHeaders from "./FetchHeaders.ts"
import * as FetchUrl from "./FetchUrl.ts"

/**
 * A transport on XMLHttpRequest. Fails as `FetchTransport` does. Limits are measured in real time, not by Effect's `Clock`.
 */
export const make = (): Service => ({
  send: (request) => {
    const target = FetchUrl.parse(request.url)
    if (target._tag === "Refused") return Effect.fail(FetchUrl.refusal(target))
    return exchange(target.host, request)
  }
})

/** `make` as a layer. */
export const layer: Layer.Layer<Transport> = Layer.sync(Transport, make)

const exchange = (host: string, request: OssRequest): Effect.Effect<Response, TransportError | SourceError> =>
  Effect.async((resume) => {
    const xhr = new XMLHttpRequest()
    const stopped = new AbortController()
    const listening = { signal: stopped.signal }
    let begun = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = (): void => {
      clearTimeout(timer)
      stopped.abort()
      xhr.abort()
    }
    const end = (outcome: Exit.Exit<Response, TransportError | SourceError>): void => {
      if (stopped.signal.aborted) return
      stop()
      resume(outcome)
    }
    const fail = (reason: TransportError["reason"], detail: string): void =>
      end(Exit.fail(new TransportError({ reason, sent: begun ? "unknown" : "nothing", host, detail })))

    if (Duration.isFinite(request.timeout)) {
      const detail = `not done within ${Duration.format(request.timeout)}`
      timer = setTimeout(() => fail("Timeout", detail), Math.min(Duration.toMillis(request.timeout), 2 ** 31 - 1))
    }
    let sent = 0
    const tell = (bytes: number): void => {
      if (bytes <= sent) return
      sent = bytes
      request.onSent?.(bytes)
    }
    const isTooLong = (bytes: number): boolean => {
      const tooLong = bytes > request.maxResponseBytes && request.method !== "HEAD"
      if (tooLong) fail("ResponseTooLong", `the answer is longer than ${request.maxResponseBytes} bytes`)
      return tooLong
    }

    const run = async (): Promise<void> => {
      const body = await FetchBody.gather(request.body, stopped.signal)
      if (stopped.signal.aborted) return
      xhr.responseType = "arraybuffer"
      try {
        xhr.open(request.method, request.url)
        for (const [name, value] of Object.entries(request.headers)) {
          if (name.toLowerCase() !== "content-length") xhr.setRequestHeader(name, FetchHeaders.toWire(value))
        }
      } catch {
        return fail("Connect", "a header's name or value is one that HTTP cannot carry")
      }
      if (request.onSent !== undefined && body !== undefined) {
        xhr.upload.addEventListener("progress", ({ loaded }) => tell(loaded), listening)
      }
      xhr.addEventListener("progress", ({ loaded }) => isTooLong(loaded), listening)
      const ended = (): void => {
        if (xhr.status === 0) {
          const { detail, reason } = FetchFailure.beforeAnswer(undefined)
          return fail(reason, detail)
        }
        if (xhr.responseURL !== new URL(request.url).href) {
          return fail("BadResponse", "the server redirects, and the browser followed")
        }
        const content = new Uint8Array(xhr.response as ArrayBuffer) // by its responseType
        if (isTooLong(content.length)) return
        tell(FetchBody.size(body))
        end(Exit.succeed({ status: xhr.status, headers: headersOf(xhr), body: content }))
      }
      xhr.addEventListener("loadend", ended, listening)
      begun = true
      // Bytes are copied for whoever watches the network, which takes seconds; a Blob is not.
      xhr.send(body instanceof Uint8Array ? new Blob([body]) : (body ?? null))
    }
    run().catch((cause: unknown) => end(Exit.fail(FetchBody.asSourceError(cause))))
    return Effect.sync(stop)
  })

/** A line for each header, names in lower case; those that stand twice are joined by the browser. */
const headersOf = (xhr: XMLHttpRequest): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const line of xhr.getAllResponseHeaders().split("\r\n")) {
    const colon = line.indexOf(": ")
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = FetchHeaders.fromWire(line.slice(colon + 2))
  }
  return headers
}
