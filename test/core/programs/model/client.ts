/**
 * One upload in a process of its own, to be killed. Its order comes by the environment; what it was told goes to stdout.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as FsCheckpointStore from "../../../../adapters/fs/FsCheckpointStore.ts"
import * as FileSource from "../../../../adapters/node/FileSource.ts"
import * as NodeOss from "../../../../adapters/node/NodeOss.ts"
import * as Presign from "../../../../core/programs/Presign.ts"
import * as Upload from "../../../../core/programs/Upload.ts"
import * as Contract from "./contract.ts"

export interface Order {
  readonly method: "simple" | "multipart" | "resumable" | "form" | "presigned"
  readonly key: string
  readonly path: string
  readonly checkpoints: string
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly application: string
  readonly partSize: number
}

/** The last line of a client that was not killed. */
export interface Report {
  readonly tag: "Success" | string
  readonly crc64: string
}

const order = JSON.parse(process.env["ORDER"] ?? "") as Order // written by the test

const program = Effect.gen(function* () {
  const source = yield* FileSource.make(order.path)
  const contract = Contract.make(order.application)
  const options = { partSize: order.partSize, concurrency: 3, callback: contract() }
  switch (order.method) {
    case "simple":
      return yield* Upload.simple(order.key, source, options)
    case "multipart":
      return yield* Upload.multipart(order.key, source, options)
    case "resumable":
      return yield* Upload.resumable(order.key, source, options)
    case "form": {
      const form = yield* Presign.postObject({ expiresIn: "10 minutes", conditions: [], callback: contract() })
      return yield* Upload.form(form, order.key, source, { callback: contract })
    }
    case "presigned": {
      const url = yield* Presign.putObject(order.key, { expiresIn: "10 minutes", callback: contract() })
      return yield* Upload.presigned(url, source, { callback: contract })
    }
  }
}).pipe(
  Effect.provide([
    NodeOss.layer({
      bucket: "media",
      region: order.region,
      endpoint: order.endpoint,
      credentials: { accessKeyId: order.accessKeyId, accessKeySecret: Redacted.make(order.accessKeySecret) },
      retry: Schedule.intersect(Schedule.recurs(4), Schedule.spaced(5))
    }),
    FsCheckpointStore.layer({ directory: order.checkpoints })
  ])
)

const ended = await Effect.runPromise(Effect.either(program))
const report: Report = Either.match(ended, {
  onLeft: (error) => ({ tag: error._tag, crc64: error._tag === "CallbackFailed" ? String(error.stored.crc64) : "" }),
  onRight: (uploaded) => ({ tag: "Success", crc64: String(uploaded.crc64) })
})
process.stdout.write(JSON.stringify(report))
