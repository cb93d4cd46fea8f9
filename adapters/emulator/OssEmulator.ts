/**
 * OSS on your own machine: the emulator as a service of a scope.
 *
 * `layer` listens on a socket, for any client in any language; `layerInProcess` needs no socket and offers a `Transport`
 * instead. Both run the same handler. Without `dataDir` the data live in a folder of the system's temporary folder, which is
 * removed when the scope closes.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Bucket from "../../core/model/Bucket.ts"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import * as Transport from "../../core/ports/Transport.ts"
import * as Signature from "../../core/wire/Signature.ts"
import { crypto } from "../node/NodeCrypto.ts"
import * as EmulatorClock from "./EmulatorClock.ts"
import * as Handler from "./Handler.ts"
import * as InProcess from "./InProcess.ts"
import * as Sending from "./Sending.ts"
import * as Server from "./Server.ts"
import { ossLimits, Settings, type AccessKey, type Limits } from "./Settings.ts"
import type * as State from "./State.ts"
import * as Storage from "./Storage.ts"

export interface Options {
  /** The bucket that is there from the start. Default `examplebucket`. */
  readonly bucket?: string | undefined
  /** Further buckets that are there from the start. */
  readonly buckets?: ReadonlyArray<string> | undefined
  /** Default `cn-hangzhou`. */
  readonly region?: string | undefined
  /** Who may sign. Default: one key with a secret drawn at random. */
  readonly credentials?: Credentials | ReadonlyArray<Credentials> | undefined
  /** Where the data live on. Default: a temporary folder that goes with the scope. */
  readonly dataDir?: string | undefined
  /** Access to the buckets created at the start. Default `private`. */
  readonly acl?: State.Acl | undefined
  /** Cross-origin rules of the buckets created at the start. */
  readonly cors?: ReadonlyArray<State.CorsRule> | undefined
  /** Domains bound to buckets: `{ "img.example.com": "examplebucket" }`. */
  readonly cnames?: Readonly<Record<string, string>> | undefined
  /** Further names under which the service itself is reached; `<bucket>.<name>` then leads to a bucket. */
  readonly serviceHosts?: ReadonlyArray<string> | undefined
  /** Whether signatures of version 1 are taken as well. Default true. */
  readonly signatureV1?: boolean | undefined
  /** What time it is, for all requests or for each, in milliseconds since 1970. Default: Effect's clock. */
  readonly clock?: number | EmulatorClock.Reader | undefined
  /** OSS's limits, smaller for tests. */
  readonly limits?: Partial<Limits> | undefined
}

export interface ServerOptions extends Options {
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** How long requests may take to end when the scope closes, in milliseconds. Default 1,000. */
  readonly graceMillis?: number | undefined
}

export interface Service {
  /** `http://127.0.0.1:49152`; in process, a name that only the `Transport` beside it knows. */
  readonly endpoint: string
  /** The bucket that was there from the start, and what to sign with. */
  readonly bucket: string
  readonly region: string
  readonly credentials: Credentials
  /** The bytes of an object, `None` when there is none. */
  readonly object: (key: string, bucket?: string) => Effect.Effect<Option.Option<Uint8Array>>
  /** What is known of every object in a bucket, by key. */
  readonly objects: (bucket?: string) => Effect.Effect<ReadonlyArray<State.ObjectRecord>>
  /** The uploads that are neither completed nor aborted. */
  readonly uploads: (bucket?: string) => Effect.Effect<ReadonlyArray<State.UploadState>>
  readonly clock: EmulatorClock.Service
}

export class OssEmulator extends Context.Tag("effect-oss/OssEmulator")<OssEmulator, Service>() {}

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-emulator-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

const lower = (text: string): string => text.toLowerCase()

const someCredentials = (): Credentials => ({
  accessKeyId: "emulator",
  accessKeySecret: Redacted.make(NodeCrypto.randomBytes(15).toString("hex"))
})

const allCredentials = (given: Options["credentials"]): readonly [Credentials, ...ReadonlyArray<Credentials>] => {
  const list = given === undefined ? [] : "accessKeyId" in given ? [given] : given
  const [first = someCredentials(), ...rest] = list
  return [first, ...rest]
}

interface Running {
  readonly context: Context.Context<Handler.Requirements>
  readonly service: Omit<Service, "endpoint">
}

