/**
 * Feeds a file of requests, a line each, to the fleet, and prints the summary when all have ended. May be killed and run again.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Either from "effect/Either"
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import * as UploadBatch from "../../../adapters/cluster/UploadBatch.ts"
import * as UploadRequest from "../../../adapters/cluster/UploadRequest.ts"
import * as Engine from "./Engine.ts"
import * as Setting from "./Setting.ts"

const { database, job, pageSize, pagesAtOnce, requests } = Setting.own()

// Opened when it is read: an interface that nobody listens to loses its lines.
const lines = Stream.suspend(() =>
  Stream.fromAsyncIterable(createInterface({ input: createReadStream(requests) }), (cause) => cause)
)

const main = UploadBatch.feed(
  job,
  Stream.map(lines, (line) => Either.getOrThrow(UploadRequest.decode(line))),
  { pageSize, pagesAtOnce }
).pipe(Effect.provide(Engine.layer(database, 0)))

const summary = await Effect.runPromise(main)
process.stdout.write(`${JSON.stringify(summary)}\n`)
process.exit(0)
