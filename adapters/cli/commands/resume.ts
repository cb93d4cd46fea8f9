/**
 * `resume`: goes on with an upload that was cut off, and says so when there is none.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as Receipt from "../Receipt.ts"
import { Problem, run } from "../Run.ts"
import { note } from "../Terminal.ts"
import * as Uploading from "../Uploading.ts"

export const command = Command.make({
  name: "resume",
  about:
    "Takes the options of the `put` that was cut off; with others, the object would be another, and the upload begins\n" +
    "anew. Parts count as sent when server, checkpoint and file agree on their CRC-64. A file that has changed is an error.",
  operands: ["FILE", "oss://BUCKET/KEY"],
  options: Uploading.options,
  examples: [
    {
      about: "go on where Ctrl-C or a crash ended it",
      line: "effect-oss resume holiday.mp4 oss://examplebucket/videos/"
    }
  ],
  run: async ({ args, operands: [file = "", url = ""], options: given }) => {
    const options = Uploading.toOptions(given)
    const { bucket, key } = Uploading.destination(url, file)
    const connection = Connection.toOptions(Connection.find(given), bucket)

    const upload = Effect.gen(function* () {
      const source = yield* FileSource.make(file)
      const found = yield* Uploading.findCheckpoint(key)
      if (Option.isNone(found)) {
        const where = `oss://${bucket}/${key}`
        return yield* Effect.fail(
          new Problem(`nothing to resume: no upload to ${where} was cut off here, or it has been finished; use put`)
        )
      }
      if (!given.quiet) note(`going on: ${Uploading.progressOf(found.value)} was there when it was cut off`)
      return yield* Uploading.resumable(key, source, options, given, args)
    })
    return run(
      Receipt.printed(upload, given).pipe(
        Effect.provide(Uploading.layerStore(given)),
        Effect.provide(NodeOss.layer(connection))
      ),
      given
    )
  }
})
