/**
 * Everything that uploads need on Node, in one layer: client, transport, crypto and credentials.
 */
import * as Layer from "effect/Layer"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import * as CredentialsProvider from "../../core/ports/CredentialsProvider.ts"
import type { Crypto } from "../../core/ports/Crypto.ts"
import type { Transport } from "../../core/ports/Transport.ts"
import * as OssClient from "../../core/programs/OssClient.ts"
import * as NodeCrypto from "./NodeCrypto.ts"
import * as NodeTransport from "./NodeTransport.ts"

export interface Options extends OssClient.Options {
  /** What to sign with. Default: `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and `OSS_SESSION_TOKEN`, by `Config`. */
  readonly credentials?: Credentials | CredentialsProvider.Service | undefined
  /** Agents, certificates, limits of connections. */
  readonly transport?: NodeTransport.Options | undefined
}

/** Transport and crypto alone: all that uploads without keys need. */
export const layerWithoutClient = (options?: NodeTransport.Options): Layer.Layer<Transport | Crypto> =>
  Layer.merge(NodeTransport.layer(options), NodeCrypto.layer)

/** Fails with `InvalidParam` when bucket, region or endpoint cannot be right. Missing keys fail the first request. */
export const layer = (options: Options): Layer.Layer<OssClient.OssClient | Transport | Crypto, InvalidParam> =>
  OssClient.layer(options).pipe(
    Layer.provide(credentialsLayer(options.credentials)),
    Layer.provideMerge(layerWithoutClient(options.transport))
  )

const credentialsLayer = (given: Options["credentials"]): Layer.Layer<CredentialsProvider.CredentialsProvider> => {
  if (given === undefined) return CredentialsProvider.layerConfig
  return "get" in given
    ? Layer.succeed(CredentialsProvider.CredentialsProvider, given)
    : CredentialsProvider.layer(given)
}
