/**
 * Everything an emulator is made of, put together for the length of a scope: data folder, keys, clock, faults, callbacks.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Bucket from "../../core/model/Bucket.ts"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import { Crypto } from "../../core/ports/Crypto.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"
import * as Signature from "../../core/wire/Signature.ts"
import { crypto } from "../node/NodeCrypto.ts"
import { CallbackKeys, CallbackSender } from "./callback/index.ts"
import * as EmulatorClock from "./EmulatorClock.ts"
import * as Faults from "./Faults.ts"
import type * as Handler from "./Handler.ts"
import * as Journal from "./Journal.ts"
import * as Receivers from "./Receivers.ts"
import { ossLimits, Settings, type AccessKey, type Limits } from "./Settings.ts"
import { Signer } from "./Signer.ts"
import type * as State from "./State.ts"
import * as Storage from "./Storage.ts"

export interface Options<R = never> {
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
  /** Application servers in this process: callbacks reach them without a socket. They trust this emulator's key. */
  readonly receivers?: Receivers.Receivers<R> | undefined
  /** How callbacks over the network are sent. */
  readonly callback?: Omit<CallbackSender.Options, "publicKeyUrl" | "receiver"> | undefined
}

/** What runs: what the handler needs, and what the emulator tells of itself. */
export interface Running {
  readonly context: Context.Context<Handler.Requirements>
  readonly bucket: string
  readonly region: string
  readonly credentials: Credentials
  readonly storage: Storage.Service
  readonly clock: EmulatorClock.Service
  readonly faults: Faults.Service
  readonly journal: Journal.Service
  readonly sender: CallbackSender.Service
  /** The key that callbacks are signed with, in PEM. */
  readonly publicKeyPem: string
}

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-emulator-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

const someCredentials = (): Credentials => ({
  accessKeyId: "emulator",
  accessKeySecret: Redacted.make(NodeCrypto.randomBytes(15).toString("hex"))
})

const allCredentials = (given: Options["credentials"]): readonly [Credentials, ...ReadonlyArray<Credentials>] => {
  const [first = someCredentials(), ...rest] = given === undefined ? [] : "accessKeyId" in given ? [given] : given
  return [first, ...rest]
}

const lower = (text: string): string => text.toLowerCase()

const createBuckets = (
  storage: Storage.Service,
  names: ReadonlyArray<string>,
  region: string,
  options: Pick<Options, "acl" | "cors">
) =>
  Effect.gen(function* () {
    const created = yield* Clock.currentTimeMillis
    for (const name of names) {
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
  })

const makeSender = <R>(options: Options<R>, keys: CallbackKeys.Service, publicKeyUrl: () => string) =>
  Effect.map(Effect.context<R>(), (context) => {
    const receiver = Receivers.make(options.receivers ?? [], (effect) =>
      Effect.suspend(() => {
        // The emulator's address, and with it the key's, is known only when it listens.
        const trusted = Either.getOrThrow(CallbackSignature.trust(publicKeyUrl(), keys.publicKeyPem))
        return effect.pipe(
          Effect.provideService(CallbackReceiver.TrustedKeys, [trusted]),
          Effect.provideService(Crypto, crypto),
          Effect.provide(context)
        )
      })
    )
    return CallbackSender.make(keys, { ...options.callback, publicKeyUrl, receiver })
  })

/**
 * Puts an emulator together. `publicHost` tells where clients reach it: host and port. Fails with `InvalidParam` for a bad
 * region or name of a bucket; dies when the data folder cannot be used.
 */
export const start = <R>(
  options: Options<R>,
  publicHost: () => string
): Effect.Effect<Running, InvalidParam, Scope.Scope | R> =>
  Effect.gen(function* () {
    const region = yield* Bucket.checkRegion(options.region ?? "cn-hangzhou")
    const names = yield* Effect.forEach(
      [options.bucket ?? "examplebucket", ...(options.buckets ?? [])],
      Bucket.checkName
    )
    const credentials = allCredentials(options.credentials)
    const root = options.dataDir ?? (yield* temporaryFolder)
    // Who keeps the data wants them kept; a folder that goes with the scope need not outlast a power cut.
    const storage = yield* Storage.open(root, options.dataDir !== undefined)
    yield* createBuckets(storage, names, region, options)
    const keys = yield* options.dataDir === undefined ? CallbackKeys.generated : CallbackKeys.persisted(root)
    const sender = yield* makeSender(options, keys, () => `http://${publicHost()}${CallbackKeys.publicKeyPath}`)
    const clock = EmulatorClock.make(options.clock)
    const faults = Faults.make()
    const journal = Journal.make()
    const context = Context.empty().pipe(
      Context.add(Storage.Storage, storage),
      Context.add(EmulatorClock.EmulatorClock, clock),
      Context.add(Faults.Faults, faults),
      Context.add(Journal.Journal, journal),
      Context.add(CallbackKeys.CallbackKeys, keys),
      Context.add(CallbackSender.CallbackSender, sender),
      Context.add(Signer, Signature.make(crypto)),
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
    const [bucket = ""] = names // there is always one
    const { publicKeyPem } = keys
    return {
      context,
      bucket,
      region,
      credentials: credentials[0],
      storage,
      clock,
      faults,
      journal,
      sender,
      publicKeyPem
    }
  })
