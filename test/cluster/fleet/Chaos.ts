/**
 * Uploads by a fleet of runners that are killed and started again at random, while its database goes down once; and what is
 * true afterwards.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import { join } from "node:path"
import { Jobs, type Progress } from "../../../adapters/cluster/jobs/Jobs.ts"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"
import * as SqlJobs from "../../../adapters/cluster/jobs/SqlJobs.ts"
import * as UploadRequest from "../../../adapters/cluster/upload/UploadRequest.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import { bucket, callbacks, ObjectStored, url } from "./Contract.ts"
import * as Databases from "../Databases.ts"
import * as Files from "./Files.ts"
import * as Log from "./Log.ts"
import * as Postgres from "../Postgres.ts"
import * as Programs from "./Programs.ts"
import * as Setting from "./Setting.ts"
import * as Statements from "./Statements.ts"

export interface Options {
  /** SQLite has one runner, whatever `runners` says. */
  readonly database: "pg" | "sqlite"
  readonly runners: number
  readonly objects: number
  /** The largest of the objects, in bytes; the others are of many sizes, from 1 KiB. */
  readonly largest: number
  /** One more object of so many bytes; 0: none. */
  readonly huge: number
  /** Bytes of the parts of all but the huge object, whose parts have 8 MiB. */
  readonly partSize: number
  /** A runner is killed every so many seconds, at random up to half more or less; 0: none is. */
  readonly killEvery: number
  /** Every object has the largest size. */
  readonly alike?: boolean | undefined
  /** Whether the database goes down once, halfway. */
  readonly restartDatabase: boolean
  /** Told how far it is, about once a second. */
  readonly onProgress?: (progress: Progress, kills: number) => void
  /** Objects of a page, and pages under way at once. Default: the adapter's. */
  readonly pageSize?: number | undefined
  readonly pagesAtOnce?: number | undefined
  /** Whether the fleet stands ready before it is fed, and its statements are counted. On Postgres only. */
  readonly measured?: boolean | undefined
  /** What holds each runner down. */
  readonly holding?: Programs.Holding | undefined
}

/** What is wrong about a report, in words; nothing, if all is right. */
export const faults = (
  { objects, huge, killEvery, restartDatabase }: Options,
  report: Report
): ReadonlyArray<string> => {
  const expected = objects + (huge > 0 ? 1 : 0)
  const { deadLetters, kills, log, pendingUploads, progress, restarts, summary, untold, wrong } = report
  const claims: Record<string, boolean> = {
    [`not what was sent: ${wrong.join(", ")}`]: wrong.length > 0,
    [`the application was not told of: ${untold.join(", ")}`]: untold.length > 0,
    [`dead letters: ${deadLetters.join("; ")}`]: deadLetters.length > 0,
    [`${pendingUploads} uploads are left pending`]: pendingUploads > 0,
    [`sent again needlessly: ${log.parts.needless.join(", ")}`]: log.parts.needless.length > 0,
    [`the book has ${progress.objects.stored} stored objects of ${expected}`]: progress.objects.stored !== expected,
    [`the feeder says ${summary}`]: summary !== JSON.stringify({ stored: expected, failed: 0 }),
    "nobody was killed": killEvery > 0 && kills === 0,
    "the database was not restarted": restartDatabase && restarts === 0
  }
  return Object.entries(claims).flatMap(([claim, isTrue]) => (isTrue ? [claim] : []))
}

export interface Report {
  readonly seconds: number
  readonly summary: string
  readonly progress: Progress
  /** Keys whose object is missing, or has another CRC-64 or size. */
  readonly wrong: ReadonlyArray<string>
  /** Keys of which the application was never told. */
  readonly untold: ReadonlyArray<string>
  readonly callbacks: number
  readonly pendingUploads: number
  readonly kills: number
  readonly restarts: number
  readonly log: Log.Tally
  readonly deadLetters: ReadonlyArray<string>
  /** Messages that the engine has kept. Each has a reply. */
  readonly messages: number
  /** When the application was told, in milliseconds from the first time on. */
  readonly times: ReadonlyArray<number>
  /** What the database was asked from the feeding on, and what each of the fleet asks it in a second without work. */
  readonly statements: Statements.Counted | undefined
}

/** The emulator, whose application counts what it is told. */
const emulator = (told: Map<string, number>, times: Array<number>) =>
  OssEmulator.make({
    bucket,
    receivers: {
      [url]: CallbackReceiver.make(ObjectStored, ({ number, object }) =>
        Effect.sync(() => {
          told.set(object, (told.get(object) ?? 0) + 1)
          times.push(performance.now())
          return { number }
        })
      )
    }
  }).pipe(Effect.provide(NodeCrypto.layer), Effect.orDie)

const requestOf = (file: Files.File, number: number, partSize: number) =>
  Effect.map(callbacks.ref("stored", { number }), (callback): UploadRequest.UploadRequest => ({
    key: file.key,
    source: SourceRef.path(file.path),
    options: { partSize },
    callback
  }))

const messagesIn = (database: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ count: unknown }>`SELECT COUNT(*) AS count FROM cluster_messages`
  ).pipe(
    Effect.map(([row]) => Number(row?.count)),
    Effect.provide(Databases.client(database))
  )

