/**
 * Everything that uploads need on a runtime with `fetch`, in one layer: client, transport, crypto and credentials.
 *
 * For servers and edge workers. A page must not hold keys: it takes `FetchTransport` alone, or `effect-oss/browser`.
 */
import * as Layer from "effect/Layer"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import * as CredentialsProvider from "../../core/ports/CredentialsProvider.ts"
import type { Crypto } from "../../core/ports/Crypto.ts"
import type { Transport } from "../../core/ports/Transport.ts"
import * as OssClient from "../../core/programs/OssClient.ts"
import * as FetchTransport from "./FetchTransport.ts"
import * as NobleCrypto from "./NobleCrypto.ts"

export interface Options extends OssClient.Options {
  /** What to sign with. Many of these runtimes have no environment variables, so nothing is looked up. */
  readonly credentials: Credentials | CredentialsProvider.Service
  readonly transport?: FetchTransport.Options | undefined
}

/** Transport and crypto alone: all that uploads without keys need. */
export const layerWithoutClient = (options?: FetchTransport.Options): Layer.Layer<Transport | Crypto> =>
  Layer.merge(FetchTransport.layer(options), NobleCrypto.layer)

/** Fails with `InvalidParam` when bucket, region or endpoint cannot be right. Wrong keys fail the first request. */
export const layer = (options: Options): Layer.Layer<OssClient.OssClient | Transport | Crypto, InvalidParam> => {
  const { credentials } = options
  const provider =
    "get" in credentials
      ? Layer.succeed(CredentialsProvider.CredentialsProvider, credentials)
      : CredentialsProvider.layer(credentials)
  return OssClient.layer(options).pipe(
    Layer.provide(provider),
    Layer.provideMerge(layerWithoutClient(options.transport))
  )
}
