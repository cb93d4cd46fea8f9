/**
 * Taking in a request's document: short, in memory, and the one its Content-MD5 says.
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Body from "../Body.ts"
import type { Call } from "../Call.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import * as Bodies from "./Bodies.ts"

/** The whole body. Refuses what is longer than documents may be, and what does not match its Content-MD5. */
export const receive = (call: Call): Effect.Effect<Buffer, Refusal.Refusal, Settings> =>
  Effect.gen(function* () {
    const { limits } = yield* Settings
    const { md5 } = yield* Bodies.expected(call.request.headers)
    call.request.sendContinue()
    const document = yield* Body.collect(call.request.body, limits.maxDocument).pipe(
      Effect.catchTags({
        BodyBroken: () => Effect.fail(Refusal.incompleteBody),
        BodyTooLong: ({ limit }) => Effect.fail(Refusal.entityTooLarge(limit, limit + 1))
      })
    )
    if (md5 === undefined || NodeCrypto.createHash("md5").update(document).digest().equals(md5)) return document
    return yield* Effect.fail(Refusal.invalidDigest)
  })
