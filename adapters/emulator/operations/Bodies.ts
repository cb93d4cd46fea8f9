/**
 * Taking in a request's body: what is checked before the first byte is asked for, and what after the last.
 */
import * as Effect from "effect/Effect"
import type * as Body from "../Body.ts"
import type { Call } from "../Call.ts"
import * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import { Storage } from "../Storage.ts"

/** What the client says the bytes will be. */
export interface Expected {
  readonly md5: Buffer | undefined
  readonly crc64: bigint | undefined
}

const md5Form = /^[A-Za-z0-9+/]{22}==$/

/** Content-MD5 and x-oss-hash-crc64ecma, read. */
export const expected = (headers: Http.Headers): Effect.Effect<Expected, Refusal.Refusal> => {
  const md5 = headers["content-md5"] || undefined
  const crc64 = headers["x-oss-hash-crc64ecma"] || undefined
  if (md5 !== undefined && !md5Form.test(md5)) return Effect.fail(Refusal.invalidDigestForm)
  if (crc64 !== undefined && !/^\d{1,20}$/.test(crc64)) return Effect.fail(Refusal.invalidCrc64)
  return Effect.succeed({
    md5: md5 === undefined ? undefined : Buffer.from(md5, "base64"),
    crc64: crc64 === undefined ? undefined : BigInt(crc64)
  })
}

const check = (received: Body.Received, { md5, crc64 }: Expected): Effect.Effect<void, Refusal.Refusal> => {
  if (md5 !== undefined && !md5.equals(received.md5)) return Effect.fail(Refusal.invalidDigest)
  return crc64 !== undefined && crc64 !== received.crc64 ? Effect.fail(Refusal.invalidCrc64) : Effect.void
}

/**
 * Receives the body into a file, and has `commit` give it a name; when `commit` refuses, the file is let go.
 * Refuses a body of unannounced length (411), one that is too long, one that breaks off, and bytes that are not the ones
 * the client summed up. From the last byte on it is not interruptible: a client that hangs up then has uploaded.
 */
export const receive = <A, R>(
  call: Call,
  commit: (received: Body.Received) => Effect.Effect<A, Refusal.Refusal, R>
): Effect.Effect<A, Refusal.Refusal, R | Settings | Storage> =>
  Effect.gen(function* () {
    const { headers } = call.request
    const { limits } = yield* Settings
    const storage = yield* Storage
    if (!Http.announcesBody(headers)) return yield* Effect.fail(Refusal.missingContentLength)
    const declared = Http.contentLength(headers)
    if (declared !== undefined && declared > limits.maxBody) {
      return yield* Effect.fail(Refusal.entityTooLarge(limits.maxBody, declared))
    }
    const wanted = yield* expected(headers)
    call.request.sendContinue()
    const received = yield* storage.receive(call.request.body, limits.maxBody).pipe(
      Effect.catchTags({
        BodyBroken: () => Effect.fail(Refusal.incompleteBody),
        BodyTooLong: ({ limit }) => Effect.fail(Refusal.entityTooLarge(limit, limit + 1))
      })
    )
    // A defect leaves the file to the next start, which knows whether anything names it.
    return yield* check(received, wanted).pipe(
      Effect.zipRight(commit(received)),
      Effect.tapError(() => storage.discard(received.file))
    )
  }).pipe(Effect.uninterruptible)
