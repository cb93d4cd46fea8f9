/**
 * Callback receivers as routes of @effect/platform: `HttpRouter.post("/oss/uploaded", CallbackRoute.make(onUploaded))`.
 *
 * The route composes with a user's own router and layers. Path and query are taken as they were sent, and the body as it
 * came, because OSS signed them so; the body is kept up to the receiver's limit and no further. Put no body parser before it.
 * Headers that decide what is verified are refused when they come twice.
 * Source: https://github.com/Effect-TS/effect/tree/main/packages/platform
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Crypto } from "../../core/ports/Crypto.ts"
import type { Receiver } from "../../core/programs/CallbackReceiver.ts"
import * as SingleHeaders from "../../core/wire/callback/SingleHeaders.ts"
import * as NobleCrypto from "../fetch/NobleCrypto.ts"

/**
 * The receiver as an app: it needs what the handler needs, and never fails. A `Crypto` that is provided is used (Node's is
 * faster); else the portable one.
 */
export const make = <R>(receiver: Receiver<R>): HttpApp.Default<never, Exclude<R, Crypto>> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const crypto = Option.getOrElse(yield* Effect.serviceOption(Crypto), () => NobleCrypto.crypto)
    const { path, query } = targetOf(request.originalUrl)
    const { headers, method } = request
    if (SingleHeaders.comeTwice(rawHeadersOf(request.source))) {
      return HttpServerResponse.unsafeJson({ error: "Bad Request" }, { status: 400 })
    }
    const body = yield* readUpTo(request, receiver.maxBodyBytes)
    const answer = yield* receiver
      .handle({ method, path, query, headers, body })
      .pipe(Effect.provideService(Crypto, crypto))
    return HttpServerResponse.uint8Array(answer.body, { status: answer.status, headers: answer.headers })
  }).pipe(
    // The platform runs routes where nothing can interrupt them; a handler is stopped when its sender hangs up.
    Effect.interruptible,
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError("a callback could not be answered", defect), HttpServerResponse.empty({ status: 500 }))
    )
  )

/** Path and query of a target, which some runtimes give with scheme and host. */
const targetOf = (target: string): { readonly path: string; readonly query: string | undefined } => {
  const [, path, query] = /^(?:[a-z]+:\/\/[^/?]*)?([^?]*)(?:\?(.*))?$/is.exec(target) ?? ["", target, undefined]
  return { path: path === "" ? "/" : (path ?? ""), query }
}

/** Node's request has each header as it came; others have joined what came twice, and verification refuses that. */
const rawHeadersOf = (source: unknown): ReadonlyArray<string> => {
  const known = typeof source === "object" && source !== null && "rawHeaders" in source ? source.rawHeaders : []
  return Array.isArray(known) ? known.map(String) : []
}

/** So many bytes beyond the limit are read and thrown away, in bytes: what is read to its end can be answered. */
const patience = 1024 * 1024

/** The body, or as much of it as shows that it is too long. A sender that goes away leaves a body that nothing verifies. */
const readUpTo = (request: HttpServerRequest.HttpServerRequest, maxBytes: number): Effect.Effect<Uint8Array> => {
  const empty: { readonly length: number; readonly chunks: ReadonlyArray<Uint8Array> } = { length: 0, chunks: [] }
  return request.stream.pipe(
    Stream.runFoldWhile(
      empty,
      ({ length }) => length <= maxBytes + patience,
      ({ chunks, length }, chunk) => ({
        length: length + chunk.length,
        chunks: length <= maxBytes ? [...chunks, chunk] : chunks
      })
    ),
    Effect.map(({ chunks }) => {
      const body = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
      let at = 0
      for (const chunk of chunks) {
        body.set(chunk, at)
        at += chunk.length
      }
      return body
    }),
    Effect.orElseSucceed(() => new Uint8Array(0))
  )
}
