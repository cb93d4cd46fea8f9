/**
 * Parts of an object as parts of files, and their bytes.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type { Slice } from "./Http.ts"
import type * as State from "./State.ts"

/** Where the `length` bytes of an object from `offset` on lie; `path` gives the place of a file. */
export const of = (
  path: (file: string) => string,
  segments: ReadonlyArray<State.Segment>,
  { offset, length }: { readonly offset: number; readonly length: number }
): ReadonlyArray<Slice> => {
  const found: Array<Slice> = []
  let skip = offset
  let left = length
  for (const { file, size } of segments) {
    if (left === 0) break
    if (skip < size) {
      const taken = Math.min(size - skip, left)
      found.push({ file: path(file), offset: skip, length: taken })
      left -= taken
    }
    skip = Math.max(0, skip - size)
  }
  return found
}

/** The bytes, one slice after the other, in chunks of at most 256 KiB. */
export async function* read(slices: ReadonlyArray<Slice>): AsyncGenerator<Uint8Array> {
  for (const { file, offset, length } of slices) {
    if (length === 0) continue
    yield* Fs.createReadStream(file, { start: offset, end: offset + length - 1, highWaterMark: 256 * 1024 })
  }
}

/** All the bytes in memory. */
export const bytes = (slices: ReadonlyArray<Slice>): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const chunks: Array<Uint8Array> = []
    for await (const chunk of read(slices)) chunks.push(chunk)
    return new Uint8Array(Buffer.concat(chunks))
  })
