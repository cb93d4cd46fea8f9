/**
 * One emulator, and clients of it whose processes can be killed at any thing that they do to the world.
 *
 * In process: a killed client is one whose every next request and save hangs for ever, and whose fiber is never heard of
 * again, finalizers and all. What was on its way to the server goes on there, as it would.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as OssEmulator from "../../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../../adapters/node/NodeCrypto.ts"
import * as Checkpoint from "../../../../core/model/Checkpoint.ts"
import * as Crc64 from "../../../../core/model/Crc64.ts"
import { CheckpointError } from "../../../../core/model/OssError.ts"
import type { Uploaded } from "../../../../core/model/Uploaded.ts"
import * as CheckpointStore from "../../../../core/ports/CheckpointStore.ts"
import * as CredentialsProvider from "../../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../../core/ports/Source.ts"
import * as Transport from "../../../../core/ports/Transport.ts"
import * as CallbackReceiver from "../../../../core/programs/CallbackReceiver.ts"
import * as OssClient from "../../../../core/programs/OssClient.ts"
import * as Presign from "../../../../core/programs/Presign.ts"
import * as Upload from "../../../../core/programs/Upload.ts"
import * as Callback from "../../../../core/wire/Callback.ts"
import { partSize, type Cut, type Scenario } from "./Scenario.ts"

export type Failure =
  Upload.UploadError | Effect.Effect.Error<ReturnType<typeof Upload.resumable>> | { readonly _tag: "CallbackFailed" }

/** How a run ended, as far as anybody was told. */
export type End =
  | { readonly _tag: "Success"; readonly uploaded: Uploaded<unknown> }
  | { readonly _tag: "Failure"; readonly error: Failure }
  | { readonly _tag: "Killed" }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Defect"; readonly cause: Cause.Cause<unknown> }

/** An end in words. */
export const describe = (end: End): string =>
  end._tag === "Failure" ? String(end.error) : end._tag === "Defect" ? Cause.pretty(end.cause) : end._tag

/** What the application was told of a key. */
export interface Told {
  readonly size: number
  readonly crc64: bigint
}

const taken = Callback.make({
  url: "http://application/taken",
  bucket: "media",
  body: { object: Callback.object, size: Callback.size, crc64: Callback.crc64 },
  response: Schema.Struct({ size: Schema.Number })
})
const refused = Callback.make({
  url: "http://application/refused",
  bucket: "media",
  body: { object: Callback.object, size: Callback.size, crc64: Callback.crc64 },
  response: Schema.Struct({ size: Schema.Number })
})

/** No run takes longer, all its waits included. */
const patience = "5 seconds"

const retry = Schedule.intersect(Schedule.recurs(4), Schedule.spaced(1))

/** A switch that cuts a client off from the world at the n-th thing that it does to it. */
const makeCut = (cut: Cut | undefined) =>
  Effect.map(Deferred.make<void>(), (struck) => {
    let done = 0
    let isDead = false
    const act = <A, E>(thing: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        if (isDead) return Effect.never
        done++
        if (cut === undefined || done !== cut.at) return thing
        const strike = Deferred.succeed(struck, undefined)
        if (cut.how === "interrupt") {
          // Where it may be interrupted, it is while it sleeps; where it may not, it goes on.
          const pause = Effect.zipRight(strike, Effect.sleep(20))
          return cut.when === "before" ? Effect.zipRight(pause, thing) : Effect.zipLeft(thing, pause)
        }
        isDead = true
        // Also when the thing is interrupted, because a part beside it has failed.
        return Effect.zipRight(
          Effect.exit(Effect.ensuring(cut.when === "before" ? Effect.void : thing, strike)),
          Effect.never
        )
      })
    return { act, struck: Deferred.await(struck) }
  })

/** Checkpoints that outlive the process, on a disk that may be full. Locks die with their process. */
const makeStore = () => {
  const texts = new Map<string, string>()
  const service = (
    act: <A, E>(thing: Effect.Effect<A, E>) => Effect.Effect<A, E>,
    fullDiskAt: number | undefined
  ): CheckpointStore.Service => {
    let saves = 0
    return {
      acquire: (identity) =>
        Effect.succeed({
          load: Effect.suspend(() =>
            Effect.transposeMapOption(Option.fromNullable(texts.get(identity)), Checkpoint.decode)
          ),
          save: (checkpoint) =>
            act(
              Effect.suspend(() => {
                if (++saves === fullDiskAt) return new CheckpointError({ reason: "Write", detail: "the disk is full" })
                texts.set(identity, Checkpoint.encode(checkpoint))
                return Effect.void
              })
            ),
          remove: act(Effect.sync(() => void texts.delete(identity)))
        })
    }
  }
  return { texts, service }
}

