/**
 * `uploads abort`: gives up uploads that nobody will go on with, and their parts.
 */
import * as Effect from "effect/Effect"
import * as MultipartUploads from "../../../core/programs/MultipartUploads.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as PendingUploads from "../PendingUploads.ts"
import { run } from "../Run.ts"
import { note } from "../Terminal.ts"
import * as Units from "../Units.ts"

export const command = Command.make({
  name: "uploads abort",
  about:
    "An upload that still runs fails when it is aborted, and one that was cut off cannot be resumed: let --older-than be\n" +
    "longer than any upload takes. --dry-run shows what would be aborted.",
  operands: ["oss://BUCKET/PREFIX"],
  options: {
    ...PendingUploads.options,
    "dry-run": { kind: "flag", about: "abort none, only show them" },
    ...Connection.options,
    ...Command.json
  },
  examples: [
    {
      about: "what would go?",
      line: "effect-oss uploads abort oss://examplebucket --older-than 7d --dry-run"
    },
    { about: "let them go", line: "effect-oss uploads abort oss://examplebucket --older-than 7d" }
  ],
  run: async ({ operands: [url = ""], options: given }) => {
    const { bucket, key: prefix } = Units.ossUrl(url)
    const olderThan = given["older-than"]
    if (olderThan === undefined) {
      throw new Command.Usage("--older-than is missing: longer than any upload takes, 7d; 0s for all")
    }
    const age = Units.seconds("--older-than", olderThan) * 1000
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const program = Effect.gen(function* () {
      const uploads = yield* given["dry-run"]
        ? PendingUploads.olderThan(age, prefix)
        : MultipartUploads.abortOlderThan(age, { prefix })
      PendingUploads.print(uploads, given.json)
      const done = given["dry-run"] ? "would be aborted" : "aborted"
      if (!given.json) note(`${PendingUploads.counted(uploads.length)} ${done}`)
      return Command.exitCode.done
    })
    return run(Effect.provide(program, NodeOss.layer(connection)), given)
  }
})
