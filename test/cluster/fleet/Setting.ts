/**
 * What the processes of a fleet are told: where the database, the emulator and the log are, and how to run.
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"

export const Setting = Schema.Struct({
  /** `sqlite:<file>` or `pg:<port>`. */
  database: Schema.String,
  /** The emulator, and what to sign with. */
  endpoint: Schema.String,
  bucket: Schema.String,
  region: Schema.String,
  accessKeyId: Schema.String,
  accessKeySecret: Schema.String,
  /** Where this runner listens to the others; 0: it is no runner, but only submits. */
  port: Schema.Number,
  /** A file that gets a line for each request, before it is sent and after it was answered. */
  log: Schema.String,
  parts: Schema.Number,
  partsInRange: Schema.Number,
  rangesAtOnce: Schema.Number,
  objectsAtOnce: Schema.Number,
  /** For a process that submits: a file of requests, and the job they belong to. */
  job: Schema.String,
  requests: Schema.String,
  pageSize: Schema.optionalWith(Schema.Number, { exact: true }),
  pagesAtOnce: Schema.optionalWith(Schema.Number, { exact: true })
})
export type Setting = typeof Setting.Type

/** What a setting says of its emulator. */
export const of = ({ bucket, credentials, endpoint, region }: OssEmulator.Service) => ({
  endpoint,
  bucket,
  region,
  accessKeyId: credentials.accessKeyId,
  accessKeySecret: Redacted.value(credentials.accessKeySecret)
})

const fromJson = Schema.decodeSync(Schema.parseJson(Setting))

/** The setting of this process: its first argument. From now on the process ends when the one that started it does. */
export const own = (): Setting => {
  process.stdin.resume().once("end", () => process.exit(1))
  return fromJson(process.argv[2] ?? "{}")
}
