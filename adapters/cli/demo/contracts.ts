/**
 * What the demo's uploads tell its application server, in both body types.
 */
import * as Schema from "effect/Schema"
import * as Callback from "../../../core/wire/Callback.ts"

const response = Schema.Struct({ id: Schema.String, greeting: Schema.String })

/** A callback whose body is a form. */
export const noteUploaded = (server: string, bucket: string) =>
  Callback.make({
    url: `${server}/note-uploaded`,
    bucket,
    body: { object: Callback.object, size: Callback.size, author: Callback.var("author", Schema.String) },
    response
  })

/** A callback whose body is JSON, with a CRC-64 beyond 2^53. */
export const videoUploaded = (server: string, bucket: string) =>
  Callback.make({
    url: `${server}/video-uploaded`,
    bucket,
    bodyType: "json",
    body: {
      object: Callback.object,
      size: Callback.size,
      crc64: Callback.crc64,
      userId: Callback.var("user_id", Schema.String)
    },
    response
  })

/** A callback to a server that does not take it: nobody answers there but with 500. */
export const brokenServer = (server: string, bucket: string) =>
  Callback.make({ url: `${server}/broken`, bucket, body: { object: Callback.object }, response })
