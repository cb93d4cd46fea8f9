/**
 * The main job, for everybody to see: real files go up to the embedded emulator with callbacks, and the typed answers come
 * back. `npm start`; with `--json`, one JSON object per upload on stdout and nothing else there.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Crc64 from "../../core/model/Crc64.ts"
import * as Bytes from "../../core/model/Bytes.ts"
import * as Source from "../../core/ports/Source.ts"
import * as Presign from "../../core/programs/Presign.ts"
import * as Upload from "../../core/programs/Upload.ts"
import * as PostPolicy from "../../core/wire/PostPolicy.ts"
import * as OssEmulator from "../emulator/OssEmulator.ts"
import * as FileSource from "../node/FileSource.ts"
import * as NodeOss from "../node/NodeOss.ts"
import * as Application from "./demo/application.ts"
import * as ProgressBar from "./demo/progressBar.ts"
import * as Report from "./demo/report.ts"

const asJson = process.argv.includes("--json")
const say = (text: string) => (asJson ? Effect.void : Console.log(text))

/** A file of some size with bytes that do not repeat, in a folder that goes with the scope. */
const videoFile = (size: number) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-demo-"))),
      (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
    )
    const path = Path.join(folder, "holiday.mp4")
    const content = new Uint32Array(size / 4)
    for (let i = 0; i < content.length; i++) content[i] = Math.imul(i, 2654435761)
    yield* Effect.promise(() => Fs.writeFile(path, content))
    return path
  })

const program = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media" })
  const application = yield* Application.start(emulator)
  const { bucket, credentials, endpoint, region } = emulator
  yield* say(`OSS (the emulator) at ${endpoint}, bucket "${bucket}"; the application server at ${application.url}\n`)

  const uploads = Effect.gen(function* () {
    const note = yield* Upload.simple(
      "notes/hello.txt",
      Source.text("Anything you're good at contributes to happiness."),
      {
        callback: application.noteUploaded({ author: "小明" }),
        metadata: { language: "en" }
      }
    ).pipe(Effect.map(Report.delivered))

    const path = yield* videoFile(Bytes.MiB(96))
    const video = yield* FileSource.make(path)
    const onProgress = (label: string) => ProgressBar.make(label, video.size)
    const whole = yield* Effect.scoped(
      Effect.gen(function* () {
        return yield* Upload.simple("videos/whole/holiday.mp4", video, {
          callback: application.videoUploaded({ userId: "u_42" }),
          onProgress: yield* onProgress("simple   ")
        })
      })
    ).pipe(Effect.map(Report.delivered))
    const parts = yield* Effect.scoped(
      Effect.gen(function* () {
        return yield* Upload.multipart("videos/parts/holiday 🎬.mp4", video, {
          callback: application.videoUploaded({ userId: "u_42" }),
          onProgress: yield* onProgress("multipart")
        })
      })
    ).pipe(Effect.map(Report.delivered))

    // Two grants for somebody without keys. They are made here, where the keys are, and are plain JSON.
    const callback = application.noteUploaded({ author: "a browser" })
    const signedForm = yield* Presign.postObject({
      expiresIn: "10 minutes",
      conditions: [PostPolicy.startsWith("key", "avatars/u_42/"), PostPolicy.contentLengthRange(1, Bytes.MiB(5))],
      callback
    })
    const presignedUrl = yield* Presign.putObject("grants/photo.jpg", { expiresIn: "10 minutes", callback })
    const picture = Source.bytes(new Uint8Array(Bytes.KiB(300)).fill(0xaa))
    const contract = { callback: application.noteUploaded }
    const [form, presigned] = yield* Effect.all([
      Upload.form(signedForm, "avatars/u_42/${filename}", picture, { ...contract, filename: "me.png" }),
      Upload.presigned(presignedUrl, picture, contract)
    ]).pipe(Effect.provide(NodeOss.layerWithoutClient()))

    // The application answers 500: the object is stored all the same, and the error says so.
    const broken = yield* Upload.simple("notes/nobody-was-told.txt", Source.text("stored all the same"), {
      callback: application.brokenServer()
    }).pipe(
      Effect.map(Report.delivered),
      Effect.catchTag("CallbackFailed", (error) => Effect.succeed(Report.failed(error)))
    )
    return [note, whole, parts, Report.delivered(form), Report.delivered(presigned), broken]
  }).pipe(Effect.provide(NodeOss.layer({ bucket, region, endpoint, credentials })))

  const rows = yield* uploads
  if (asJson) {
    for (const row of rows) yield* Console.log(JSON.stringify(row))
    return
  }
  yield* say(`\n${Report.table(rows)}\n`)
  yield* say("The application server was told, by requests whose signature it verified:")
  for (const line of application.told) yield* say(`  ${line}`)
  yield* say("\nIts last callback failed (it answered 500). OSS said 203, and the object is stored:")
  const stored = yield* Effect.flatten(emulator.object("notes/nobody-was-told.txt"))
  yield* say(`  notes/nobody-was-told.txt: ${stored.length} bytes, CRC-64 ${Crc64.of(stored)}`)
})

// The broken server logs its failure, as it should; here that is part of the show.
Effect.runPromiseExit(Effect.scoped(program).pipe(Logger.withMinimumLogLevel(LogLevel.None))).then((exit) => {
  if (exit._tag === "Failure") {
    console.error(String(exit.cause))
    process.exitCode = 1
  }
})
