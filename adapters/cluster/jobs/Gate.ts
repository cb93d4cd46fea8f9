/**
 * Where a job's steps ask whether they may go on. One runner asks the book once a second for each job, however many steps it
 * has under way; so a pause or a cancellation is heard within about a second.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Jobs, type JobsError, type Mode } from "./Jobs.ts"
import { cancelled, type UploadFailed } from "../upload/Receipt.ts"

/** The job was paused in the midst of a step, which ends here and is begun anew when the job goes on. */
export class Paused extends Data.TaggedError("Paused")<{}> {}

/** Runs a step, perhaps more than once. */
export type Entrance = (
  job: string
) => <A, E, R>(
  step: Effect.Effect<A, E | Paused, R>
) => Effect.Effect<A, Exclude<E, Paused> | UploadFailed | JobsError, R>

export interface Service {
  /** Fails with `Paused`, or with reason `Cancelled`, unless the job is running. Who waits for others to go on keeps nothing. */
  readonly check: (job: string) => Effect.Effect<void, UploadFailed | JobsError | Paused>
  /** Runs a step while the job is running: waits while it is paused, begins the step anew when that is `Paused`. */
  readonly enter: Entrance
  /** Enters, and interrupts the step when the job is cancelled while it runs. */
  readonly guard: Entrance
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
  const enter: Entrance =
    (job) =>
    <A, E, R>(step: Effect.Effect<A, E | Paused, R>) => {
      const entered: Effect.Effect<A, Exclude<E, Paused> | UploadFailed | JobsError, R> = Effect.catchIf(
        Effect.zipRight(pass(job), step),
        (error): error is Extract<E | UploadFailed | JobsError | Paused, Paused> => error instanceof Paused,
        () => Effect.suspend(() => entered)
      ) as typeof entered // without Paused, which is caught
      return entered
    }
  return {
    check: (job) =>
      Effect.flatMap(mode(job), (mode): Effect.Effect<void, UploadFailed | Paused> => {
        if (mode === "Running") return Effect.void
        return mode === "Paused" ? new Paused() : cancelled(job)
      }),
    enter,
    guard: (job) => (step) => enter(job)(Effect.raceFirst(step, watch(job)))
  }
})

/** `make` as a layer. */
export const layer: Layer.Layer<Gate, never, Jobs> = Layer.effect(Gate, make)
