/**
 * Where the keys come from. Asked before every request, so that a refreshed token is used at once.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
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
