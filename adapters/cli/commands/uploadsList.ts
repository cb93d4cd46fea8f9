/**
 * `uploads list`: uploads that were neither completed nor aborted. Nobody sees their parts, and they are paid for.
 */
import * as Effect from "effect/Effect"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as PendingUploads from "../PendingUploads.ts"
import { run } from "../Run.ts"
import { note } from "../Terminal.ts"
import * as Units from "../Units.ts"

export const command = Command.make({
  name: "uploads list",
  about: "One line for each: when it began, its ID, its key. PREFIX limits them to keys that begin so.",
  operands: ["oss://BUCKET/PREFIX"],
  options: { ...PendingUploads.options, ...Connection.options, ...Command.json },
  examples: [
    { about: "all of a bucket's", line: "effect-oss uploads list oss://examplebucket" },
    { about: "the old ones of a folder", line: "effect-oss uploads list oss://examplebucket/videos/ --older-than 7d" }
  ],
  run: async ({ operands: [url = ""], options: given }) => {
    const { bucket, key: prefix } = Units.ossUrl(url)
    const age = Units.seconds("--older-than", given["older-than"] ?? "0s") * 1000
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const program = Effect.gen(function* () {
      const uploads = yield* PendingUploads.olderThan(age, prefix)
      PendingUploads.print(uploads, given.json)
      if (!given.json && uploads.length === 0) note("none")
      return Command.exitCode.done
    })
    return run(Effect.provide(program, NodeOss.layer(connection)), given)
  }
})
