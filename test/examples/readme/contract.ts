import { Callback } from "effect-oss"
import * as Schema from "effect/Schema"

export const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video-uploaded",
  bucket: "media", // the receiver refuses any other
  body: {
    object: Callback.object, // ${object}
    size: Callback.size, // ${size}, decoded to a number of bytes
    etag: Callback.etag,
    userId: Callback.var("user_id", Schema.String) // ${x:user_id}, sent along by the uploader
  },
  response: Schema.Struct({ videoId: Schema.String })
})
