/**
 * The fifth method: a process of its own uploads the file, is killed half-way, and another one goes on where it was.
 *
 * So that the kill comes in the middle on any machine, the emulator leaves one part without an answer.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import * as Redacted from "effect/Redacted"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import type { Service as Emulator } from "../../emulator/OssEmulator.ts"
import * as FsCheckpointStore from "../../fs/FsCheckpointStore.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import type { Application } from "./application.ts"
import * as Contracts from "./contracts.ts"
import * as ProgressBar from "./progressBar.ts"
import * as Report from "./report.ts"

const key = "videos/resumed/holiday.mp4"
const partSize = Bytes.MiB(4)

/** What the other process is to do. The keys are not in it: they come by the environment. */
const Order = Schema.parseJson(
  Schema.Struct({
    bucket: Schema.String,
    region: Schema.String,
    endpoint: Schema.String,
    server: Schema.String,
    path: Schema.String,
    checkpoints: Schema.String
  })
)
type Order = typeof Order.Type

const flag = "--resumable-upload="

/** The order that the arguments hold; `undefined` for the demo itself. */
export const orderOf = (args: ReadonlyArray<string>): Order | undefined => {
  const found = args.find((arg) => arg.startsWith(flag))
  return found === undefined ? undefined : Schema.decodeUnknownSync(Order)(found.slice(flag.length))
}

/** In the other process: the upload. Prints its progress in bytes, line by line, and at the end the row of the report. */
export const upload = ({ bucket, checkpoints, endpoint, path, region, server }: Order) =>
  Effect.gen(function* () {
    const uploaded = yield* Upload.resumable(key, yield* FileSource.make(path), {
      partSize,
      concurrency: 2,
      callback: Contracts.videoUploaded(server, bucket)({ userId: "u_42" }),
      onProgress: ({ sent }) => Effect.sync(() => void process.stdout.write(`${sent}\n`))
    })
    process.stdout.write(`${JSON.stringify(Report.delivered(uploaded))}\n`)
  }).pipe(
    Effect.provide([NodeOss.layer({ bucket, region, endpoint }), FsCheckpointStore.layer({ directory: checkpoints })])
  )

interface Show {
  readonly path: string
  readonly folder: string
  readonly self: ReadonlyArray<string>
}

/** Starts the other process, and kills it once it has sent `killAt` bytes. Answers its last line. */
const otherProcess = (
  order: Order,
  { accessKeyId, accessKeySecret }: Emulator["credentials"],
  self: ReadonlyArray<string>,
  killAt: number,
  onBytes: (bytes: number) => void
) =>
  Effect.async<string>((resume) => {
    const child = spawn(process.execPath, [...process.execArgv, ...self, `${flag}${JSON.stringify(order)}`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        OSS_ACCESS_KEY_ID: accessKeyId,
        OSS_ACCESS_KEY_SECRET: Redacted.value(accessKeySecret)
      }
    })
    let last = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = line
      if (/^\d+$/.test(line)) onBytes(Number(line))
      if (Number(line) >= killAt) child.kill("SIGKILL")
    })
    child.on("close", () => resume(Effect.succeed(last)))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** The whole act: the row of the finished upload, and its story in words. */
export const show = (emulator: Emulator, application: Application, { folder, path, self }: Show) =>
  Effect.gen(function* () {
    const { bucket, credentials, endpoint, region } = emulator
    const video = yield* FileSource.make(path)
    const order = { bucket, region, endpoint, server: application.url, path, checkpoints: `${folder}/checkpoints` }
    const half = Math.floor(video.size / 2)
    const stalled = Math.ceil(half / partSize) + 1
    yield* emulator.inject({ operation: "UploadPart", key, partNumber: stalled, fault: "stall" })
    const run = (label: string, killAt: number) =>
      Effect.scoped(
        Effect.gen(function* () {
          const bar = yield* ProgressBar.make(label, video.size)
          return yield* otherProcess(order, credentials, self, killAt, (sent) =>
            Effect.runSync(bar({ sent, total: video.size, parts: 0, totalParts: undefined }))
          )
        })
      )
    yield* run("resumable, killed", half)
    yield* emulator.faults.clear
    const before = (yield* emulator.requests).length
    const row = JSON.parse(yield* run("resumable, again ", Infinity)) as Report.Row // the other process printed one
    const sent = (yield* emulator.requests).slice(before).filter(({ operation }) => operation === "UploadPart").length
    const count = Math.ceil(video.size / partSize)
    const story = `The process of the resumable upload was killed half-way. The next one sent ${sent} of the ${count} parts.`
    return { row, story }
  })
