/**
 * The budget of all runners that share a database: slots by leases, bandwidth by one line of time for each bucket.
 *
 * Slots. Every runner that has work for a bucket says once a second how much, and is dealt its share (`Share`) of what the
 * others do not hold, in one transaction: at no time do leases add up to more than the limit. A runner hands on what is
 * above its share as its requests end, so a new one gets its own within a second and a request; it waits first come first
 * served inside. A runner that died holds its slots until its lease ends. One that slept through it lets nobody in until it
 * has spoken again; only what it had in flight then is above the limit.
 * Bandwidth. A request books the next free stretch of the bucket's line, as long as its bytes take, and begins with it.
 * What waits together is booked together, and a little ahead where requests are small.
 *
 * Not an entity of the cluster: this works without the engine, on SQLite too, nothing is lost with one runner, and its cost
 * does not grow with requests: 5 statements a second for each runner and bucket in use (less often from 50 runners on), and
 * at most one for each request and 20 a second for bandwidth. Times in milliseconds.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import { Budget, BudgetError, limitsOf, type Options as LimitOptions, type Service } from "./Budget.ts"
import * as Database from "../Database.ts"
import * as SqlLine from "./SqlLine.ts"
import * as SqlSlots from "./SqlSlots.ts"

export interface Options extends LimitOptions {
  /** How often a runner with work speaks to the database. Default 1 second. */
  readonly interval?: Duration.DurationInput | undefined
  /** How long a silent runner's slots are kept for it; at least 3 intervals. Default 15 seconds. */
  readonly lease?: Duration.DurationInput | undefined
  /** How long requests wait for a database that is away before they fail with `BudgetError`. Default 1 minute. */
  readonly patience?: Duration.DurationInput | undefined
  /** What the tables' names begin with. Default `effect_oss_budget`. */
  readonly prefix?: string | undefined
}

/** A bucket in use: runs an effect that sends so many bytes. */
type Room = (bytes: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | BudgetError, R>

/**
 * The budget over the client at hand, for the length of the scope. Fails with `InvalidParam` for limits that cannot be, and
 * with `SqlError` when its tables cannot be made.
 */
export const make = (
  options: Options
): Effect.Effect<Service, InvalidParam | SqlError, SqlClient.SqlClient | Scope.Scope> =>
  Effect.gen(function* () {
    const limits = yield* limitsOf(options)
    const prefix = options.prefix ?? "effect_oss_budget"
    const [buckets, runners] = [`${prefix}_buckets`, `${prefix}_runners`]
    const db = yield* Database.open(
      (sql) => [
        // `line`: until when the bucket's bandwidth is booked.
        sql`CREATE TABLE IF NOT EXISTS ${sql(buckets)} (bucket VARCHAR(63) PRIMARY KEY, line DOUBLE PRECISION NOT NULL)`,
        // `since`: when the foremost request began to wait, 0 when none does.
        sql`CREATE TABLE IF NOT EXISTS ${sql(runners)} (
          bucket VARCHAR(63) NOT NULL,
          runner CHAR(36) NOT NULL,
          slots INTEGER NOT NULL,
          wants INTEGER NOT NULL,
          since BIGINT NOT NULL,
          expires BIGINT NOT NULL,
          PRIMARY KEY (bucket, runner)
        )`
      ],
      [buckets, runners]
    )
    const interval = Math.max(10, Duration.toMillis(options.interval ?? "1 second"))
    const timing = {
      interval,
      lease: Math.max(3 * interval, Duration.toMillis(options.lease ?? "15 seconds")),
      patience: Duration.toMillis(options.patience ?? "1 minute")
    }
    const runner = globalThis.crypto.randomUUID()
    const scope = yield* Effect.scope
    const oneByOne = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const rooms = new Map<string, Room>()

    const enter = (bucket: string): Effect.Effect<Room, BudgetError> =>
      Effect.gen(function* () {
        const { bytesPerSecond, concurrency } = limits(bucket)
        yield* Database.patientlyFor(timing.patience)(
          db.sql`INSERT INTO ${db.sql(buckets)} (bucket, line) VALUES (${bucket}, 0) ON CONFLICT (bucket) DO NOTHING`
        )
        const slots = yield* SqlSlots.make(db, {
          bucket,
          runner,
          slots: concurrency,
          buckets,
          runners,
          ...timing
        }).pipe(Effect.provideService(Scope.Scope, scope))
        const wait =
          bytesPerSecond === undefined
            ? () => Effect.void
            : yield* SqlLine.make(db, { bucket, bytesPerSecond, buckets, live: slots.live, patience: timing.patience })
        const room: Room = (bytes) => (effect) => slots.turnstile.through(Effect.zipRight(wait(bytes), effect))
        rooms.set(bucket, room)
        return room
      }).pipe(
        Effect.mapError((cause) => new BudgetError({ bucket, detail: `cannot be asked: ${cause.message}`, cause })),
        Effect.uninterruptible
      )

    const roomFor = (bucket: string): Effect.Effect<Room, BudgetError> =>
      Effect.suspend(() => {
        const known = rooms.get(bucket)
        if (known !== undefined) return Effect.succeed(known)
        return oneByOne(
          Effect.suspend(() =>
            Option.match(Option.fromNullable(rooms.get(bucket)), {
              onNone: () => enter(bucket),
              onSome: Effect.succeed<Room>
            })
          )
        )
      })

    return { withPermit: (bucket, bytes) => (effect) => Effect.flatMap(roomFor(bucket), (room) => room(bytes)(effect)) }
  })

/** `make` as a layer. */
export const layer = (options: Options): Layer.Layer<Budget, InvalidParam | SqlError, SqlClient.SqlClient> =>
  Layer.scoped(Budget, make(options))
