/**
 * Callback receivers for runtimes whose servers are functions from Request to Response: edge workers, Next.js, Deno, Bun.
 *
 * The body is passed on as it came, because OSS signed it so, and is read up to the receiver's limit and no further. Path and
 * query are those of a URL, which writes "'" as %27 and folds "." and ".." in paths: callbacks to URLs with these do not verify.
 * Source: Fetch Standard, https://fetch.spec.whatwg.org
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Crypto } from "../../core/ports/Crypto.ts"
import type { Receiver } from "../../core/programs/CallbackReceiver.ts"
import * as NobleCrypto from "./NobleCrypto.ts"

/** What the receiver needs; where that is nothing, `TrustedKeys` may still be given so. */
export type Given<R, E> = [Exclude<R, Crypto>] extends [never]
  ? [layer?: Layer.Layer<never, E>]
  : [layer: Layer.Layer<Exclude<R, Crypto>, E>]

/** Answers one request. It never rejects. */
export type WebHandler = (request: Request) => Promise<Response>

/**
 * The receiver of one Request, which may be an effect that needs the receiver's services.
 *
 * For servers that run Effect themselves; `toWebHandler` is for those that do not.
 */
export const handle = <R>(
  receiver: Receiver<R>,
  request: Request
): Effect.Effect<Response, never, Exclude<R, Crypto>> =>
  Effect.gen(function* () {
    const { pathname, search } = new URL(request.url)
    const headers: Record<string, string> = {}
    request.headers.forEach((value, name) => {
      headers[name] = value
    })
    const body = yield* Effect.promise(() => readUpTo(request, receiver.maxBodyBytes))
    // "/path?" has a query, an empty one, and is signed with its "?".
    const query = request.url.includes("?") ? search.slice(1) : undefined
    const answer = yield* receiver.handle({ method: request.method, path: pathname, query, headers, body })
    return new Response(Uint8Array.from(answer.body), { status: answer.status, headers: answer.headers })
  }).pipe(
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError("a callback could not be answered", Cause.die(defect)), failed())
    ),
    Effect.provideService(Crypto, NobleCrypto.crypto)
  )

/**
 * A handler for a receiver: `export const POST = FetchCallback.toWebHandler(onVideoUploaded, AppLive)`.
 *
 * `layer` gives what the handler needs. It is built at the first request, shared by all, and kept for the life of the
 * process. When it cannot be built, requests are answered with status 500 and its error is logged. A request whose sender
 * has gone away is interrupted.
 */
export const toWebHandler = <R, E = never>(receiver: Receiver<R>, ...given: Given<R, E>): WebHandler => {
  const [layer = Layer.empty] = given
  // Without a layer, by the type of `given`, the receiver needs nothing.
  const runtime = ManagedRuntime.make(layer as Layer.Layer<Exclude<R, Crypto>, E>)
  return async (request) => {
    const exit = await runtime.runPromiseExit(handle(receiver, request), { signal: request.signal }).catch(Exit.die)
    if (Exit.isSuccess(exit)) return exit.value
    // Only the layer can fail here, or the sender has gone.
    if (!Cause.isInterruptedOnly(exit.cause)) {
      Effect.runFork(Effect.logError("a callback could not be answered", exit.cause))
    }
    return failed()
  }
}

const failed = (): Response => Response.json({ error: "Internal Server Error" }, { status: 500 })

/** The body, or as much of it as shows that it is too long. */
const readUpTo = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  if (request.body === null) return new Uint8Array(0)
  const chunks: Array<Uint8Array<ArrayBuffer>> = []
  const reader = request.body.getReader()
  let length = 0
  while (length <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    chunks.push(value)
  }
  if (length > maxBytes) await reader.cancel()
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}
