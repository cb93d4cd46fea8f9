/**
 * An uploader's process, to be killed at any moment: uploads with a callback that fails, keeps it in an outbox on files, and
 * redelivers what the outbox holds, once if told so and else for ever. It tells what it does in lines on stdout.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as FsOutbox from "../../../adapters/fs/FsOutbox.ts"
import * as NodeOss from "../../../adapters/node/NodeOss.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Redelivery from "../../../core/programs/Redelivery.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import { contractAt } from "../../support/RedeliveredContract.ts"

const [work, directory = "", endpoint = "", url = "", key = ""] = process.argv.slice(2)
const secret = Redacted.make("a secret drawn at random")
const tell = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const oss = NodeOss.layer({
  bucket: "media",
  region: "cn-hangzhou",
  endpoint,
  credentials: { accessKeyId: "test-id", accessKeySecret: Redacted.make("test-secret") }
})
const layer = Layer.merge(oss, FsOutbox.layer({ directory }))

const callback = contractAt(url)()
const upload = Upload.simple(key, Source.text(`the bytes of ${key}`), { callback }).pipe(
  Redelivery.keeping(callback),
  Effect.catchTag("CallbackFailed", () => tell("kept"))
)
const reconcile = Redelivery.reconcile({ secret, concurrency: 1 })

const program =
  work === "upload"
    ? Effect.zipRight(upload, Effect.forever(Effect.zipRight(reconcile, tell("walked"))))
    : Effect.zipRight(reconcile, tell("walked"))

await Effect.runPromise(program.pipe(Effect.provide(layer), Logger.withMinimumLogLevel(LogLevel.None)))
