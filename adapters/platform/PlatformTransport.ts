/**
 * The port `Transport` over `@effect/platform`'s HttpClient: for services that run one already, with its pool and proxies.
 *
 * HttpClient keeps less than the port promises, and this says so rather than hide it:
 * - its URL parser folds `..`, so a URL that it would change is refused before anything is sent;
 * - only some clients keep the length of a stream, so bodies are gathered in memory unless you say `streams`;
 * - an answer that comes before the body is sent may be lost, and is then a `TransportError`;
 * - it costs 0.3 to 1 ms of CPU a request. Where there is a choice, take `NodeTransport`.
 * Its spans would tell signed URLs and tokens: they are off, and with them the headers that continue a trace.
 * Source: https://effect-ts.github.io/effect/platform/HttpClient.ts.html
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpMethod from "@effect/platform/HttpMethod"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TransportError, type SourceError } from "../../core/model/OssError.ts"
import { bodySize, Transport, type Request, type Response, type Service } from "../../core/ports/Transport.ts"
import * as FetchBody from "../fetch/FetchBody.ts"
import * as FetchFailure from "../fetch/FetchFailure.ts"
import * as FetchHeaders from "../fetch/FetchHeaders.ts"
import * as FetchUrl from "../fetch/FetchUrl.ts"
import * as ClientBody from "./ClientBody.ts"

export interface Options {
  /**
   * Whether the client sends a stream with its Content-Length: `NodeHttpClient.layer` and `layerUndici` do, and then large
   * bodies are sent piece by piece. `FetchHttpClient` does not. Default false: bodies are gathered in memory.
   */
  readonly streams?: boolean | undefined
}

/**
 * A transport on this client. Limits are measured in real time, not by Effect's `Clock`: a test's clock must not cut live
 * connections. A URL, a method or a header that the client cannot send as it is fails with `TransportError`, reason
 * `Connect`, and nothing is sent.
 */
export const make = (client: HttpClient.HttpClient, { streams = false }: Options = {}): Service => {
  const scoped = HttpClient.withScope(HttpClient.withTracerDisabledWhen(client, () => true))
  return {
    send: (request) => {
      const target = FetchUrl.parse(request.url)
      const refusal = target._tag === "Refused" ? target.detail : unsendable(request)
      if (refusal !== undefined) {
        return Effect.fail(
          new TransportError({ reason: "Connect", sent: "nothing", host: target.host, detail: refusal })
        )
      }
      return exchange(scoped, target.host, request, streams)
    }
  }
}

/** `make` as a layer, over the HttpClient of the context. */
export const layer = (options?: Options): Layer.Layer<Transport, never, HttpClient.HttpClient> =>
  Layer.effect(
    Transport,
    Effect.map(HttpClient.HttpClient, (client) => make(client, options))
  )

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const unsafeValue = /[\0-\x08\x0a-\x1f\x7f]/

/** Why a request cannot be sent; quotes no value. */
const unsendable = ({ headers, method }: Request): string | undefined => {
  if (!HttpMethod.isHttpMethod(method)) return "HttpClient knows no such method"
  return Object.entries(headers).some(([name, value]) => !token.test(name) || unsafeValue.test(value))
    ? "a header's name or value is one that HTTP cannot carry"
    : undefined
}

const realTime = Clock.make()

const exchange = (
  client: HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>,
  host: string,
  request: Request,
  streams: boolean
): Effect.Effect<Response, TransportError | SourceError> =>
  Effect.suspend(() => {
    let begun = false
    let over = false
    let broken: SourceError | undefined
    const size = bodySize(request.body)
    const failure = ({ detail, reason, sent }: FetchFailure.Failure) =>
      new TransportError({ reason, sent, host, detail })
    const onSent = (bytes: number): void => {
      if (!over) request.onSent?.(bytes)
    }
    const body =
      streams && ClientBody.isLarge(request.body)
        ? Effect.sync(() => ClientBody.streamed(request.body, size, onSent, (error) => (broken = error)))
        : Effect.map(
            Effect.tryPromise({ try: () => ClientBody.gather(request.body), catch: FetchBody.asSourceError }),
            ClientBody.inMemory
          )
    return Effect.gen(function* () {
      const content = yield* body
      begun = true
      const response = yield* client.execute(outgoing(request, size, content)).pipe(
        Effect.mapError((cause) => failure(FetchFailure.beforeAnswer(cause))),
        Effect.provideService(FetchHttpClient.RequestInit, yield* settings)
      )
      const answer = yield* readAll(response, request.maxResponseBytes, failure)
      if (size > 0 && content._tag === "Uint8Array") onSent(size)
      return { status: response.status, headers: incoming(response), body: answer }
    }).pipe(
      // Closes the connection, unless the answer was read to its end.
      Effect.scoped,
      Effect.mapError((error) => broken ?? error),
      Effect.timeoutFail({
        duration: request.timeout,
        onTimeout: () => {
          const detail = `not done within ${Duration.format(request.timeout)}`
          return failure({ reason: "Timeout", sent: begun ? "unknown" : "nothing", detail })
        }
      }),
      Effect.ensuring(Effect.sync(() => (over = true))),
      Effect.withClock(realTime)
    )
  })

/** FetchHttpClient follows redirects unless told; other clients do not, and do not look here. */
const settings = Effect.map(Effect.serviceOption(FetchHttpClient.RequestInit), (own): RequestInit => ({
  ...Option.getOrUndefined(own),
  redirect: "manual"
}))

const withoutBody = new Set(["GET", "HEAD", "DELETE", "OPTIONS"])

const outgoing = (request: Request, size: number, body: Parameters<typeof HttpClientRequest.setBody>[1]) => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = FetchHeaders.toWire(value)
  delete headers["content-length"]
  // Without it, Node would send an empty PUT in chunks.
  if (size > 0 || !withoutBody.has(request.method)) headers["content-length"] = String(size)
  // Or OSS would compress the answer for fetch, and its Content-Length would be gone.
  headers["accept-encoding"] ??= "identity"
  const method = request.method as HttpMethod.HttpMethod // looked at before
  const bare = HttpClientRequest.make(method as "PUT")(request.url) // `make` has no type for all methods at once
  // The body first: it sets headers too.
  const filled = size > 0 || !withoutBody.has(method) ? HttpClientRequest.setBody(bare, body) : bare
  return HttpClientRequest.setHeaders(filled, headers)
}

const incoming = ({ headers }: HttpClientResponse.HttpClientResponse): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, FetchHeaders.fromWire(value)]))

/** The whole body, always read to its end, so that its connection can be used again. */
const readAll = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number,
  failure: (failure: FetchFailure.Failure) => TransportError
): Effect.Effect<Uint8Array, TransportError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let length = 0
    return Stream.runForEach(response.stream, (chunk) => {
      chunks.push(chunk)
      length += chunk.length
      const detail = `the answer is longer than ${maxBytes} bytes`
      return length > maxBytes
        ? Effect.fail(failure({ reason: "ResponseTooLong", sent: "unknown", detail }))
        : Effect.void
    }).pipe(
      Effect.catchTag("ResponseError", (cause) =>
        cause.reason === "EmptyBody" ? Effect.void : Effect.fail(failure(FetchFailure.withinAnswer(cause)))
      ),
      Effect.map(() => {
        const whole = new Uint8Array(length)
        let at = 0
        for (const chunk of chunks) {
          whole.set(chunk, at)
          at += chunk.length
        }
        return whole
      })
    )
  })
