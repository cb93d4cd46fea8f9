/**
 * Another machine, as far as one process can be one: it uploads with its checkpoints in a database that others share.
 * It tells what it does in lines on stdout, and is told what to do by lines on stdin.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { createInterface } from "node:readline"
import * as SqlCheckpointStore from "../../adapters/cluster/SqlCheckpointStore.ts"
import * as FileSource from "../../adapters/node/FileSource.ts"
import * as NodeOss from "../../adapters/node/NodeOss.ts"
import type { Credentials } from "../../core/model/Credentials.ts"
import { CheckpointStore } from "../../core/ports/CheckpointStore.ts"
import type { Source } from "../../core/ports/Source.ts"
import * as Upload from "../../core/programs/Upload.ts"
import { checkpoint, identity } from "../support/SampleCheckpoint.ts"
import * as Databases from "./Databases.ts"
import { credentialsOf, key, partSize } from "./checkpointSetting.ts"

const [work, address = "", lease = "", file = "", endpoint = "", bucket = "", region = ""] = process.argv.slice(2)
const tell = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const nextLine = Effect.promise(() => lines.next()).pipe(Effect.map(({ value }) => String(value)))
const store = SqlCheckpointStore.layer({ lease: Number(lease) }).pipe(Layer.provide(Databases.client(address)))

/** A source so slow that there is time to be killed in. */
const slowly = (source: Source): Source => ({
  ...source,
  open: Effect.map(source.open, (reader) => ({
    ...reader,
    read: (offset, target) => Effect.zipRight(Effect.sleep(150), reader.read(offset, target))
  }))
})

const works: Record<string, Effect.Effect<unknown, unknown, CheckpointStore>> = {
  /** Takes the lock, saves a checkpoint, and another when it is told to; says how that went. */
  hold: Effect.gen(function* () {
    const handle = yield* (yield* CheckpointStore).acquire(identity)
    yield* handle.save(checkpoint(1))
    yield* tell("holds")
    yield* nextLine
    const saved = yield* Effect.either(handle.save(checkpoint(99)))
    yield* tell(Either.match(saved, { onLeft: (error) => error.reason, onRight: () => "saved" }))
    const removed = yield* Effect.either(handle.remove)
    yield* tell(Either.match(removed, { onLeft: (error) => error.reason, onRight: () => "removed" }))
  }).pipe(Effect.scoped),

  upload: Effect.gen(function* () {
    const source = slowly(yield* FileSource.make(file))
    yield* tell("uploads")
    yield* Upload.resumable(key, source, { partSize, concurrency: 2 })
    yield* tell("done")
  }).pipe(
    Effect.provide(
      NodeOss.layer({ endpoint, bucket, region, credentials: credentialsOf(process.env) satisfies Credentials })
    )
  )
}

await Effect.runPromise(Effect.provide(works[work ?? ""]!, store)) // the tests name one of these
process.exit(0)