export const make = Effect.gen(function* () {
  const told = new Map<string, Array<Told>>()
  const tell = (object: string, facts: Told) =>
    Effect.sync(() => told.set(object, [...(told.get(object) ?? []), facts]))
  const context = yield* Layer.build(
    OssEmulator.layerInProcess({
      bucket: "media",
      receivers: {
        "http://application/taken": CallbackReceiver.make(taken, ({ crc64, object, size }) =>
          Effect.as(tell(object, { size, crc64 }), { size })
        ),
        "http://application/refused": CallbackReceiver.make(refused, ({ crc64, object, size }) =>
          Effect.zipRight(tell(object, { size, crc64 }), Effect.fail("the database is down"))
        )
      }
    }).pipe(Layer.provide(NodeCrypto.layer))
  )
  const emulator = Context.get(context, OssEmulator.OssEmulator)
  const direct = Context.get(context, Transport.Transport)
  const store = makeStore()
  const orphansTold = new Set<string>()
  /** Keys of whose object a HeadObject has told another CRC-64 than it has. */
  const lies = new Set<string>()
  const listen = (request: Transport.Request, key: string, response: Transport.Response) =>
    Effect.map(emulator.object(key), (stored) => {
      const crc64 = response.headers["x-oss-hash-crc64ecma"]
      if (request.method !== "HEAD" || crc64 === undefined || Option.isNone(stored)) return
      if (crc64 !== Crc64.format(Crc64.of(stored.value))) lies.add(key)
    })
  const logger = Logger.make(({ message }) => {
    const id = /upload (\S+) of .* could not be aborted/.exec(String(message))?.[1]
    if (id !== undefined) orphansTold.add(id)
  })

  /** One process's life: the upload of the scenario to `key`, under its trouble. */
  const run = (scenario: Scenario, key: string, content: Uint8Array, cut: Cut | undefined): Effect.Effect<End> =>
    Effect.gen(function* () {
      const { act, struck } = yield* makeCut(cut)
      const underWay = new Set<unknown>()
      const transport: Transport.Service = {
        send: (request) =>
          act(
            Effect.suspend(() => {
              underWay.add(request)
              return Effect.ensuring(
                Effect.tap(direct.send(request), (response) => listen(request, key, response)),
                Effect.sync(() => underWay.delete(request))
              )
            })
          )
      }
      const provider: CredentialsProvider.Service = {
        get: Effect.sync(() => ({ ...emulator.credentials })), // another one each time, as if renewed
        invalidate: () => Effect.void
      }
      const ports = Layer.mergeAll(
        Layer.succeed(Transport.Transport, transport),
        NodeCrypto.layer,
        Layer.succeed(CredentialsProvider.CredentialsProvider, provider),
        Layer.succeed(CheckpointStore.CheckpointStore, store.service(act, scenario.fullDiskAt))
      )
      const { bucket, endpoint, region } = emulator
      const client = OssClient.layer({ bucket, endpoint, region, retry })
      const fiber = yield* Effect.forkDaemon(
        upload(scenario, key, content).pipe(
          Effect.provide(Layer.provideMerge(client, ports)),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
      )
      const ended = yield* Effect.raceFirst(
        Effect.map(Fiber.await(fiber), Option.some),
        Effect.map(struck, () => Option.none())
      ).pipe(Effect.timeoutOption(patience))
      if (Option.isNone(ended)) return { _tag: "Defect", cause: Cause.die("it never ends") } as const
      if (Option.isSome(ended.value)) return toEnd(ended.value.value)
      if (cut?.how === "interrupt") {
        const stopped = yield* Effect.timeoutOption(Fiber.interrupt(fiber), patience)
        if (Option.isNone(stopped)) return { _tag: "Defect", cause: Cause.die("it cannot be interrupted") } as const
        return { _tag: "Interrupted" } as const
      }
      // What is on its way to the server arrives there; its answers reach nobody.
      while (underWay.size > 0) yield* Effect.sleep(1)
      return { _tag: "Killed" } as const
    })

  return { emulator, run, told, lies, orphansTold, checkpoints: store.texts }
})

const toEnd = (exit: Exit.Exit<Uploaded<unknown>, Failure>): End =>
  Exit.match(exit, {
    onSuccess: (uploaded): End => ({ _tag: "Success", uploaded }),
    // Parts side by side may fail side by side.
    onFailure: (cause): End =>
      Either.match(Cause.failureOrCause(cause), {
        onLeft: (error): End => ({ _tag: "Failure", error }),
        onRight: (defect): End => ({ _tag: "Defect", cause: defect })
      })
  })

const pieces = (content: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(content.length / 9_999) }, (_, i) => content.slice(i * 9_999, (i + 1) * 9_999))
  )

type Outcome = Effect.Effect<
  Uploaded<unknown>,
  Failure,
  OssClient.OssClient | CheckpointStore.CheckpointStore | Transport.Transport
>

/** The upload itself, by its method. */
const upload = (
  { buffer, callback, concurrency, forbidOverwrite, method }: Scenario,
  key: string,
  content: Uint8Array
): Outcome => {
  const source = Source.bytes(content)
  const contract = callback === "none" ? undefined : callback === "taken" ? taken : refused
  const options = { partSize, concurrency, buffer, forbidOverwrite }
  const withCallback = { ...options, callback: (contract ?? taken)() }
  const without = contract === undefined
  const presign = { expiresIn: "10 minutes", forbidOverwrite, ...(without ? {} : { callback: contract() }) } as const
  switch (method) {
    case "simple":
      return without ? Upload.simple(key, source, options) : Upload.simple(key, source, withCallback)
    case "multipart":
      return without ? Upload.multipart(key, source, options) : Upload.multipart(key, source, withCallback)
    case "stream":
      return without
        ? Upload.multipart(key, pieces(content), options)
        : Upload.multipart(key, pieces(content), withCallback)
    case "resumable":
      return without ? Upload.resumable(key, source, options) : Upload.resumable(key, source, withCallback)
    case "form":
      return Effect.flatMap(Presign.postObject({ ...presign, conditions: [] }), (form): Outcome =>
        without
          ? Upload.form(form, key, source, { retry })
          : Upload.form(form, key, source, { retry, callback: contract })
      )
    case "presigned":
      return Effect.flatMap(Presign.putObject(key, presign), (url): Outcome =>
        without
          ? Upload.presigned(url, source, { retry })
          : Upload.presigned(url, source, { retry, callback: contract })
      )
  }
}
