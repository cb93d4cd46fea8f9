import { Redelivery, type Source, Upload } from "effect-oss"
import { FsOutbox } from "effect-oss/fs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { VideoUploaded } from "../readme/contract.ts"

export const Waiting = FsOutbox.layer({ directory: "/var/lib/uploader/outbox" })

/** A callback that fails is in the outbox before the failure is told. */
export const publish = (key: string, video: Source.Source, userId: string) => {
  const callback = VideoUploaded({ userId })
  return Upload.multipart(key, video, { callback, metadata: { user: userId } }).pipe(Redelivery.keeping(callback))
}

/** Each minute. The receiver has the same secret in its option `redelivery`. */
export const redeliver = (secret: Redacted.Redacted) => Redelivery.reconcile({ secret })

/** Each night: what is in the bucket, and in no outbox, and not known to the application either. */
export const compare = (secret: Redacted.Redacted, isKnown: (key: string, etag: string) => Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return yield* Redelivery.reconcileListing({
      secret,
      prefix: "videos/",
      since: now - Duration.toMillis("2 days"),
      isAcknowledged: ({ etag, key }) => isKnown(key, etag),
      callback: ({ metadata: { user } }) =>
        Effect.succeed(user === undefined ? undefined : VideoUploaded({ userId: user }))
    })
  })
