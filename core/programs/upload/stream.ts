/**
 * Multipart upload of a stream whose length nobody knows: parts are cut as its bytes come, in sizes that grow, so that any
 * length fits in 10,000 of them.
 *
 * Backpressure: the stream is asked for more only when a buffer is free, of which there are `concurrency`. A stream that
 * ends within its first part is a PutObject (decisions/0001). Its bytes come but once, so nothing of it can be resumed.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import * as Source from "../../ports/Source.ts"
import { OssClient } from "../OssClient.ts"
import { scopedSpanned } from "../spanned.ts"
import * as Body from "./body.ts"
import * as Completion from "./completion.ts"
import { opened } from "./opening.ts"
import { checkConcurrency, encodeMultipart, type MultipartOptions, type UploadError } from "./options.ts"
import * as Parts from "./parts.ts"
import * as Progress from "./progress.ts"
import { simple } from "./simple.ts"

/** `Upload.multipart` of a stream, with whatever options; the types there say more. */
export const multipartStream = <A, E, R>(
  key: string,
  stream: Stream.Stream<Uint8Array, E, R>,
  options: MultipartOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed | E, OssClient | R> =>
  scopedSpanned(
    "oss.Upload.multipart",
    Effect.gen(function* () {
      const plan = yield* PartPlan.forStream(options)
      const concurrency = yield* checkConcurrency(options.concurrency)
      const client = yield* OssClient
      const objectKey = yield* ObjectKey.make(key)
      const headers = yield* encodeMultipart(objectKey, options)
      const cutter = yield* makeCutter(stream)
      const free = yield* Effect.makeSemaphore(concurrency)

      const buffers = makeBuffers()
      const first = yield* cutter.next(buffers.take(plan.partSize))
      if (yield* cutter.isAtEnd) {
        const uploaded = yield* simple(key, Source.bytes(first, "stream"), options)
        return { ...uploaded, method: "multipart" as const }
      }

      const progress = yield* Progress.make(undefined, options.onProgress)
      const newCounter = Parts.tally(progress.report)
      const { parts, stored } = yield* opened({ client, key: objectKey, headers }, (upload) =>
        Effect.gen(function* () {
          const next = (number: number) =>
            Effect.gen(function* () {
              yield* free.take(1)
              if (number === 1) return Option.some([{ number, content: first }, number + 1] as const)
              if (yield* cutter.isAtEnd) return Option.none()
              const part = PartPlan.streamPart(plan, number)
              if (Option.isNone(part)) {
                const reason = `must end within ${plan.maxSize} bytes for this part size; take a larger one`
                return yield* new InvalidParam({ field: "source", reason })
              }
              const content = yield* cutter.next(buffers.take(part.value.size))
              return Option.some([{ number, content }, number + 1] as const)
            })
          const send = ({ content, number }: { readonly content: Uint8Array; readonly number: number }) =>
            Parts.sendPart(upload, { number, size: content.length }, Body.inMemory(content), newCounter()).pipe(
              Effect.tap(() => {
                progress.partDone()
                buffers.giveBack(content)
                return free.release(1)
              })
            )
          const parts = Chunk.toReadonlyArray(
            yield* Stream.unfoldEffect(1, next).pipe(Stream.mapEffect(send, { concurrency }), Stream.runCollect)
          )
          return { parts, stored: yield* Completion.complete(upload, parts, headers.complete) }
        })
      )
      yield* progress.finish(Completion.expected(parts).size)
      return yield* Completion.receiptOf("multipart", { client, key: objectKey }, parts, stored, options.callback)
    })
  )

/** Buffers of a size that changes now and then: what is given back is used again as long as it is of the size asked for. */
const makeBuffers = () => {
  const free: Array<ArrayBufferLike> = []
  return {
    take: (size: number): Uint8Array => {
      const last = free.pop()
      if (last?.byteLength === size) return new Uint8Array(last)
      free.length = 0
      return new Uint8Array(size)
    },
    giveBack: (content: Uint8Array): void => void free.push(content.buffer)
  }
}

interface Cutter<E, R> {
  /** Fills the buffer, and answers what of it was filled: less than all only at the stream's end. */
  readonly next: (buffer: Uint8Array) => Effect.Effect<Uint8Array, E, R>
  /** Whether no byte is left. */
  readonly isAtEnd: Effect.Effect<boolean, E, R>
}

/** Cuts a stream's bytes anew, as they are asked for. */
const makeCutter = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Cutter<E, R>, never, R | Scope.Scope> =>
  Effect.map(Stream.toPull(stream), (pull): Cutter<E, R> => {
    let pieces: ReadonlyArray<Uint8Array> = []
    let at = 0 // the piece, and the byte in it, that come next
    let offset = 0
    let isOver = false
    /** The next bytes, at least one; `undefined` at the end. */
    const more: Effect.Effect<Uint8Array | undefined, E, R> = Effect.gen(function* () {
      for (;;) {
        if (at < pieces.length) return pieces[at]?.subarray(offset)
        if (isOver) return undefined
        const pulled = yield* Effect.either(pull)
        if (Either.isRight(pulled)) {
          pieces = Chunk.toReadonlyArray(pulled.right).filter((piece) => piece.length > 0)
          at = 0
        } else if (Option.isSome(pulled.left)) {
          return yield* Effect.fail(pulled.left.value)
        } else {
          isOver = true
        }
      }
    })
    return {
      next: (buffer) =>
        Effect.gen(function* () {
          let filled = 0
          while (filled < buffer.length) {
            const piece = yield* more
            if (piece === undefined) break
            const fitting = piece.subarray(0, buffer.length - filled)
            buffer.set(fitting, filled)
            filled += fitting.length
            offset += fitting.length
            if (offset === pieces[at]?.length) {
              at++
              offset = 0
            }
          }
          return buffer.subarray(0, filled)
        }),
      isAtEnd: Effect.map(more, (piece) => piece === undefined)
    }
  })
