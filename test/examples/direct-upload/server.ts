/**
 * The example's server: one page, four calls of the page's, and the callback of OSS's. It holds the keys; the page does not.
 */
import { CallbackReceiver, type CallbackSignature, Grant, OssClient, type OssError, Presign } from "effect-oss"
import { NodeCallback, NodeOss } from "effect-oss/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Assets from "./assets.ts"
import { fileUploaded, path as callbackPath } from "./contract.ts"
import * as Limits from "./limits.ts"
import * as Page from "./page.ts"

export interface Options {
  /** The bucket. `publicEndpoint` is what the page is told. */
  readonly oss: NodeOss.Options
  /** Seals the tickets of uploads in parts. The same for all servers and all restarts. */
  readonly secret: Redacted.Redacted
  readonly port?: number | undefined
  /** Where browsers and OSS reach this server. Default: this machine. */
  readonly url?: string | undefined
  /** Whose callbacks are taken. Default: OSS's own. */
  readonly trustedKeys?: ReadonlyArray<CallbackSignature.TrustedKey> | undefined
  /** Forbids the page WebAssembly too; CRC-64 is then computed in JavaScript. */
  readonly strict?: boolean | undefined
  /** How long forms and URLs hold. Default 10 minutes. */
  readonly expiresIn?: Presign.RequestOptions["expiresIn"] | undefined
}

const Asked = Schema.Struct({ name: Schema.NonEmptyString, size: Schema.Number, type: Schema.String })
const Renewal = Schema.Struct({ ticket: Schema.String, parts: Schema.Array(Schema.Number) })
const Completion = Schema.Struct({
  ticket: Schema.String,
  parts: Schema.Array(Schema.Struct({ number: Schema.Number, crc64: Schema.String }))
})
const Ticket = Schema.Struct({ ticket: Schema.String })

const json = <A, I>(schema: Schema.Schema<A, I>, body: string) => Schema.decodeUnknown(Schema.parseJson(schema))(body)

/** A key that nobody can guess, with what the user called the file at its end. */
const newKey = (name: string): string => `uploads/${Crypto.randomUUID()}/${name.slice(-200)}`

/** What the page may ask for, by path. */
const calls = (uploaded: ReturnType<typeof fileUploaded>, { secret, expiresIn = "10 minutes" }: Options) => ({
  "/grant": (body: string) =>
    Effect.gen(function* () {
      const { name, size, type } = yield* json(Asked, body)
      return yield* Grant.issue(
        newKey(name),
        { size, contentType: type },
        {
          expiresIn,
          secret,
          maxSize: Limits.maxSize,
          contentTypes: Limits.contentTypes,
          callback: uploaded({ name })
        }
      )
    }),
  "/renew": (body: string) =>
    Effect.gen(function* () {
      const { parts, ticket } = yield* json(Renewal, body)
      return yield* Grant.renew(ticket, parts, { secret, expiresIn })
    }),
  "/complete": (body: string) =>
    Effect.gen(function* () {
      const { parts, ticket } = yield* json(Completion, body)
      return yield* Grant.toOutcome(Grant.complete(ticket, parts, { secret, callback: uploaded }))
    }),
  "/abort": (body: string) =>
    Effect.gen(function* () {
      const { ticket } = yield* json(Ticket, body)
      yield* Grant.abort(ticket, { secret })
      return {}
    })
})

/** The handler of OSS's callback: the picture's URL is signed here, so the bucket can stay private. */
const receiver = (bucket: string, trustedKeys: Options["trustedKeys"]) =>
  CallbackReceiver.make(
    fileUploaded("http://localhost", bucket),
    ({ contentType = "", name, object, size }) =>
      Effect.gen(function* () {
        const isPicture = contentType.startsWith("image/")
        const picture = isPicture ? yield* Presign.request(object, { method: "GET", expiresIn: "1 hour" }) : undefined
        return { name, size, picture: picture?.url ?? null }
      }),
    { trustedKeys }
  )

/** What a failed call tells the page: the field that is wrong, or that it was not the page's fault. */
const problem = (error: { readonly _tag: string; readonly message: string }) => {
  if (error._tag === "InvalidParam") {
    const { field } = error as OssError.InvalidParam // the tag says so
    return { status: 422, answer: { field, message: error.message } }
  }
  const isTheirs = error._tag === "ParseError"
  return { status: isTheirs ? 400 : 502, answer: { field: "", message: isTheirs ? "not understood" : "try later" } }
}

const maxBody = 1024 * 1024

const readBody = async (request: Http.IncomingMessage): Promise<string | undefined> => {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if ((length += chunk.length) > maxBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

/** Runs the server for the length of the scope. */
export const serve = (options: Options): Effect.Effect<{ readonly url: string }, OssError.InvalidParam, Scope.Scope> =>
  Effect.gen(function* () {
    const assets = yield* Effect.promise(Assets.load)
    const server = yield* Effect.acquireRelease(
      Effect.async<Http.Server>((resume) => {
        const server = Http.createServer()
        server.listen(options.port ?? 0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((done) => {
          server.close(() => done(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo // it listens on a port
    const url = options.url ?? `http://127.0.0.1:${port}`
    const context = yield* Layer.build(NodeOss.layer(options.oss))
    const runtime = yield* Effect.provide(Effect.runtime<OssClient.OssClient>(), context)
    const { bucket, publicBucket } = yield* Effect.provide(OssClient.OssClient, context)
    const uploaded = fileUploaded(url, bucket.name)
    const answers: Readonly<
      Record<
        string,
        (
          body: string
        ) => Effect.Effect<unknown, { readonly _tag: string; readonly message: string }, OssClient.OssClient>
      >
    > = calls(uploaded, options)
    const onCallback = NodeCallback.listener(receiver(bucket.name, options.trustedKeys), Runtime.runFork(runtime))
    const headers = Page.headers(publicBucket.origin, options.strict === true)

    const page = Effect.gen(function* () {
      const form = yield* Page.plainForm(`${url}/thanks`)
      return Page.html(form)
    })

    const answerCall = async (
      call: (typeof answers)[string],
      request: Http.IncomingMessage,
      response: Http.ServerResponse
    ) => {
      const body = await readBody(request)
      if (body === undefined) return void response.writeHead(413).end()
      const { answer, status } = await Runtime.runPromise(runtime)(
        call(body).pipe(
          Effect.map((answer) => ({ status: 200, answer })),
          Effect.tapError((error) => Effect.logWarning(error.message)),
          Effect.catchAll((error) => Effect.succeed(problem(error)))
        )
      )
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
      response.end(JSON.stringify(answer))
    }

    const html = (response: Http.ServerResponse, text: string) =>
      response.writeHead(200, { ...headers, "content-type": "text/html; charset=utf-8" }).end(text)

    server.on("request", (request, response) => {
      const path = (request.url ?? "/").split("?", 1)[0]!
      const asset = assets.get(path)
      const act = async (): Promise<unknown> => {
        if (path === callbackPath) return onCallback(request, response)
        if (request.method === "POST" && Object.hasOwn(answers, path))
          return answerCall(answers[path]!, request, response)
        if (request.method !== "GET") return response.writeHead(405).end()
        if (asset !== undefined) return response.writeHead(200, { "content-type": asset.type }).end(asset.content)
        if (path === "/") return html(response, await Runtime.runPromise(runtime)(page))
        if (path === "/thanks") return html(response, Page.thanks)
        return response.writeHead(404).end()
      }
      act().catch((error: unknown) => {
        Effect.runFork(Effect.logError("a request could not be answered", error))
        response.writeHead(500).end()
      })
    })
    return { url }
  })
