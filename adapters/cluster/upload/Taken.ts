/**
 * What is done when a key is taken that may not be overwritten: by whom?
 *
 * A step whose runner was killed is done again, and then meets the object that it had stored itself. HeadObject tells: an
 * object of our size and CRC-64 is what was asked for, whoever has stored it. What the application answered is not known
 * then, nor whether it was told (`AnswerLost`). Sizes in bytes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import type { CallbackFailed, SourceError } from "../../../core/model/OssError.ts"
import type { Method, Uploaded } from "../../../core/model/Uploaded.ts"
import type { Source } from "../../../core/ports/Source.ts"
import { OssClient } from "../../../core/programs/OssClient.ts"
import type { UploadError } from "../../../core/programs/Upload.ts"
import * as Body from "../../../core/programs/upload/body.ts"
import * as Completion from "../../../core/programs/upload/completion.ts"
import { receipt } from "../../../core/programs/upload/receipt.ts"
import type * as Callback from "../../../core/wire/Callback.ts"

/** What we would have stored. */
export interface Ours<E> {
  readonly method: Method
  readonly key: string
  /** Asked for only when the key is taken. */
  readonly content: Effect.Effect<Completion.Expected, E>
  readonly callback: Callback.Callback<unknown> | undefined
}

/** Size and CRC-64 of a source, which is read for it. */
export const contentOf = (source: Source): Effect.Effect<Completion.Expected, SourceError> =>
  Effect.scoped(
    Effect.flatMap(source.open, (reader) =>
      Effect.map(Body.crc64OfChunks(reader, 0, source.size), (crc64) => ({ size: source.size, crc64 }))
    )
  )

/** An upload that finds its key taken by its own object has stored it. By any other one it is refused as before. */
export const byOurs =
  (ours: Ours<UploadError>) =>
  <E, R>(
    upload: Effect.Effect<Uploaded<unknown>, E | UploadError | CallbackFailed, R>
  ): Effect.Effect<Uploaded<unknown>, E | UploadError | CallbackFailed, R | OssClient> =>
    Effect.catchAll(upload, (error) =>
      Effect.gen(function* () {
        if (!isTaken(error)) return yield* Effect.fail(error)
        const client = yield* OssClient
        const key = yield* ObjectKey.make(ours.key)
        const expected = yield* ours.content
        const found = yield* Completion.findStored({ client, key }, expected)
        if (Option.isNone(found)) return yield* Effect.fail(error)
        const sent = { method: ours.method, operation: "HeadObject", bucket: client.bucket.name, key, ...expected }
        return yield* receipt(sent, found.value, ours.callback, undefined)
      })
    )

const isTaken = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "FileAlreadyExists"
