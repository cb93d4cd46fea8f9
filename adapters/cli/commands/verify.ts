/**
 * `verify`: whether an object has the bytes of a file, by the CRC-64 of both. The object is not fetched.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import { SourceError } from "../../../core/model/OssError.ts"
import { OssClient } from "../../../core/programs/OssClient.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import { Problem, run } from "../Run.ts"
import { bold, green, red, say, sayJson } from "../Terminal.ts"
import * as Units from "../Units.ts"

/** The CRC-64 of a file, read once. */
const crc64OfFile = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const source = yield* FileSource.make(path)
      const { chunks } = yield* source.open
      const hasher = Crc64.make()
      const asSourceError = (cause: unknown) =>
        cause instanceof SourceError
          ? cause
          : new SourceError({ reason: "Read", source: path, detail: String(cause), cause })
      yield* Stream.runForEach(Stream.fromAsyncIterable(chunks(0, source.size), asSourceError), (chunk) =>
        Effect.sync(() => hasher.update(chunk))
      )
      return { size: source.size, crc64: hasher.digest() }
    })
  )

export const command = Command.make({
  name: "verify",
  about: "Exit code 0 when size and CRC-64 are the same, 1 when they differ, or when there is no such object.",
  operands: ["FILE", "oss://BUCKET/KEY"],
  options: { ...Connection.options, ...Command.json },
  examples: [
    {
      about: "was it stored as it is here?",
      line: "effect-oss verify holiday.mp4 oss://examplebucket/videos/holiday.mp4"
    }
  ],
  run: async ({ operands: [file = "", url = ""], options: given }) => {
    const { bucket, key } = Units.objectUrl(url)
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const program = Effect.gen(function* () {
      const client = yield* OssClient
      const [local, remote] = yield* Effect.all(
        [crc64OfFile(file), client.execute(Operation.headObject(yield* ObjectKey.make(key)))],
        { concurrency: 2 }
      )
      if (remote.crc64 === undefined) {
        return yield* Effect.fail(new Problem(`oss://${bucket}/${key} has no CRC-64: OSS keeps it since 2015`))
      }
      const same = local.size === remote.size && local.crc64 === remote.crc64
      if (given.json) {
        const { crc64, etag, size } = remote
        sayJson({ same, file: { path: file, ...local }, object: { bucket, key, size, crc64, etag } })
      } else {
        const verdict = same ? green("same", process.stdout) : red("different", process.stdout)
        say(`${bold(verdict, process.stdout)}`)
        say(`  ${file}: ${local.size} bytes, CRC-64 ${local.crc64}`)
        say(`  oss://${bucket}/${key}: ${remote.size} bytes, CRC-64 ${remote.crc64}`)
      }
      return same ? Command.exitCode.done : Command.exitCode.failed
    })
    return run(Effect.provide(program, NodeOss.layer(connection)), given)
  }
})
