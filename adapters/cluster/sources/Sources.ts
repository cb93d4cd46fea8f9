/**
 * Opens what a `SourceRef` names, on whatever machine this is.
 *
 * Who names sources decides what runners read: a list that comes from strangers could name any file of the machine and any
 * address of its network. `allow` says which are meant.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SourceError } from "../../../core/model/OssError.ts"
import type { CredentialsProvider } from "../../../core/ports/CredentialsProvider.ts"
import type { Crypto } from "../../../core/ports/Crypto.ts"
import type { Source } from "../../../core/ports/Source.ts"
import type { Transport } from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as FileSystemSource from "../../platform/FileSystemSource.ts"
import * as ObjectSource from "./ObjectSource.ts"
import * as SourceRef from "./SourceRef.ts"
import { Unsuitable } from "./Unsuitable.ts"
import * as UrlSource from "./UrlSource.ts"

export interface Service {
  /** Describes what the name stands for now. The fingerprint is the same on every machine as long as the bytes are. */
  readonly open: (ref: SourceRef.SourceRef) => Effect.Effect<Source, SourceError>
}

export class Sources extends Context.Tag("effect-oss/cluster/Sources")<Sources, Service>() {}

/** How objects of OSS are reached, as for the client; the bucket is each object's own. */
export interface Options extends Omit<OssClient.Options, "bucket"> {
  /** Which names may be opened. Default: all. Paths come as they were written: the file system knows where links lead. */
  readonly allow?: ((ref: SourceRef.SourceRef) => boolean) | undefined
  /** The most that is fetched in one request, in bytes. Default 4 MiB. */
  readonly blockSize?: number | undefined
}

/** Whether trying again is of no use: it is gone, has changed, or cannot serve as a source. */
export const isPermanent = (error: SourceError): boolean => error.reason !== "Read" || error.cause instanceof Unsuitable

/** All three kinds: files by the platform's FileSystem, URLs and objects by the port Transport. */
export const make = (
  options: Options
): Effect.Effect<Service, never, FileSystem.FileSystem | Transport | Crypto | CredentialsProvider> =>
  Effect.map(
    Effect.context<FileSystem.FileSystem | Transport | Crypto | CredentialsProvider>(),
    (context): Service => ({
      open: (ref) => {
        if (options.allow?.(ref) === false) {
          const detail = "may not be read: the runner's own rules exclude it"
          const cause = new Unsuitable({ reason: "Excluded" })
          return new SourceError({ reason: "Read", source: SourceRef.describe(ref), detail, cause })
        }
        switch (ref._tag) {
          case "Path":
            return Effect.provide(FileSystemSource.make(ref.path), context)
          case "Url":
            return Effect.provide(UrlSource.make(ref, { blockSize: options.blockSize }), context)
          case "Object":
            return OssClient.make({ ...options, bucket: ref.bucket }).pipe(
              Effect.mapError(ObjectSource.asSourceError(SourceRef.describe(ref))),
              Effect.flatMap((client) => ObjectSource.make(client, ref.key, options.blockSize)),
              Effect.provide(context)
            )
        }
      }
    })
  )

/** `make` as a layer. */
export const layer = (
  options: Options
): Layer.Layer<Sources, never, FileSystem.FileSystem | Transport | Crypto | CredentialsProvider> =>
  Layer.effect(Sources, make(options))
