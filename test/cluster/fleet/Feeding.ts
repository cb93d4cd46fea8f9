/**
 * Feeds a file of requests, a line each, to the engine at hand.
 */
import * as Either from "effect/Either"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import * as UploadBatch from "../../../adapters/cluster/upload/UploadBatch.ts"
import * as UploadRequest from "../../../adapters/cluster/upload/UploadRequest.ts"
import type { Setting } from "./Setting.ts"

/** Ends when all uploads have ended, and prints the summary. */
export const feed = ({ job, pageSize, pagesAtOnce, requests }: Setting) =>
  UploadBatch.feed(
    job,
    // Opened when it is read: an interface that nobody listens to loses its lines.
    Stream.suspend(() =>
      Stream.fromAsyncIterable(createInterface({ input: createReadStream(requests) }), (cause) => cause)
    ).pipe(Stream.map((line) => Either.getOrThrow(UploadRequest.decode(line)))),
    { pageSize, pagesAtOnce }
  ).pipe(Effect.map((summary) => process.stdout.write(`${JSON.stringify(summary)}\n`)))
