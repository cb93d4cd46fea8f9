/**
 * Sends parts of an open multipart upload side by side, and proves each by its CRC-64: one that arrived wrong is sent again,
 * one that an earlier run has sent is compared with the source as it is now.
 *
 * Memory: one buffer of a part's size for each of `concurrency` or, chunk by chunk, none to speak of. A source in memory is
 * sent from where it lies.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as Crc64 from "../../model/Crc64.ts"
import type { ObjectKey } from "../../model/ObjectKey.ts"
import { Crc64Mismatch, type SourceError } from "../../model/OssError.ts"
import type { Part } from "../../model/PartPlan.ts"
import { chunkMemory, type Reader } from "../../ports/Source.ts"
import * as MultipartOperation from "../../wire/MultipartOperation.ts"
import type { Headers } from "../../wire/Operation.ts"
import * as AtOnce from "../atOnce.ts"
import type * as OssClient from "../OssClient.ts"
import { retry } from "../retry.ts"
import * as Body from "./body.ts"
import type { Holding, UploadError } from "./options.ts"
import type { Reporter } from "./progress.ts"
import { make as noneSent, type SentPart, type SentParts } from "./sent.ts"

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

/** Sends one part and proves it. `onSent` is told bytes of this part, from 0 again for each attempt. */
export const sendPart = (
  { client, key, uploadId, partHeaders }: OpenUpload,
  { number, size }: Pick<Part, "number" | "size">,
  { body, crc64 }: Body.MeasuredBody,
  onSent: (bytes: number) => void
): Effect.Effect<SentPart, UploadError> =>
  retry(
    () =>
      AtOnce.flatMap(
        client.execute(MultipartOperation.uploadPart(key, uploadId, number, partHeaders, body, onSent)),
        (uploaded): Effect.Effect<SentPart, UploadError> =>
          uploaded.crc64 === undefined || uploaded.crc64 === crc64()
            ? Effect.succeed({ number, size, etag: uploaded.etag, crc64: crc64() })
            : new Crc64Mismatch({ of: `part ${number}`, client: crc64(), server: uploaded.crc64 })
      ),
    resends,
    (error) => error._tag === "Crc64Mismatch"
  )

/** Adds up what parts report, so that the sum never falls when one of them starts over. */
export const tally = (report: (sent: number) => void): (() => (bytes: number) => void) => {
  let total = 0
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

/** A part's content, until that of the next part is asked for. */
interface Content {
  readonly crc64: Effect.Effect<bigint, SourceError>
  /** Measured when it is asked for. */
  readonly body: () => Body.MeasuredBody
}

type ContentOf = (part: Part) => Effect.Effect<Content, SourceError>

const inMemory = (bytes: Uint8Array): Content => ({
  crc64: Effect.sync(() => Crc64.of(bytes)),
  body: () => Body.inMemory(bytes)
})

const inBuffer = (reader: Reader, partSize: number): ContentOf => {
  let buffer: Uint8Array | undefined
  return ({ offset, size }) => {
    buffer ??= reader.allocate?.(partSize) ?? new Uint8Array(partSize)
    const content = buffer.subarray(0, size)
    return AtOnce.flatMap(reader.read(offset, content), () => Effect.succeed(inMemory(content)))
  }
}

const inView =
  (view: NonNullable<Reader["view"]>): ContentOf =>
  ({ offset, size }) =>
    Effect.succeed(inMemory(view(offset, size)))

const inChunks = (reader: Reader, chunkSize: number | undefined): ContentOf => {
  const memory = chunkMemory(chunkSize)
  return ({ offset, size }) =>
    Effect.succeed({
      crc64: Body.crc64OfChunks(reader, offset, size, memory),
      body: () => Body.inChunks(reader, offset, size, memory)
    })
}

const held = (reader: Reader, holding: Holding, partSize: number): ContentOf => {
  if (reader.view !== undefined) return inView(reader.view)
  return holding.buffer === "part" ? inBuffer(reader, partSize) : inChunks(reader, holding.chunkSize)
}

/** Runs around the sending of a part. */
export type Around<E> = (part: Part) => <A, E2>(send: Effect.Effect<A, E2>) => Effect.Effect<A, E2 | E>

/** Makes a part at the server by other means than sending its bytes. */
export type Place = (upload: OpenUpload, part: Part) => Effect.Effect<SentPart, UploadError>

export interface SendOptions<E> {
  /** Bytes; no part is larger. */
  readonly partSize: number
  readonly holding: Holding
  readonly concurrency: number
  readonly progress: Pick<Reporter, "report" | "partDone">
  /** What an earlier run has left at the server of this part. It counts if the source's bytes still have its CRC-64. */
  readonly known?: ((number: number) => SentPart | undefined) | undefined
  /** Runs after each part that was sent, before the next part of its fiber. */
  readonly onSent?: ((part: SentPart) => Effect.Effect<void, E>) | undefined
  /** Runs around each part that is sent. */
  readonly around?: Around<E> | undefined
  /** Instead of sending; what is known of a part counts as it is then. */
  readonly place?: Place | undefined
}

/**
 * Sends `parts`, at most `concurrency` at once, or proves those that are known. The first failure stops the others. Answers
 * all of them in their order.
 */
export const sendParts = <E = never>(
  upload: OpenUpload,
  parts: Iterable<Part>,
  reader: Reader,
  { around = () => identity, concurrency, holding, known, onSent, partSize, place, progress }: SendOptions<E>
): Effect.Effect<SentParts, UploadError | E> => {
  const newCounter = tally(progress.report)
  const made = (part: Part, contentOf: ContentOf, count: (bytes: number) => void) =>
    place !== undefined
      ? around(part)(place(upload, part))
      : AtOnce.flatMap(contentOf(part), ({ body }) => around(part)(sendPart(upload, part, body(), count)))
  /** A known part that needs no sending, if there is one. */
  const proved = (part: Part, contentOf: ContentOf): Effect.Effect<SentPart | undefined, SourceError> => {
    const earlier = known?.(part.number)
    if (earlier === undefined || place !== undefined) return Effect.succeed(earlier)
    return Effect.map(
      Effect.flatMap(contentOf(part), ({ crc64 }) => crc64),
      (crc64) => (crc64 === earlier.crc64 ? earlier : undefined)
    )
  }
  // Chained by hand, for each generator costs as much as a signature.
  const settle = (part: Part, contentOf: ContentOf): Effect.Effect<SentPart, UploadError | E> => {
    const count = newCounter()
    const done = (): void => {
      count(part.size)
      progress.partDone()
    }
    const noted = (sent: SentPart): Effect.Effect<SentPart, E> => {
      done()
      return onSent === undefined ? Effect.succeed(sent) : Effect.as(onSent(sent), sent)
    }
    return AtOnce.flatMap(proved(part, contentOf), (earlier): Effect.Effect<SentPart, UploadError | E> => {
      if (earlier === undefined) return AtOnce.flatMap(made(part, contentOf, count), noted)
      done()
      return Effect.succeed(earlier)
    })
  }
  return Effect.suspend(() => {
    const left = parts[Symbol.iterator]()
    const settled = noneSent()
    // As many fibers as parts in flight, each taking the next part: a fiber for each part would be kept until the end.
    const worker = Effect.suspend(() => {
      const contentOf = held(reader, holding, partSize)
      let next = left.next()
      return AtOnce.whileLoop({
        while: () => next.done !== true,
        body: () => settle(next.value as Part, contentOf), // not done
        step: (sent) => {
          settled.add(sent)
          next = left.next()
        }
      })
    })
    return Effect.all(
      Array.from({ length: concurrency }, () => worker),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.as(settled))
  })
}
