/**
 * Pending uploads, for people and for programs.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as MultipartUploads from "../../core/programs/MultipartUploads.ts"
import { OssClient, type RequestError } from "../../core/programs/OssClient.ts"
import type { Options } from "./Command.ts"
import { say, sayJson } from "./Terminal.ts"

export const options = {
  "older-than": { kind: "text", value: "TIME", about: "begun at least so long ago: 12h, 7d, 4w" }
} as const satisfies Options

/** Those that began at least `age` milliseconds ago, by OSS's clock. */
export const olderThan = (
  age: number,
  prefix: string
): Effect.Effect<ReadonlyArray<MultipartUploads.PendingUpload>, RequestError, OssClient> =>
  Effect.gen(function* () {
    const until = (yield* (yield* OssClient).now) - age
    const old = Stream.filter(MultipartUploads.list({ prefix }), ({ initiated }) => initiated <= until)
    return Array.from(yield* Stream.runCollect(old))
  })

/** One line for each: when it began, its key, its ID. */
export const print = (uploads: ReadonlyArray<MultipartUploads.PendingUpload>, asJson: boolean): void => {
  const dated = uploads.map(({ initiated, key, uploadId }) => ({
    key,
    uploadId,
    initiated: new Date(initiated).toISOString()
  }))
  if (asJson) return sayJson({ count: dated.length, uploads: dated })
  // A key may hold a line feed, which would be another line.
  for (const { initiated, key, uploadId } of dated) {
    say(`${initiated}  ${uploadId}  ${/[\u0000-\u001f]/.test(key) ? JSON.stringify(key) : key}`)
  }
}

/** `1 upload`, `2 uploads`. */
export const counted = (count: number): string => `${count} upload${count === 1 ? "" : "s"}`
