/**
 * The demo's uploads by four of the five methods, and one whose callback fails.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import type { Service as Emulator } from "../../emulator/OssEmulator.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import type { Application } from "./application.ts"
import * as ProgressBar from "./progressBar.ts"
import * as Report from "./report.ts"

const client = ({ bucket, credentials, endpoint, region }: Emulator) =>
  NodeOss.layer({ bucket, region, endpoint, credentials })

/** Simple, multipart, form and presigned, in this order. `path` leads to the file that is large enough for parts. */
export const all = (emulator: Emulator, application: Application, path: string) =>
  Effect.gen(function* () {
    const note = yield* Upload.simple(
      "notes/hello.txt",
      Source.text("Anything you're good at contributes to happiness."),
      { callback: application.noteUploaded({ author: "小明" }), metadata: { language: "en" } }
    )

    const video = yield* FileSource.make(path)
    const callback = application.videoUploaded({ userId: "u_42" })
    const withBar = (label: string, upload: typeof Upload.simple, key: string) =>
      Effect.scoped(
        Effect.flatMap(ProgressBar.make(label, video.size), (onProgress) =>
          upload(key, video, { callback, onProgress })
        )
      )
    const whole = yield* withBar("simple           ", Upload.simple, "videos/whole/holiday.mp4")
    const parts = yield* withBar("multipart        ", Upload.multipart, "videos/parts/holiday 🎬.mp4")

    const [form, presigned] = yield* granted(application)
    return [note, whole, parts, form, presigned].map(Report.delivered)
  }).pipe(Effect.provide(client(emulator)))

/** Two grants for somebody without keys. They are made here, where the keys are, and are plain JSON. */
const granted = (application: Application) =>
  Effect.gen(function* () {
    const callback = application.noteUploaded({ author: "a browser" })
    const signedForm = yield* Presign.postObject({
      expiresIn: "10 minutes",
      conditions: [PostPolicy.startsWith("key", "avatars/u_42/"), PostPolicy.contentLengthRange(1, Bytes.MiB(5))],
      callback
    })
    const presignedUrl = yield* Presign.putObject("grants/photo.jpg", { expiresIn: "10 minutes", callback })
    const picture = Source.bytes(new Uint8Array(Bytes.KiB(300)).fill(0xaa))
    const contract = { callback: application.noteUploaded }
    return yield* Effect.all([
      Upload.form(signedForm, "avatars/u_42/${filename}", picture, { ...contract, filename: "me.png" }),
      Upload.presigned(presignedUrl, picture, contract)
    ]).pipe(Effect.provide(NodeOss.layerWithoutClient()))
  })

/** The application answers 500: the object is stored all the same, and the error says so. */
export const toBrokenServer = (emulator: Emulator, application: Application) =>
  Upload.simple("notes/nobody-was-told.txt", Source.text("stored all the same"), {
    callback: application.brokenServer()
  }).pipe(
    Effect.map(Report.delivered),
    Effect.catchTag("CallbackFailed", (error) => Effect.succeed(Report.failed(error))),
    Effect.provide(client(emulator))
  )
