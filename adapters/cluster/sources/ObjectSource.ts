/**
 * Another object of OSS as the source of an upload: read in ranges with GetObject, as long as its ETag is the same.
 *
 * Where the object lies in the same region, `Copy` lets OSS itself move the bytes. Sizes are in bytes.
 */
import * as Effect from "effect/Effect"
import type { Bucket } from "../../../core/model/Bucket.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import { SourceError } from "../../../core/model/OssError.ts"
import type { Source } from "../../../core/ports/Source.ts"
import type * as OssClient from "../../../core/programs/OssClient.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import * as RangedSource from "./RangedSource.ts"

/** What keeps a refusal from being anything but a refusal: there is no object, or it is another by now. */
export const asSourceError =
  (source: string) =>
  (cause: OssClient.RequestError): SourceError => {
    if (cause._tag === "SourceError") return cause
    if (cause._tag === "ServiceError") {
      const { status } = cause
      if (status === 404)
        return new SourceError({ reason: "NotFound", source, detail: "there is no such object", cause })
      if (status === 412 || status === 416) {
        return new SourceError({ reason: "Changed", source, detail: "has changed since it was described", cause })
      }
    }
    return new SourceError({ reason: "Read", source, detail: `cannot be read: ${cause.message}`, cause })
  }

/** One object, as it was when it was described. */
export interface Described {
  readonly bucket: string
  /** Which OSS it lies in: objects of one site can be copied to each other. */
  readonly site: string
  readonly key: ObjectKey.ObjectKey
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** `undefined` for objects older than OSS's CRC-64. */
  readonly crc64: bigint | undefined
}

/** Region and, where the address is one's own (path style: an emulator, a private cloud), the address. */
export const siteOf = ({ addressing, host, region }: Bucket): string =>
  addressing === "path" ? `${region} ${host}` : region

/** Asks what the object is now. `client` is bound to its bucket. Fails with `NotFound`, or with `Read`. */
export const describe = (client: OssClient.Service, key: string): Effect.Effect<Described, SourceError> => {
  const name = nameOf(client, key)
  return Effect.gen(function* () {
    const objectKey = yield* ObjectKey.make(key)
    const { crc64, etag, size } = yield* client.execute(Operation.headObject(objectKey))
    return { bucket: client.bucket.name, site: siteOf(client.bucket), key: objectKey, size, etag, crc64 }
  }).pipe(Effect.mapError(asSourceError(name)))
}

/** A source that OSS itself can copy from. */
export interface ObjectSource extends Source {
  readonly object: Described
}

/** Whether a source is another object of OSS. */
export const is = (source: Source): source is ObjectSource => "object" in source

const nameOf = (client: OssClient.Service, key: string) => `oss://${client.bucket.name}/${key}`

/** An object that was described, as a source. Every range carries If-Match: another object there is `Changed`. */
export const of = (client: OssClient.Service, described: Described, blockSize?: number): ObjectSource => {
  const { etag, key, size } = described
  const name = nameOf(client, key)
  const condition = { "if-match": `"${etag}"` }
  const asked = <A>(operation: Operation.Operation<A>) =>
    Effect.mapError(
      client.execute({ ...operation, headers: { ...operation.headers, ...condition } }),
      asSourceError(name)
    )
  const source = RangedSource.make({
    name,
    size,
    // By site, not by address: one runner may take the internal network, another the public one.
    fingerprint: `object:${described.site}/${client.bucket.name}/${key}:${size}:${etag}`,
    blockSize,
    get: (offset, length) =>
      Effect.flatMap(asked(Operation.getObject(key, length, { offset, length })), ({ bytes }) =>
        bytes.length === length
          ? Effect.succeed(bytes)
          : Effect.fail(
              new SourceError({
                reason: "Read",
                source: name,
                detail: `OSS gave ${bytes.length} bytes of the ${length} from ${offset} on`
              })
            )
      ),
    unchanged: Effect.asVoid(asked(Operation.headObject(key)))
  })
  return { ...source, object: described }
}

/** Describes the object as it is now, as a source. */
export const make = (
  client: OssClient.Service,
  key: string,
  blockSize?: number
): Effect.Effect<ObjectSource, SourceError> =>
  Effect.map(describe(client, key), (described) => of(client, described, blockSize))
