/**
 * A source that is read over a network in ranges, each answered by the same version of the thing or not at all.
 *
 * Blocks are fetched whole into memory: a reading of chunks holds at most two of them. Sizes and offsets are in bytes.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { SourceError } from "../../../core/model/OssError.ts"
import type { Source } from "../../../core/ports/Source.ts"

/** Large enough that the round trip does not count, small enough to hold two for each part on its way. */
export const defaultBlockSize = 4 * 1024 * 1024

export interface Description {
  readonly name: string
  readonly size: number
  readonly fingerprint: string
  /** Default 4 MiB. */
  readonly blockSize?: number | undefined
  /** Exactly these bytes, of the version that was described; fails with `Changed` when there is another by now. */
  readonly get: (offset: number, length: number) => Effect.Effect<Uint8Array, SourceError>
  /** Fails with `Changed` when there is another version by now. */
  readonly unchanged: Effect.Effect<void, SourceError>
}

/** The source that a description is. Nothing is opened: every range stands for itself. */
export const make = (description: Description): Source => {
  const { fingerprint, get, name, size, unchanged } = description
  const block = description.blockSize ?? defaultBlockSize

  const within = (offset: number, length: number): Effect.Effect<Uint8Array, SourceError> =>
    offset + length > size
      ? Effect.fail(new SourceError({ reason: "Changed", source: name, detail: `holds only ${size} bytes` }))
      : get(offset, length)

  return {
    name,
    size,
    fingerprint,
    open: Effect.map(Effect.runtime<never>(), (runtime) => ({
      read: (offset, target) =>
        Effect.iterate(0, {
          while: (done) => done < target.length,
          body: (done) =>
            Effect.map(within(offset + done, Math.min(block, target.length - done)), (bytes) => {
              target.set(bytes, done)
              return done + bytes.length
            })
        }),
      chunks: (offset, length) => chunks(runtime, within, block, offset, length),
      unchanged
    }))
  }
}

type Get = Description["get"]

/** One block is fetched ahead while the last is sent. No check before the last: its own answer was the check. */
async function* chunks(
  runtime: Runtime.Runtime<never>,
  get: Get,
  block: number,
  offset: number,
  length: number
): AsyncGenerator<Uint8Array, void> {
  const end = offset + length
  const left = new AbortController()
  const start = (at: number): Promise<Exit.Exit<Uint8Array, SourceError>> | undefined =>
    at < end ? Runtime.runPromiseExit(runtime, get(at, Math.min(block, end - at)), { signal: left.signal }) : undefined
  try {
    let ahead = start(offset)
    for (let at = offset; ahead !== undefined;) {
      const exit: Exit.Exit<Uint8Array, SourceError> = await ahead
      if (Exit.isFailure(exit)) throw Option.getOrElse(Cause.failureOption(exit.cause), () => Cause.squash(exit.cause))
      at += exit.value.length
      ahead = start(at)
      yield exit.value
    }
  } finally {
    left.abort() // whoever leaves in the midst waits for no block
  }
}
