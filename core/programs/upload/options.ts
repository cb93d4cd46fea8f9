/**
 * What uploads with credentials take, and every way they can end other than well.
 */
import * as Either from "effect/Either"
import * as Bytes from "../../model/Bytes.ts"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import { InvalidParam, type Crc64Mismatch } from "../../model/OssError.ts"
import type { Source } from "../../ports/Source.ts"
import * as Callback from "../../wire/Callback.ts"
import * as ObjectHeaders from "../../wire/ObjectHeaders.ts"
import type { Headers } from "../../wire/Operation.ts"
import type { RequestError } from "../OssClient.ts"
import type { OnProgress } from "./progress.ts"

export interface UploadOptions<A> extends ObjectHeaders.ObjectOptions {
  /** What OSS tells the application server once the object is stored, and what it answers. */
  readonly callback?: Callback.Callback<A> | undefined
  /** Told how far the upload has come; not waited for, except for its last call. */
  readonly onProgress?: OnProgress | undefined
  /** Bits per second that OSS takes from each of the upload's requests: 819,200 to 838,860,800. */
  readonly trafficLimit?: number | undefined
}

export interface MultipartOptions<A> extends UploadOptions<A> {
  /** Bytes of every part but the last: 102,400 to 5,368,709,120. Default 8 MiB; raised where 10,000 parts do not suffice. */
  readonly partSize?: number | undefined
  /** Parts in flight, and in memory, at once: 1 to 1,000. Default 4. */
  readonly concurrency?: number | undefined
  /**
   * What is held in memory of each part in flight: the whole `part`, read once, or a few `chunk`s, read again for every
   * attempt. On Node three of 96 KiB, which is the least memory, and takes more CPU time than the default: the `part` up
   * to 1 MiB, chunks above 32 MiB, and between them what suits the source; those chunks of a file are three of 1 MiB. A
   * stream's parts are held whole, and of bytes in memory nothing more.
   */
  readonly buffer?: "part" | "chunk" | undefined
}

export interface ResumableOptions<A> extends MultipartOptions<A> {
  /**
   * What to do when an earlier run has begun to upload another source, or an older state of it, to this key: `fail` with
   * `SourceError` `Changed` (the default) and keep what it has sent, or abort its upload and `restart`.
   */
  readonly ifChanged?: "fail" | "restart" | undefined
}

/** How an upload can fail; with a callback, `CallbackFailed` joins it, which is not a failed upload. */
export type UploadError = RequestError | Crc64Mismatch

/** Fails with `InvalidParam` for `concurrency`. */
export const checkConcurrency = (concurrency = 4): Either.Either<number, InvalidParam> =>
  Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000
    ? Either.right(concurrency)
    : Either.left(
        new InvalidParam({
          field: "concurrency",
          reason: `must be a whole number of 1 to 1000 parts at once, got ${concurrency}`
        })
      )

/** Unless asked otherwise, parts of up to so many bytes are held whole, and larger ones than so many are not. */
const heldWhole = { always: Bytes.MiB(1), atMost: Bytes.MiB(32) }

/** Who asks for chunks asks for little memory: so many bytes each. */
const smallChunk = 96 * 1024

/** How a part is held: whole, or in chunks of at most so many bytes, or of as many as suit the source. */
export type Holding = { readonly buffer: "part" } | { readonly buffer: "chunk"; readonly chunkSize: number | undefined }

/** How parts of a source are held. */
export const holdingOf = (
  { buffer }: Pick<MultipartOptions<unknown>, "buffer">,
  source: Pick<Source, "buffer">,
  partSize: number
): Holding => {
  if (buffer === "chunk") return { buffer, chunkSize: smallChunk }
  const suits = partSize <= heldWhole.atMost ? (source.buffer ?? "part") : "chunk"
  return buffer === "part" || partSize <= heldWhole.always || suits === "part"
    ? { buffer: "part" }
    : { buffer: "chunk", chunkSize: undefined }
}

/** The headers of the three kinds of requests of a multipart upload. Fails with `InvalidParam` before anything is sent. */
export const encodeMultipart = <A>(
  key: ObjectKey,
  options: MultipartOptions<A>
): Either.Either<{ readonly initiate: Headers; readonly part: Headers; readonly complete: Headers }, InvalidParam> =>
  Either.gen(function* () {
    const initiate = yield* ObjectHeaders.encode(key, options)
    const part = yield* ObjectHeaders.encodeTrafficLimit(options.trafficLimit)
    const callback: Headers = options.callback === undefined ? {} : yield* Callback.headers(options.callback)
    // Overwriting is checked when an upload begins and again when it ends; the ACL takes effect at the end.
    const forbid: Headers = options.forbidOverwrite === true ? { "x-oss-forbid-overwrite": "true" } : {}
    const acl: Headers = options.acl === undefined ? {} : { "x-oss-object-acl": options.acl }
    return { initiate, part, complete: { ...callback, ...forbid, ...acl } }
  })
