/**
 * What an upload's end becomes in durable state: a receipt that tells what became of the callback.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { CallbackFailed, type InvalidParam } from "../../../core/model/OssError.ts"
import type { Uploaded } from "../../../core/model/Uploaded.ts"
import { Crypto } from "../../../core/ports/Crypto.ts"
import * as Outbox from "../../../core/ports/Outbox.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import type * as Callbacks from "./Callbacks.ts"
import type * as Receipt from "./Receipt.ts"

const receiptOf = (
  { bucket, crc64, etag, key, requestId, size, versionId }: Uploaded<unknown>,
  callback: Receipt.CallbackOutcome
): Receipt.Receipt => ({ bucket, key, size, etag, crc64, versionId: versionId ?? null, requestId, callback })

/** A failed callback is not a failed upload; where the runner has an `Outbox`, the callback waits there. */
export const kept = <E, R>(
  bound: Callbacks.Bound | undefined,
  upload: Effect.Effect<Uploaded<unknown>, E | CallbackFailed, R>
): Effect.Effect<Receipt.Receipt, E | InvalidParam, R | OssClient.OssClient> =>
  upload.pipe(
    Effect.map((uploaded) => {
      if (bound === undefined) return receiptOf(uploaded, { _tag: "None" })
      const answer = bound.encodeAnswer(uploaded.callback)
      return receiptOf(
        uploaded,
        Either.isRight(answer)
          ? { _tag: "Answered", answer: answer.right }
          : { _tag: "Failed", reason: "OffContract", detail: answer.left }
      )
    }),
    Effect.catchIf(
      (error): error is Extract<typeof error, CallbackFailed> => error instanceof CallbackFailed,
      (failed) =>
        Effect.gen(function* () {
          const outbox = yield* Effect.serviceOption(Outbox.Outbox)
          const { signer } = yield* OssClient.OssClient
          if (bound !== undefined && Option.isSome(outbox)) {
            yield* Redelivery.keeping(bound.callback)(Effect.fail(failed)).pipe(
              Effect.ignore, // the failure itself; an outbox that fails is logged there
              Effect.provideService(Outbox.Outbox, outbox.value),
              Effect.provideService(Crypto, signer.crypto)
            )
          }
          return receiptOf(failed.stored, { _tag: "Failed", reason: failed.reason, detail: failed.detail })
        })
    )
  ) as Effect.Effect<Receipt.Receipt, E | InvalidParam, R | OssClient.OssClient> // catchIf leaves CallbackFailed in the type
