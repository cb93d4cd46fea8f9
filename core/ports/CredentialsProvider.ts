/**
 * Where the keys come from. Asked before every request, so that a refreshed token is used at once.
 *
 * Fixed keys, keys from `Config`, and temporary ones (STS) that are fetched again before they end. Times are Effect's
 * `Clock`, in milliseconds since 1970.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Credentials } from "../model/Credentials.ts"
import { CredentialsError } from "../model/OssError.ts"

export interface Service {
  /** The credentials to sign with now. */
  readonly get: Effect.Effect<Credentials, CredentialsError>
  /** Says that OSS refused these credentials as expired: the next `get` must not answer them again if it can. */
  readonly invalidate: (refused: Credentials) => Effect.Effect<void>
}

export class CredentialsProvider extends Context.Tag("effect-oss/CredentialsProvider")<
  CredentialsProvider,
  Service
>() {}

/** The same credentials for ever. */
export const fixed = (credentials: Credentials): Service => ({
  get: Effect.succeed(credentials),
  invalidate: () => Effect.void
})

/** The same credentials for ever, as a layer. */
export const layer = (credentials: Credentials): Layer.Layer<CredentialsProvider> =>
  Layer.succeed(CredentialsProvider, fixed(credentials))

const config = Config.all({
  accessKeyId: Config.nonEmptyString("OSS_ACCESS_KEY_ID"),
  accessKeySecret: Config.redacted(Config.nonEmptyString("OSS_ACCESS_KEY_SECRET")),
  securityToken: Config.option(Config.redacted(Config.nonEmptyString("OSS_SESSION_TOKEN")))
})

/**
 * Credentials from `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, for STS, `OSS_SESSION_TOKEN`, the names that
 * Alibaba's own SDKs read. They are read through `Config`, so from the environment unless a ConfigProvider says otherwise,
 * at every request: a process whose environment lacks them fails with `CredentialsError`, not before.
 */
export const fromConfig: Service = {
  get: config.pipe(
    Effect.map(({ securityToken, ...keys }) => ({ ...keys, securityToken: Option.getOrUndefined(securityToken) })),
    Effect.mapError(
      () =>
        new CredentialsError({ reason: "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (OSS_SESSION_TOKEN for STS)" })
    )
  ),
  invalidate: () => Effect.void
}

/** `fromConfig` as a layer. */
export const layerConfig: Layer.Layer<CredentialsProvider> = Layer.succeed(CredentialsProvider, fromConfig)

/** Temporary credentials as STS issues them: they say when they end. */
export interface Temporary extends Credentials {
  readonly expiresAt: number
}

export interface RefreshOptions {
  /**
   * How long before their end credentials are fetched again. Default 5 minutes; never more than a quarter of the time they
   * had left when they came, so that short-lived ones are not fetched at every request.
   */
  readonly margin?: Duration.DurationInput | undefined
  /** How long one fetch may take; after that it has failed. Default 10 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
}

interface Held {
  readonly credentials: Temporary
  /** When to ask for others. */
  readonly refreshAt: number
  /** Until when these may be answered. */
  readonly usableUntil: number
}

const maxMarginShare = 1 / 4
/** After a failed early refresh, this share of what is left passes before the next attempt. */
const pauseShare = 1 / 10

const areSame = (a: Credentials, b: Credentials): boolean =>
  a.accessKeyId === b.accessKeyId && Equal.equals(a.securityToken, b.securityToken)

/**
 * Credentials from an effect that fetches temporary ones: at first use, again before they end, and when OSS refused them.
 *
 * However many ask at once, one fetch runs; it belongs to none of them, so nobody's interruption ends it. When a fetch
 * before the end fails, the credentials at hand are answered on, and it is tried again a little later; when there are none,
 * everybody who waits fails with `CredentialsError`, and the next `get` tries again. To try harder, give `fetch` a retry.
 *
 * Credentials that are over by our clock when they come tell of a wrong clock: they are used until OSS refuses them.
 */
export const refreshing = <E, R>(
  fetch: Effect.Effect<Temporary, E, R>,
  options: RefreshOptions = {}
): Effect.Effect<Service, never, R> =>
  Effect.map(Effect.context<R>(), (context): Service => {
    const margin = Duration.toMillis(options.margin ?? Duration.minutes(5))
    const fetched = fetch.pipe(
      Effect.timeout(options.timeout ?? Duration.seconds(10)),
      Effect.provide(context),
      Effect.interruptible,
      Effect.exit
    )
    let held: Held | undefined
    // The last that OSS refused: a fetch that brings the same again must be told from one that brings others.
    let refused: Temporary | undefined
    let flight: Deferred.Deferred<Credentials, CredentialsError> | undefined

    const hold = (fresh: Temporary, now: number): Temporary => {
      const known = [held?.credentials, refused].find((old) => old !== undefined && areSame(old, fresh))
      // The same object for the same credentials: so the client sees that asking again brought nothing new.
      const credentials = known ?? fresh
      const left = fresh.expiresAt - now
      held = {
        credentials,
        refreshAt: left > 0 ? fresh.expiresAt - Math.min(margin, left * maxMarginShare) : Infinity,
        usableUntil: left > 0 ? fresh.expiresAt : Infinity
      }
      return credentials
    }

    const land = (exit: Exit.Exit<Temporary, unknown>, now: number): Exit.Exit<Credentials, CredentialsError> => {
      if (Exit.isSuccess(exit)) return Exit.succeed(hold(exit.value, now))
      if (held !== undefined && now < held.usableUntil) {
        held = { ...held, refreshAt: now + (held.usableUntil - now) * pauseShare }
        return Exit.succeed(held.credentials)
      }
      return Cause.isDie(exit.cause)
        ? Exit.die(Cause.squash(exit.cause))
        : Exit.fail(new CredentialsError({ reason: "they could not be fetched", cause: Cause.squash(exit.cause) }))
    }

    const fly = (waiting: Deferred.Deferred<Credentials, CredentialsError>) =>
      Effect.gen(function* () {
        const exit = yield* fetched
        const now = yield* Clock.currentTimeMillis
        flight = undefined
        Deferred.unsafeDone(waiting, land(exit, now))
      })

    // Nothing may interrupt between noting the flight and its start: the others would wait for ever.
    const get = Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (held !== undefined && now < held.refreshAt) return Effect.succeed(held.credentials)
        if (flight !== undefined) return restore(Deferred.await(flight))
        const waiting = Deferred.unsafeMake<Credentials, CredentialsError>(FiberId.none)
        flight = waiting
        return Effect.zipRight(Effect.forkDaemon(fly(waiting)), restore(Deferred.await(waiting)))
      })
    )

    const invalidate = (credentials: Credentials) =>
      Effect.sync(() => {
        if (credentials !== held?.credentials) return // others have come since
        refused = held.credentials
        held = undefined
      })

    return { get, invalidate }
  })

/** `refreshing` as a layer: one for each time it is built. */
export const layerRefreshing = <E, R>(
  fetch: Effect.Effect<Temporary, E, R>,
  options?: RefreshOptions
): Layer.Layer<CredentialsProvider, never, R> => Layer.effect(CredentialsProvider, refreshing(fetch, options))