const start = (options: Options, publicHost: () => string): Effect.Effect<Running, InvalidParam, Scope.Scope> =>
  Effect.gen(function* () {
    const region = yield* Bucket.checkRegion(options.region ?? "cn-hangzhou")
    const bucket = yield* Bucket.checkName(options.bucket ?? "examplebucket")
    const others = yield* Effect.forEach(options.buckets ?? [], Bucket.checkName)
    const credentials = allCredentials(options.credentials)
    const root = options.dataDir ?? (yield* temporaryFolder)
    // Who keeps the data wants them kept; a folder that goes with the scope need not outlast a power cut.
    const storage = yield* Storage.open(root, options.dataDir !== undefined)
    const clock = EmulatorClock.make(options.clock)
    const created = Date.now()
    for (const name of [bucket, ...others]) {
      if (storage.bucket(name) !== undefined) continue
      yield* storage.putBucket({
        name,
        region,
        acl: options.acl ?? "private",
        storageClass: "Standard",
        created,
        ...(options.cors === undefined ? {} : { cors: { rules: options.cors, responseVary: false } })
      })
    }
    const context = Context.empty().pipe(
      Context.add(Storage.Storage, storage),
      Context.add(EmulatorClock.EmulatorClock, clock),
      Context.add(Handler.Signer, Signature.make(crypto)),
      Context.add(Settings, {
        region,
        addressing: {
          cnames: new Map(Object.entries(options.cnames ?? {}).map(([host, name]) => [lower(host), name])),
          serviceHosts: (options.serviceHosts ?? []).map(lower)
        },
        accessKeys: new Map(credentials.map((key): [string, AccessKey] => [key.accessKeyId, key])),
        signatureV1: options.signatureV1 ?? true,
        limits: { ...ossLimits, ...options.limits },
        ownerId: "1000000000000001",
        publicHost
      })
    )
    const bytes = async (record: State.ObjectRecord): Promise<Uint8Array> => {
      const files = record.segments.map(({ file, size }) => ({ file: storage.path(file), offset: 0, length: size }))
      const chunks: Array<Uint8Array> = []
      for await (const chunk of Sending.read(files)) chunks.push(chunk)
      return new Uint8Array(Buffer.concat(chunks))
    }
    return {
      context,
      service: {
        bucket,
        region,
        credentials: credentials[0],
        object: (key, inBucket = bucket) =>
          Effect.suspend(() => {
            const record = storage.object(inBucket, key)
            if (record === undefined) return Effect.succeedNone
            return Effect.asSome(
              Effect.scoped(
                Effect.zipRight(
                  storage.pin(record),
                  Effect.promise(() => bytes(record))
                )
              )
            )
          }),
        objects: (inBucket = bucket) => Effect.sync(() => Array.from(storage.objects(inBucket))),
        uploads: (inBucket = bucket) => Effect.sync(() => Array.from(storage.uploads(inBucket))),
        clock
      }
    }
  })

/**
 * The emulator on a socket, in the scope. Fails with `InvalidParam` for a bad name or region, and dies when the port is
 * taken or the folder cannot be used.
 */
export const make = (options: ServerOptions = {}): Effect.Effect<Service, InvalidParam, Scope.Scope> =>
  Effect.gen(function* () {
    let publicHost = ""
    const { context, service } = yield* start(options, () => publicHost)
    const address = yield* Server.serve(Handler.handle, {
      port: options.port ?? 0,
      host: options.host,
      graceMillis: options.graceMillis
    }).pipe(Effect.provide(context), Effect.orDie)
    publicHost = `${address.host}:${address.port}`
    return { ...service, endpoint: `http://${publicHost}` }
  })

/** `make` as a layer. */
export const layer = (options: ServerOptions = {}): Layer.Layer<OssEmulator, InvalidParam> =>
  Layer.scoped(OssEmulator, make(options))

/** The emulator without a socket, and the `Transport` that leads to it. */
export const layerInProcess = (options: Options = {}): Layer.Layer<OssEmulator | Transport.Transport, InvalidParam> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const { context, service } = yield* start(options, () => "localhost")
      return Context.make(OssEmulator, { ...service, endpoint: "http://localhost" }).pipe(
        Context.add(Transport.Transport, InProcess.make(Handler.handle, context))
      )
    })
  )
