import { Bytes, Grant, type UploadGrant } from "effect-oss"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { VideoUploaded } from "../readme/contract.ts"

// 16 characters or more, drawn at random, the same on all servers.
const secret = Config.redacted("UPLOAD_SECRET")

/** POST /grant: may this user upload this file? Ask your own rules first. */
export const grant = (userId: string, file: { readonly name: string; readonly size: number; readonly type: string }) =>
  Effect.gen(function* () {
    return yield* Grant.issue(
      `videos/${userId}/${crypto.randomUUID()}/${file.name}`,
      { size: file.size, contentType: file.type },
      {
        secret: yield* secret,
        expiresIn: "10 minutes",
        maxSize: Bytes.GiB(4),
        contentTypes: ["video/*"],
        callback: VideoUploaded({ userId })
      }
    )
  })

/** POST /renew: new URLs for parts of an upload that takes longer. */
export const renew = (ticket: string, parts: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    return yield* Grant.renew(ticket, parts, { secret: yield* secret, expiresIn: "10 minutes" })
  })

/** POST /complete: what became of it, as JSON for the page. */
export const complete = (ticket: string, parts: ReadonlyArray<UploadGrant.SentPart>) =>
  Effect.gen(function* () {
    return yield* Grant.toOutcome(Grant.complete(ticket, parts, { secret: yield* secret, callback: VideoUploaded }))
  })
