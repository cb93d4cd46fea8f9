/**
 * What `put` and `resume` have in common: their options, and a file's upload that a later one can go on with.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { basename } from "node:path"
import * as Bytes from "../../core/model/Bytes.ts"
import * as Checkpoint from "../../core/model/Checkpoint.ts"
import type { CheckpointError, InvalidParam } from "../../core/model/OssError.ts"
import * as ObjectKey from "../../core/model/ObjectKey.ts"
import { CheckpointStore } from "../../core/ports/CheckpointStore.ts"
import { OssClient } from "../../core/programs/OssClient.ts"
import type { Source } from "../../core/ports/Source.ts"
import * as Upload from "../../core/programs/Upload.ts"
import type { ResumableOptions, WithCallback } from "../../core/programs/Upload.ts"
import type { Callback } from "../../core/wire/Callback.ts"
import * as FsCheckpointStore from "../fs/FsCheckpointStore.ts"
import * as CallbackOptions from "./CallbackOptions.ts"
import { json, Usage, type Options, type Values } from "./Command.ts"
import * as Connection from "./Connection.ts"
import * as Curl from "./Curl.ts"
import * as ObjectOptions from "./ObjectOptions.ts"
import * as ProgressLine from "./ProgressLine.ts"
import { note } from "./Terminal.ts"
import * as Units from "./Units.ts"

export const options = {
  ...ObjectOptions.options,
  ...CallbackOptions.options,
  "part-size": { kind: "text", value: "SIZE", about: "default 8MiB; a file of one part is one request" },
  parallel: { kind: "text", value: "COUNT", about: "parts in flight at once, default 4" },
  limit: { kind: "text", value: "SIZE", about: "bytes a second of each request, 100KiB to 100MiB" },
  restart: { kind: "flag", about: "begin anew if the file has changed since an upload of it was cut off" },
  checkpoints: { kind: "text", value: "FOLDER", about: "default ~/.effect-oss/checkpoints" },
  ...Connection.options,
  ...ProgressLine.options,
  ...json
} as const satisfies Options

/** What the library's default is. */
const defaultPartSize = Bytes.MiB(8)

export type Given = Values<typeof options>

/** The library's options, but for `onProgress`. Throws `Usage`. */
export const toOptions = (
  given: Given
): Omit<ResumableOptions<unknown>, "callback" | "onProgress"> & {
  readonly callback: Callback<unknown> | undefined
  readonly partSize: number
} => ({
  ...ObjectOptions.make(given),
  callback: CallbackOptions.make(given),
  partSize: given["part-size"] === undefined ? defaultPartSize : Units.bytes("--part-size", given["part-size"]),
  concurrency: given.parallel === undefined ? undefined : Units.whole("--parallel", given.parallel),
  trafficLimit: given.limit === undefined ? undefined : Units.bytes("--limit", given.limit) * 8,
  ifChanged: given.restart ? "restart" : "fail"
})

/** Where to: a destination that ends in "/", or that is a bucket, gets the file's name. Throws `Usage`. */
export const destination = (url: string, file: string): Units.OssUrl => {
  const { bucket, key } = Units.ossUrl(url)
  if (key !== "" && !key.endsWith("/")) return { bucket, key }
  if (file === "-") throw new Usage("standard input has no name: give the whole oss://BUCKET/KEY")
  return { bucket, key: key + basename(file) }
}

/** The store of the checkpoints. */
export const layerStore = (given: Pick<Given, "checkpoints">) =>
  FsCheckpointStore.layer(given.checkpoints === undefined ? {} : { directory: given.checkpoints })

/** What an upload to this key has left behind, if one was cut off. */
export const findCheckpoint = (
  key: string
): Effect.Effect<Option.Option<Checkpoint.Checkpoint>, CheckpointError | InvalidParam, OssClient | CheckpointStore> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { bucket } = yield* OssClient
      const store = yield* CheckpointStore
      const identity = Checkpoint.identity({
        origin: bucket.origin,
        bucket: bucket.name,
        key: yield* ObjectKey.make(key)
      })
      const handle = yield* store.acquire(identity)
      return yield* handle.load
    })
  )

/** `48.0 MiB of 96.0 MiB (50 %)`: what of the object is there. */
export const progressOf = ({ parts, size }: Checkpoint.Checkpoint): string =>
  ProgressLine.inWords({ sent: parts.reduce((sum, part) => sum + part.size, 0), total: size })

const secrets: ReadonlySet<string> = new Set(
  Object.entries(options).flatMap(([name, option]) => ("secret" in option ? [`--${name}`] : []))
)

/** The command line that goes on with an upload: the same as began it, without its secrets. */
export const lineToResume = (args: ReadonlyArray<string>): string => {
  const kept = args.filter((argument, i) => !secrets.has(argument.split("=", 1)[0]!) && !secrets.has(args[i - 1] ?? ""))
  return ["effect-oss", "resume", ...kept.map(Curl.quote)].join(" ")
}

/** When the upload ends badly and has left something to go on with: says so, and how. */
const withHint =
  (key: string, args: ReadonlyArray<string>) =>
  <A, E, R>(upload: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | OssClient | CheckpointStore> =>
    Effect.onError(upload, () =>
      Effect.flatMap(
        Effect.orElseSucceed(findCheckpoint(key), () => Option.none<Checkpoint.Checkpoint>()),
        Option.match({
          onNone: () => Effect.void,
          onSome: (checkpoint) =>
            Effect.sync(() => {
              note(`${progressOf(checkpoint)} is kept at the server. To go on:\n  ${lineToResume(args)}`)
            })
        })
      )
    )

/** Uploads so that it can be gone on with; the hint comes when the progress is no longer shown. */
export const resumable = (
  key: string,
  source: Source,
  options: ReturnType<typeof toOptions>,
  given: Given,
  args: ReadonlyArray<string>
) =>
  Effect.flatMap(ProgressLine.make(key, given), (onProgress) =>
    // With a callback or without: the receipt is printed, whatever it holds.
    Upload.resumable(key, source, { ...options, onProgress } as WithCallback<ResumableOptions<unknown>, unknown>)
  ).pipe(Effect.scoped, withHint(key, args))
