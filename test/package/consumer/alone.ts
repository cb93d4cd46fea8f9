/**
 * What somebody does who has installed effect-oss and effect, and nothing else: every subpath that needs no more, at work.
 *
 * It is compiled and run outside of the repository, by run.ts, as different kinds of projects. It writes the keys that are stored.
 */
import { Callback, CallbackReceiver, Presign, Source, Upload } from "effect-oss"
import { uploadPresigned } from "effect-oss/browser"
import { OssEmulator } from "effect-oss/emulator"
import { BlobSource, FetchOss } from "effect-oss/fetch"
import { FsCheckpointStore } from "effect-oss/fs"
import { FileSource, NodeOss } from "effect-oss/node"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const Stored = Callback.make({
  url: "https://api.example.com/stored",
  bucket: "media",
  body: { size: Callback.size, user: Callback.var("user", Schema.String) },
  response: Schema.Struct({ note: Schema.String })
})

const onStored = CallbackReceiver.make(Stored, ({ size, user }) => Effect.succeed({ note: `${size} bytes of ${user}` }))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oss-consumer-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const main = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({
    bucket: "media",
    receivers: { "https://api.example.com/stored": onStored }
  })
  const { bucket, credentials, endpoint, region } = emulator
  const onNode = NodeOss.layer({ bucket, credentials, endpoint, region })
  const onFetch = FetchOss.layer({ bucket, credentials, endpoint, region })
  const directory = yield* folder
  const path = join(directory, "film")
  writeFileSync(path, new Uint8Array(300 * 1024))

  yield* Effect.gen(function* () {
    const note = yield* Upload.simple("node", Source.text("hello"), { callback: Stored({ user: "u_1" }) })
    if (note.callback.note !== "5 bytes of u_1") return yield* Effect.die(note.callback.note)
    const film = yield* FileSource.make(path)
    yield* Upload.resumable("fs", film, { partSize: 100 * 1024 }).pipe(
      Effect.provide(FsCheckpointStore.layer({ directory: join(directory, "checkpoints") }))
    )
    const url = yield* Presign.putObject("browser", { expiresIn: "1 minute", contentType: "text/plain" })
    const file = new Blob(["hello"], { type: "text/plain" })
    yield* Effect.promise(() => uploadPresigned(url, file).done)
  }).pipe(Effect.provide(onNode))
  yield* Upload.simple("fetch", BlobSource.make(new Blob(["hello"]))).pipe(Effect.provide(onFetch))

  return (yield* emulator.objects()).map(({ key }) => key)
})

void Effect.runPromise(Effect.scoped(main)).then((keys) => process.stdout.write(`${[...keys].sort().join(" ")}\n`))
