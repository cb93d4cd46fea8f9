/**
 * The example's server, a router of @effect/platform: one page, the page's calls, and OSS's callback. It holds the keys; the
 * page does not.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { CallbackReceiver, type CallbackSignature, OssClient, type OssError, Presign } from "effect-oss"
import { NodeOss } from "effect-oss/node"
import { CallbackRoute } from "effect-oss/platform"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Assets from "./assets.ts"
import * as Calls from "./calls.ts"
import { fileUploaded, path as callbackPath } from "./contract.ts"
import * as Page from "./page.ts"

export interface Options extends Calls.Options {
  /** The bucket. `publicEndpoint` is what the page is told. */
  readonly oss: NodeOss.Options
  readonly port?: number | undefined
  /** Where browsers and OSS reach this server. Default: this machine. */
  readonly url?: string | undefined
  /** Whose callbacks are taken. Default: OSS's own. */
  readonly trustedKeys?: ReadonlyArray<CallbackSignature.TrustedKey> | undefined
  /** Forbids the page WebAssembly too; CRC-64 is then computed in JavaScript. */
  readonly strict?: boolean | undefined
}

/** The handler of OSS's callback: the picture's URL is signed here, so the bucket can stay private. */
const onFileUploaded = (contract: ReturnType<typeof fileUploaded>, { trustedKeys }: Options) =>
  CallbackReceiver.make(
    contract,
    ({ contentType = "", name, object, size }) =>
      Effect.gen(function* () {
        const isPicture = contentType.startsWith("image/")
        const picture = isPicture ? yield* Presign.request(object, { method: "GET", expiresIn: "1 hour" }) : undefined
        return { name, size, picture: picture?.url ?? null }
      }),
    { trustedKeys }
  )

/** The page, what it loads, and where OSS sends those on who have no JavaScript. */
const pages = (assets: Assets.Assets, origin: string, url: string, strict: boolean) => {
  const headers = Page.headers(origin, strict)
  const html = (text: string) => HttpServerResponse.text(text, { headers, contentType: "text/html; charset=utf-8" })
  const page = Page.plainForm(`${url}/thanks`).pipe(Effect.map((form) => html(Page.html(form))))
  return HttpRouter.fromIterable([
    HttpRouter.makeRoute("GET", "/", page),
    HttpRouter.makeRoute("GET", "/thanks", html(Page.thanks)),
    ...assets.map(({ content, path, type }) =>
      HttpRouter.makeRoute("GET", path, HttpServerResponse.uint8Array(content, { contentType: type }))
    )
  ])
}

/** Listens at this machine's address for the length of the scope. Dies when the port is taken. */
const listen = (port: number) =>
  Effect.gen(function* () {
    const server = Http.createServer()
    const service = yield* Effect.orDie(NodeHttpServer.make(() => server, { port, host: "127.0.0.1" }))
    // Browsers keep their connections, and the platform would wait for them.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
    )
    const address = server.address() as AddressInfo // it listens on a port
    return { service, port: address.port }
  })

/** Runs the server for the length of the scope. */
export const serve = (options: Options): Effect.Effect<{ readonly url: string }, OssError.InvalidParam, Scope.Scope> =>
  Effect.gen(function* () {
    const oss = yield* Layer.build(NodeOss.layer(options.oss))
    const { bucket, publicBucket } = yield* Effect.provide(OssClient.OssClient, oss)
    const assets = yield* Effect.promise(Assets.load)
    const { port, service } = yield* listen(options.port ?? 0)
    const url = options.url ?? `http://127.0.0.1:${port}`
    const uploaded = fileUploaded(url, bucket.name)
    const router = pages(assets, publicBucket.origin, url, options.strict === true).pipe(
      HttpRouter.concat(Calls.routes(uploaded, options)),
      HttpRouter.post(callbackPath, CallbackRoute.make(onFileUploaded(uploaded, options)))
    )
    yield* HttpServer.serveEffect(router).pipe(
      Effect.provideService(HttpServer.HttpServer, service),
      Effect.provide(oss)
    )
    return { url }
  })
