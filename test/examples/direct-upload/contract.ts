/**
 * What OSS tells the example's server of each upload, and what the server answers: the page shows it.
 */
import { Callback } from "effect-oss"
import * as Schema from "effect/Schema"

export const Answer = Schema.Struct({
  name: Schema.String,
  /** Bytes. */
  size: Schema.Number,
  /** A URL of the picture, for an hour; none for videos. */
  picture: Schema.NullOr(Schema.String)
})
export type Answer = typeof Answer.Type

export const path = "/oss/file-uploaded"

/** `server` is where OSS reaches it. */
export const fileUploaded = (server: string, bucket: string) =>
  Callback.make({
    url: `${server}${path}`,
    bucket,
    body: {
      object: Callback.object,
      size: Callback.size,
      contentType: Callback.mimeType,
      name: Callback.var("name", Schema.String)
    },
    response: Answer
  })
