/**
 * `put`: uploads a file. One request for a file of one part, else parts whose progress is kept.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { SourceError } from "../../../core/model/OssError.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as ProgressLine from "../ProgressLine.ts"
import * as Receipt from "../Receipt.ts"
import { run } from "../Run.ts"
import * as Uploading from "../Uploading.ts"

const standardInput = Stream.fromAsyncIterable(
  process.stdin as AsyncIterable<Uint8Array>, // no encoding is set
  (cause) => new SourceError({ reason: "Read", source: "standard input", detail: String(cause), cause })
)

/** With a callback or without: the receipt is printed, whatever it holds. */
const anyOptions = (options: Upload.MultipartOptions<unknown>) =>
  options as Upload.WithCallback<Upload.MultipartOptions<unknown>, unknown>

export const command = Command.make({
  name: "put",
  about:
    "A file larger than one part is sent in parts. What they have come to is kept, so that an upload that is cut off\n" +
    "can be gone on with: by `resume`, or by the same `put`. FILE may be -, standard input, which cannot be resumed.",
  operands: ["FILE", "oss://BUCKET/KEY"],
  options: Uploading.options,
  examples: [
    { about: "the key is the file's name", line: "effect-oss put holiday.mp4 oss://examplebucket/videos/" },
    {
      about: "tell the application, and print what it answers",
      line: "effect-oss put holiday.mp4 oss://examplebucket/v.mp4 --callback-url https://api.example.com/uploaded --callback-var user=u_42"
    },
    { about: "from a pipe", line: "tar c photos | effect-oss put - oss://examplebucket/photos.tar --json" }
  ],
  run: async ({ args, operands: [file = "", url = ""], options: given }) => {
    const options = Uploading.toOptions(given)
    const { bucket, key } = Uploading.destination(url, file)
    const connection = Connection.toOptions(Connection.find(given), bucket)

    const upload = Effect.gen(function* () {
      if (file !== "-") {
        const source = yield* FileSource.make(file)
        if (source.size > options.partSize) return yield* Uploading.resumable(key, source, options, given, args)
        const onProgress = yield* ProgressLine.make(key, given)
        return yield* Upload.simple(key, source, anyOptions({ ...options, onProgress }))
      }
      const onProgress = yield* ProgressLine.make(key, given)
      return yield* Upload.multipart(key, standardInput, anyOptions({ ...options, onProgress }))
    })
    return run(
      Receipt.printed(Effect.scoped(upload), given).pipe(
        Effect.provide(Uploading.layerStore(given)),
        Effect.provide(NodeOss.layer(connection))
      ),
      given
    )
  }
})
