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
import type * as Scope from "effect/Scope"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import * as Transport from "../../core/ports/Transport.ts"
import type { Deliveries } from "./callback/index.ts"
import * as Control from "./Control.ts"
import type * as EmulatorClock from "./EmulatorClock.ts"
import type * as Faults from "./Faults.ts"
import * as Handler from "./Handler.ts"
import * as InProcess from "./InProcess.ts"
import type * as Journal from "./Journal.ts"
import * as Server from "./Server.ts"
import * as Slices from "./Slices.ts"
import { start, type Options, type Running } from "./Start.ts"
import type * as State from "./State.ts"

export type { Options as CallbackOptions } from "./callback/CallbackSender.ts"
export type { Delivery } from "./callback/Deliveries.ts"
export type { Reader as ClockReader, Service as Clock } from "./EmulatorClock.ts"
export type { Chaos, Fault, Name as FaultName, Service as Faults } from "./Faults.ts"
export type { Entry as JournalEntry } from "./Journal.ts"
export type { Receivers } from "./Receivers.ts"
export type { Limits } from "./Settings.ts"
export type { Options } from "./Start.ts"
export type { UploadState } from "./State.ts"

export interface ServerOptions<R = never> extends Options<R> {
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /** Default `127.0.0.1`: nobody else can reach it. */
  readonly host?: string | undefined
  /** How long requests may take to end when the scope closes, in milliseconds. Default 1,000. */
  readonly graceMillis?: number | undefined
  /** A second port, always on the loopback, to order faults and to look on (see Control.ts); 0: any free one. Default: none. */
  readonly control?: number | undefined
}

export interface Service {
  /** `http://127.0.0.1:49152`; in process, a name that only the `Transport` beside it knows. */
  readonly endpoint: string
  /** The bucket that was there from the start, its region, and what to sign with. */
  readonly bucket: string
  readonly region: string
  readonly credentials: Credentials
  /** Where faults can be ordered over HTTP, if that was asked for. */
  readonly control: string | undefined
  /** The key that callbacks are signed with, in PEM, and where receivers are told to find it. */
  readonly publicKeyPem: string
  readonly publicKeyUrl: string
  /** The bytes of an object, `None` when there is none. */
  readonly object: (key: string, bucket?: string) => Effect.Effect<Option.Option<Uint8Array>>
  /** What is known of every object in a bucket. */
  readonly objects: (bucket?: string) => Effect.Effect<ReadonlyArray<State.ObjectRecord>>
  /** The uploads that are neither completed nor aborted. */
  readonly uploads: (bucket?: string) => Effect.Effect<ReadonlyArray<State.UploadState>>
  /** Orders trouble for requests to come; see `Faults`. */
  readonly inject: (...faults: ReadonlyArray<Faults.Fault>) => Effect.Effect<void>
  readonly faults: Faults.Service
  readonly clock: EmulatorClock.Service
  /** The last requests, the oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<Journal.Entry>>
  /** The last callbacks, the oldest first. */
  readonly callbacks: Effect.Effect<ReadonlyArray<Deliveries.Delivery>>
}

export class OssEmulator extends Context.Tag("effect-oss/OssEmulator")<OssEmulator, Service>() {}

const publicKeyPath = "/callback_pub_key_v1.pem"

const toService = (running: Running, endpoint: string, control?: string): Service => {
  const { bucket, region, credentials, storage, clock, faults, journal, sender, publicKeyPem } = running
  const bytes = (record: State.ObjectRecord) =>
    Slices.bytes(Slices.of(storage.path, record.segments, { offset: 0, length: record.size }))
  return {
    endpoint,
    control,
    bucket,
    region,
    credentials,
    publicKeyPem,
    publicKeyUrl: `${endpoint}${publicKeyPath}`,
    object: (key, inBucket = bucket) =>
      Effect.suspend(() => {
        const record = storage.object(inBucket, key)
        if (record === undefined) return Effect.succeedNone
        return Effect.asSome(Effect.scoped(Effect.zipRight(storage.pin(record), bytes(record))))
      }),
    objects: (inBucket = bucket) => Effect.sync(() => Array.from(storage.objects(inBucket))),
    uploads: (inBucket = bucket) => Effect.sync(() => Array.from(storage.uploads(inBucket))),
    inject: faults.inject,
    faults,
    clock,
    requests: Effect.sync(() => journal.list()),
    callbacks: Effect.sync(() => sender.deliveries())
  }
}

/**
 * The emulator on a socket, in the scope. Fails with `InvalidParam` for a bad name or region, and dies when the port is
 * taken or the folder cannot be used.
 */
export const make = <R = never>(
  options: ServerOptions<R> = {}
): Effect.Effect<Service, InvalidParam, Scope.Scope | R> =>
  Effect.gen(function* () {
    let publicHost = ""
    const running = yield* start(options, () => publicHost)
    const address = yield* Server.serve(Handler.handle, {
      port: options.port ?? 0,
      host: options.host,
      graceMillis: options.graceMillis
    }).pipe(Effect.provide(running.context), Effect.orDie)
    publicHost = `${address.host}:${address.port}`
    if (options.control === undefined) return toService(running, `http://${publicHost}`)
    const control = yield* Effect.orDie(
      Server.serve(Control.handler(running), { port: options.control, graceMillis: 0 })
    )
    return toService(running, `http://${publicHost}`, `http://${control.host}:${control.port}`)
  })

/** `make` as a layer. */
export const layer = <R = never>(options: ServerOptions<R> = {}): Layer.Layer<OssEmulator, InvalidParam, R> =>
  Layer.scoped(OssEmulator, make(options))

/** The emulator without a socket, and the `Transport` that leads to it. */
export const layerInProcess = <R = never>(
  options: Options<R> = {}
): Layer.Layer<OssEmulator | Transport.Transport, InvalidParam, R> =>
  Layer.scopedContext(
    Effect.map(
      start(options, () => "localhost"),
      (running) =>
        Context.make(OssEmulator, toService(running, "http://localhost")).pipe(
          Context.add(Transport.Transport, InProcess.make(Handler.handle, running.context))
        )
    )
  )
