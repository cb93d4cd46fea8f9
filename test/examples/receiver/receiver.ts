/** A receiver that asks nothing of its surroundings but the body's raw bytes. */
import { Callback, CallbackReceiver } from "effect-oss"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** `origin`: where the application is reached from outside. */
export const avatarUploaded = (origin: string) =>
  Callback.make({
    url: `${origin}/oss/avatar-uploaded`,
    bucket: "media",
    body: { object: Callback.object, size: Callback.size },
    response: Schema.Struct({ avatar: Schema.String })
  })

export const onAvatarUploaded = CallbackReceiver.make(avatarUploaded("https://api.example.com"), ({ object }) =>
  Effect.succeed({ avatar: `https://cdn.example.com/${object}` })
)
