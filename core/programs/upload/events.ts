/**
 * An upload as a stream: how far it has come, and at the end its receipt.
 *
 * The upload does not wait for whoever reads, except with its last report. A reader who is slow sees fewer reports, each the
 * newest. Leaving the stream interrupts the upload.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import type { Progress } from "../../model/Progress.ts"
import type { OnProgress } from "./progress.ts"

/** A report on the way, or the outcome, which is the last event. */
export type Event<A> =
  { readonly _tag: "Progress"; readonly progress: Progress } | { readonly _tag: "Done"; readonly uploaded: A }

/** `upload` is given the `onProgress` to pass on in its options. Fails as the upload does. */
export const events = <A, E, R>(
  upload: (onProgress: OnProgress) => Effect.Effect<A, E, R>
): Stream.Stream<Event<A>, E, R> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<Take.Take<Event<A>, E>>(1)
      const tell = (take: Take.Take<Event<A>, E>) => Effect.asVoid(Queue.offer(queue, take))
      // Not told when it is interrupted: then nobody reads any more.
      yield* Effect.exit(upload((progress) => tell(Take.of({ _tag: "Progress", progress })))).pipe(
        Effect.flatMap(
          Exit.match({
            onFailure: (cause) => tell(Take.failCause(cause)),
            onSuccess: (uploaded) => Effect.zipRight(tell(Take.of({ _tag: "Done", uploaded })), tell(Take.end))
          })
        ),
        Effect.interruptible,
        Effect.forkScoped
      )
      return Stream.flattenTake(Stream.fromQueue(queue, { maxChunkSize: 1 }))
    })
  )
