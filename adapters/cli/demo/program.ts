/**
 * The main job, for everybody to see: real files go up to the embedded emulator by all five methods with callbacks, the
 * typed answers come back, a killed process is resumed, and a forged callback is refused. With `--json`, one JSON object per
 * upload on stdout and nothing else there.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as OssEmulator from "../../emulator/OssEmulator.ts"
import * as Application from "./application.ts"
import * as Forgery from "./forgery.ts"
import * as Report from "./report.ts"
import * as Resumption from "./resumption.ts"
import * as Uploads from "./uploads.ts"

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
    return { folder, path }
  })

/** The show. `self` starts this program in a process of its own. */
const show = (asJson: boolean, self: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const say = (text: string) => (asJson ? Effect.void : Console.log(text))
    const emulator = yield* OssEmulator.make({ bucket: "media" })
    const application = yield* Application.start(emulator)
    const { bucket, endpoint } = emulator
    yield* say(`OSS (the emulator) at ${endpoint}, bucket "${bucket}"; the application server at ${application.url}\n`)

    const { folder, path } = yield* videoFile(Bytes.MiB(96))
    const uploads = yield* Uploads.all(emulator, application, path)
    const resumed = yield* Resumption.show(emulator, application, { path, folder, self })
    const broken = yield* Uploads.toBrokenServer(emulator, application)
    const rows = [...uploads, resumed.row, broken]
    const forged = yield* Forgery.send(application.url)

    if (asJson) {
      for (const row of rows) yield* Console.log(JSON.stringify(row))
      return
    }
    yield* say(`\n${Report.table(rows)}\n`)
    yield* say(resumed.story)
    yield* say("\nThe application server was told, by requests whose signature it verified:")
    for (const line of application.told) yield* say(`  ${line}`)
    yield* say(`It refused a forged one: ${forged}`)
    yield* say("\nIts last callback failed (it answered 500). OSS said 203, and the object is stored:")
    const stored = yield* Effect.flatten(emulator.object("notes/nobody-was-told.txt"))
    yield* say(`  notes/nobody-was-told.txt: ${stored.length} bytes, CRC-64 ${Crc64.of(stored)}`)
  })

/**
 * Runs the demo and answers its exit code: 0, 1, or 130 after Ctrl-C, when its files are gone. `args` may hold `--json`. `self`
 * is what Node is to be given to run this program again: its script, and the arguments that lead here.
 */
export const run = async (args: ReadonlyArray<string>, self: ReadonlyArray<string>): Promise<number> => {
  const order = Resumption.orderOf(args)
  const program: Effect.Effect<void, Error> =
    order === undefined ? Effect.scoped(show(args.includes("--json"), self)) : Resumption.upload(order)
  // The broken server logs its failure, as it should; here that is part of the show.
  const fiber = Effect.runFork(Logger.withMinimumLogLevel(program, LogLevel.None))
  const interrupt = () => fiber.unsafeInterruptAsFork(fiber.id())
  process.once("SIGINT", interrupt)
  const exit = await Effect.runPromise(Fiber.await(fiber))
  process.off("SIGINT", interrupt)
  if (Exit.isSuccess(exit)) return 0
  if (Exit.isInterrupted(exit)) return 130
  console.error(String(exit.cause))
  return 1
}
