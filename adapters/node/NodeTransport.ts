/**
 * The port `Transport` on node:http and node:https: one callback to wait for per request, over kept connections.
 *
 * Sent are the path exactly as it stands in the URL, the headers as given, and of our own only Host, Content-Length and
 * Connection. Why not `@effect/platform`'s HttpClient: it rebuilds the URL, and costs 0.3 to 1 ms of CPU per request
 * against 0.03 ms here (beside what node:http itself takes, 0.09 ms).
 * Source: https://nodejs.org/docs/latest-v20.x/api/http.html
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Https from "node:https"
import { TransportError } from "../../core/model/OssError.ts"
import { type Service, Transport } from "../../core/ports/Transport.ts"
import * as AgentName from "./AgentName.ts"
import { timerMillis } from "./Deadlines.ts"
import * as Exchange from "./Exchange.ts"

export interface Options {
  /** Your agent for `http:` URLs, for a proxy say. It is yours: it is used as it is, and not destroyed. */
  readonly httpAgent?: Http.Agent | undefined
  /** Your agent for `https:` URLs; `ca` does not reach it. It is yours: it is used as it is, and not destroyed. */
  readonly httpsAgent?: Https.Agent | undefined
  /** PEM certificates to trust *instead of* Node's list, for a private authority. */
  readonly ca?: Https.AgentOptions["ca"]
  /** The most connections to one host; further requests wait, and their wait counts as time. Default: no limit. */
  readonly maxSockets?: number | undefined
  /** The longest that connecting may take: name, TCP and TLS. Default: 10 seconds. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * How long an unused connection is kept; less if the server says so. Default: 15 seconds, because of a request on a
   * connection that the server is just closing nobody can say what became of it.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
}

/**
 * A transport whose connections live as long as the scope.
 *
 * Limits are measured in real time, not by Effect's `Clock`: a test's clock must not cut live connections. A URL, a
 * method or a header that HTTP cannot carry fails with `TransportError`, reason `Connect`, and nothing is sent.
 */
export const make = (options: Options = {}): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    // Node copies the agent's settings for every request: those that say nothing are left out.
    const settings: Http.AgentOptions = {
      keepAlive: true,
      timeout: timerMillis(Duration.decode(options.idleTimeout ?? "15 seconds"))
    }
    if (options.maxSockets !== undefined) settings.maxSockets = options.maxSockets
    const http = options.httpAgent ?? (yield* scoped(() => new Http.Agent(settings)))
    const https = options.httpsAgent ?? (yield* scoped(() => new Https.Agent({ ...settings, ca: options.ca })))
    const connectTimeout = Duration.decode(options.connectTimeout ?? "10 seconds")
    return {
      send: (request) => {
        const target = split(request.url)
        if (target === undefined) return Effect.fail(unreadableUrl)
        return Exchange.run(target, target.server.secure ? https : http, connectTimeout, request)
      }
    }
  })

/** `make` as a layer. */
export const layer = (options?: Options): Layer.Layer<Transport> => Layer.scoped(Transport, make(options))

const scoped = <A extends Http.Agent>(create: () => A): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => AgentName.remember(create())),
    (agent) => Effect.sync(() => agent.destroy())
  )

const originForm = /^(https?):\/\/((\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d{1,5}))?)$/i
const pathForm = /^\/[!"$-~]*$/

/** Splits by hand, because `new URL` folds `..`, `%2e%2e` and `\`. Printable ASCII without "#" is what HTTP can carry. */
const split = (url: string): Exchange.Target | undefined => {
  const slash = url.indexOf("/", "https://".length)
  const rest = slash === -1 ? "/" : url.slice(slash)
  if (!pathForm.test(rest)) return undefined
  const server = serverOf(slash === -1 ? url : url.slice(0, slash))
  return server === undefined ? undefined : { server, path: rest }
}

/** The origin asked for last, which is mostly the one asked for next. What is none may hold a secret, and is not kept. */
let last: { readonly origin: string; readonly server: Exchange.Server } | undefined

const serverOf = (origin: string): Exchange.Server | undefined => {
  if (last?.origin === origin) return last.server
  const server = parseServer(origin)
  if (server !== undefined) last = { origin, server }
  return server
}

const parseServer = (origin: string): Exchange.Server | undefined => {
  const [, scheme, authority, hostname, port] = originForm.exec(origin) ?? []
  if (scheme === undefined || authority === undefined || hostname === undefined) return undefined
  const secure = scheme.length === "https".length
  return {
    secure,
    authority,
    hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === undefined ? (secure ? 443 : 80) : Number(port)
  }
}

// Without the URL, which may be signed.
const unreadableUrl = new TransportError({
  reason: "Connect",
  sent: "nothing",
  host: "unknown host",
  detail: "the URL must be http(s)://host[:port]/path, all of it percent-encoded, without user and fragment"
})