/** A job on a fleet, from the first process to the last. */
export const run = (options: Options): Effect.Effect<Report, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Programs.bundle
    const folder = yield* Postgres.newFolder("fleet-")
    const told = new Map<string, number>()
    const times: Array<number> = []
    const oss = yield* emulator(told, times)
    const postgres =
      options.database === "pg"
        ? yield* Postgres.make(options.measured === true ? Statements.settings : Postgres.forgetful)
        : undefined
    const database = postgres?.address ?? `sqlite:${join(folder, "cluster.db")}`

    const sizes =
      options.alike === true
        ? Array.from({ length: options.objects }, () => options.largest)
        : Files.sizes(options.objects, options.largest)
    const files = sizes.map((size, i) => Files.make(join(folder, `${i}`), `objects/${i}.bin`, size, i))
    const requests = yield* Effect.forEach(files, (file, i) => requestOf(file, i, options.partSize))
    if (options.huge > 0) {
      const huge = Files.make(join(folder, "huge"), "objects/huge.bin", options.huge, 1 << 30)
      files.push(huge)
      requests.unshift(yield* requestOf(huge, options.objects, 8 * 1024 * 1024))
    }
    const list = join(folder, "requests.jsonl")
    Fs.writeFileSync(list, requests.map((request) => `${UploadRequest.encode(request)}\n`).join(""))

    const setting: Setting.Setting = {
      database,
      ...Setting.of(oss),
      port: 0,
      log: "",
      parts: 4,
      partsInRange: 8,
      rangesAtOnce: 4,
      objectsAtOnce: 4,
      job: "chaos",
      requests: list,
      ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
      ...(options.pagesAtOnce === undefined ? {} : { pagesAtOnce: options.pagesAtOnce })
    }
    const logs = Array.from({ length: postgres === undefined ? 1 : options.runners }, (_, i) =>
      join(folder, `runner-${i}.log`)
    )
    const begun = performance.now()
    const fleet = yield* Effect.forEach(postgres === undefined ? [] : logs, (log) =>
      Effect.flatMap(Postgres.freePort, (port) => {
        Fs.writeFileSync(log, "")
        return Programs.runner({ ...setting, log, port }, options.holding)
      })
    )
    const jobs = Context.get(
      yield* Layer.build(SqlJobs.layer().pipe(Layer.provide(Databases.client(database)), Layer.orDie)),
      Jobs
    )

    let [kills, restarts] = [0, 0]
    const killer = Effect.gen(function* () {
      yield* Effect.sleep(options.killEvery * 1000 * (yield* Random.nextRange(0.5, 1.5)))
      const victim = fleet[yield* Random.nextIntBetween(0, fleet.length)]!
      yield* victim.kill
      kills++
      yield* Effect.sleep(1000 * (yield* Random.nextRange(0.2, 2)))
      yield* victim.ensure
    }).pipe(Effect.forever)
    if (options.killEvery > 0 && postgres !== undefined) yield* Effect.forkScoped(killer)
    // A runner that gave up by itself, as one may whose database is away, is started again as a service manager would.
    const manager = Effect.forEach(fleet, (runner) => runner.ensure).pipe(Effect.delay("3 seconds"), Effect.forever)
    yield* Effect.forkScoped(manager)

    const watcher = Effect.gen(function* () {
      const progress = yield* jobs.progress("chaos")
      options.onProgress?.(progress, kills)
      return progress
    })
    const watching = yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(watcher), "1 second")))
    if (options.restartDatabase && postgres !== undefined) {
      const halfway = Effect.repeat(Effect.delay(Effect.orDie(watcher), "300 millis"), {
        until: ({ objects }) => objects.stored >= options.objects / 2
      })
      yield* Effect.forkScoped(
        Effect.gen(function* () {
          yield* halfway
          restarts++
          yield* postgres.restart(1000)
        })
      )
    }

    const statements = options.measured === true ? yield* Statements.begin(database, logs) : undefined

    // The feeder may fail with the database; fed again, the job goes on. A runner alone feeds itself, and is killed four times.
    const alone = Effect.suspend(() =>
      Programs.run("runner", { ...setting, log: logs[0] ?? "" }).pipe(
        // The first time it has hardly begun, each time it gets further, and the fifth time to the end.
        Effect.timeoutOption(kills < 4 && options.killEvery > 0 ? options.killEvery * 500 * (kills + 1) : 3_600_000),
        Effect.map(Option.getOrElse(() => ({ code: null, text: `killed, the ${++kills}. time` })))
      )
    )
    const feeding = postgres === undefined ? alone : Programs.run("feeder", setting)
    let fed = yield* feeding
    while (fed.code !== 0) {
      yield* Effect.sleep("1 second")
      fed = yield* feeding
    }
    const seconds = (performance.now() - begun) / 1000
    yield* Fiber.interrupt(watching)
    const counted = statements === undefined ? undefined : yield* statements

    const found = new Map((yield* oss.objects()).map((record) => [record.key, record]))
    const isWrong = ({ crc64, key, size }: Files.File) => {
      const record = found.get(key)
      return record === undefined || record.size !== size || BigInt(record.crc64) !== crc64
    }
    return {
      seconds,
      summary: fed.text.trim(),
      progress: yield* Effect.orDie(jobs.progress("chaos")),
      wrong: files.filter(isWrong).map(({ key }) => key),
      untold: files.filter(({ key }) => !told.has(key)).map(({ key }) => key),
      callbacks: [...told.values()].reduce((sum, times) => sum + times, 0),
      pendingUploads: (yield* oss.uploads()).length,
      kills,
      restarts,
      log: Log.tally(logs),
      deadLetters: (yield* Effect.orDie(jobs.deadLetters("chaos"))).map(
        ({ failure, request }) => `${request.key}: ${failure.message}`
      ),
      messages: yield* messagesIn(database),
      times: times.map((time) => Math.round(time - (times[0] ?? 0))),
      statements: counted
    }
  }).pipe(Effect.orDie)
