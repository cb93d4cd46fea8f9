/**
 * Sends parts of an open multipart upload side by side, out of buffers that go round.
 *
 * At most `concurrency` parts are in memory at once. A part whose CRC-64 at the server is not ours is sent again.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Crc64 from "../../model/Crc64.ts"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import { Crc64Mismatch } from "../../model/OssError.ts"
import type { Part } from "../../model/PartPlan.ts"
import type { Reader } from "../../ports/Source.ts"
import * as Transport from "../../ports/Transport.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import type { Headers } from "../../wire/Operation.ts"
import type * as OssClient from "../OssClient.ts"
import type { UploadError } from "./options.ts"

/** A part that is at the server, proved by its CRC-64. */
export interface SentPart {
  readonly number: number
  /** Bytes. */
  readonly size: number
  readonly etag: string
  readonly crc64: bigint
}

/** An upload that was initiated: where its parts go. */
export interface OpenUpload {
  readonly client: OssClient.Service
  readonly key: ObjectKey
  readonly uploadId: string
  /** Headers for each part: the traffic limit. */
  readonly partHeaders: Headers
}

/** How often a part is sent again whose CRC-64 came back wrong. */
const resends = Schedule.intersect(Schedule.recurs(2), Schedule.spaced("100 millis"))

/** Sends one part's bytes and proves them. `onSent` is told bytes of this part, from 0 again for each attempt. */
export const sendPart = (
  { client, key, uploadId, partHeaders }: OpenUpload,
  number: number,
  content: Uint8Array,
  onSent: (bytes: number) => void
): Effect.Effect<SentPart, UploadError> =>
  Effect.suspend(() => {
    const crc64 = Crc64.of(content)
    const body = Transport.bytes(content)
    return client.execute(MultipartOperation.uploadPart(key, uploadId, number, partHeaders, body, onSent)).pipe(
      Effect.flatMap((uploaded) =>
        uploaded.crc64 === undefined || uploaded.crc64 === crc64
          ? Effect.succeed({ number, size: content.length, etag: uploaded.etag, crc64 })
          : new Crc64Mismatch({ of: `part ${number}`, client: crc64, server: uploaded.crc64 })
      ),
      Effect.retry({ schedule: resends, while: (error) => error._tag === "Crc64Mismatch" })
    )
  })

/** Adds up what parts report, so that the sum never falls when one of them starts over. */
export const tally = (already: number, report: (sent: number) => void): (() => (bytes: number) => void) => {
  let total = already
  return () => {
    let seen = 0
    return (bytes) => {
      if (bytes <= seen) return
      total += bytes - seen
      seen = bytes
      report(total)
    }
  }
}

/** Buffers of one size for as many fibers as take them at once. What is given back is used again. */
const bufferPool = (size: number) => {
  const free: Array<Uint8Array> = []
  return Effect.acquireRelease(
    Effect.sync(() => free.pop() ?? new Uint8Array(size)),
    (buffer) => Effect.sync(() => free.push(buffer))
  )
}

/**
 * Reads and sends `parts`, at most `concurrency` at once, none larger than `partSize` bytes. The first failure stops the
 * others. `onDone` runs after each part, in the order in which they finish, before the next part of its fiber.
 */
export const sendParts = <E>(
  upload: OpenUpload,
  parts: Iterable<Part>,
  reader: Reader,
  options: {
    readonly partSize: number
    readonly concurrency: number
    readonly newCounter: () => (bytes: number) => void
    readonly onDone: (part: SentPart) => Effect.Effect<void, E>
  }
): Effect.Effect<ReadonlyArray<SentPart>, UploadError | E> => {
  const buffer = bufferPool(options.partSize)
  return Effect.forEach(
    parts,
    ({ number, offset, size }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const content = (yield* buffer).subarray(0, size)
          yield* reader.read(offset, content)
          const sent = yield* sendPart(upload, number, content, options.newCounter())
          yield* options.onDone(sent)
          return sent
        })
      ),
    { concurrency: options.concurrency }
  )
}

/** CRC-64 of the object that the parts make, in their order. */
export const combinedCrc64 = (parts: ReadonlyArray<SentPart>): bigint =>
  parts.reduce((crc64, part) => Crc64.combine(crc64, part.crc64, part.size), 0n)
