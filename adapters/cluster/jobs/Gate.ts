/**
 * Where a job's steps ask whether they may go on. One runner asks the book once a second for each job, however many steps it
 * has under way; so a pause or a cancellation is heard within about a second.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Jobs, type JobsError, type Mode } from "./Jobs.ts"
import { cancelled, type UploadFailed } from "../upload/Receipt.ts"

export interface Service {
  /** Lets through while the job is running, waits while it is paused, fails with reason `Cancelled` when it is that. */
  readonly pass: (job: string) => Effect.Effect<void, UploadFailed | JobsError>
  /** Passes, and interrupts the step when the job is cancelled while it runs. */
  readonly guard: (
    job: string
  ) => <A, E, R>(step: Effect.Effect<A, E, R>) => Effect.Effect<A, E | UploadFailed | JobsError, R>
}

export class Gate extends Context.Tag("effect-oss/cluster/Gate")<Gate, Service>() {}

const interval = Duration.toMillis("1 second")

/** So many jobs are remembered; the one asked for longest ago is forgotten first. */
const remembered = 10_000

interface Seen {
  readonly mode: Mode
  readonly at: number
}

/** A gate of this process. */
export const make: Effect.Effect<Service, never, Jobs> = Effect.map(Jobs, (jobs) => {
  const seen = new Map<string, Seen>()
  const mode = (job: string): Effect.Effect<Mode, JobsError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const known = seen.get(job)
      if (known !== undefined && now - known.at < interval) return Effect.succeed(known.mode)
      const remember = (mode: Mode) => {
        seen.delete(job) // behind all others again
        seen.set(job, { mode, at: now })
        const oldest = seen.size > remembered ? seen.keys().next().value : undefined
        if (oldest !== undefined) seen.delete(oldest)
        return mode
      }
      // Others may go by what is known while this one asks.
      if (known !== undefined) remember(known.mode)
      return Effect.map(jobs.mode(job), remember).pipe(
        // A book that cannot be read stops nobody who was let through before: the steps that write will tell.
        Effect.catchAll((error) => (known === undefined ? Effect.fail(error) : Effect.succeed(known.mode)))
      )
    })
  const pass = (job: string): Effect.Effect<void, UploadFailed | JobsError> =>
    Effect.flatMap(mode(job), (mode) => {
      switch (mode) {
        case "Running":
          return Effect.void
        case "Cancelled":
          return cancelled(job)
        case "Paused":
          return Effect.zipRight(
            Effect.sleep(interval),
            Effect.suspend(() => pass(job))
          )
      }
    })
  // A pause does not break off what is under way; a cancellation does.
  const watch = (job: string): Effect.Effect<never, UploadFailed> =>
    Effect.sleep(interval).pipe(
      Effect.zipRight(Effect.orElseSucceed(mode(job), () => "Running" as const)),
      Effect.flatMap((mode) => (mode === "Cancelled" ? cancelled(job) : Effect.void)),
      Effect.forever
    )
  return {
    pass,
    guard: (job) => (step) => Effect.zipRight(pass(job), Effect.raceFirst(step, watch(job)))
  }
})

/** `make` as a layer. */
export const layer: Layer.Layer<Gate, never, Jobs> = Layer.effect(Gate, make)
