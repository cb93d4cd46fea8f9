/** A web server that gives one body in ranges, as nginx would; what tests need is wrong with it on demand. */
import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestServer from "../../support/TestServer.ts"

export interface RangeServer {
  readonly origin: string
  readonly received: TestServer.TestServer["received"]
  /** What is served from now on. */
  readonly serve: (content: Uint8Array, etag: string) => void
  /** Answers the next requests, each by one of these, before it serves again. */
  readonly next: (...handlers: ReadonlyArray<TestServer.Handler>) => void
  /** Answers every request so from now on. */
  readonly always: (handler: TestServer.Handler) => void
}

export const start = (content: Uint8Array, etag = '"v1"'): Effect.Effect<RangeServer, never, Scope.Scope> => {
  let [body, tag] = [content, etag]
  const queue: Array<TestServer.Handler> = []
  let fixed: TestServer.Handler | undefined

  const ranges: TestServer.Handler = (request, response, received) => {
    const { "if-match": condition, range } = request.headers
    const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? "")
    const reply = (status: number, headers: Record<string, string>, bytes: Uint8Array = new Uint8Array(0)) =>
      TestServer.answer(status, { ETag: tag, ...headers }, Buffer.from(bytes))(request, response, received)
    if (condition !== undefined && condition !== tag) return reply(412, {})
    if (asked === null) return reply(200, {}, body)
    const [first, last] = [Number(asked[1]), Math.min(Number(asked[2]), body.length - 1)]
    if (first >= body.length) return reply(416, { "Content-Range": `bytes */${body.length}` })
    return reply(206, { "Content-Range": `bytes ${first}-${last}/${body.length}` }, body.subarray(first, last + 1))
  }

  return Effect.map(
    TestServer.start((request, response, received) => (queue.shift() ?? fixed ?? ranges)(request, response, received)),
    ({ origin, received }) => ({
      origin,
      received,
      serve: (content, etag) => void ([body, tag] = [content, etag]),
      next: (...handlers) => void queue.push(...handlers),
      always: (handler) => void (fixed = handler)
    })
  )
}
