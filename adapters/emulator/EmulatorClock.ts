/**
 * The emulator's clock: Effect's own, unless a test says what time it is, for all requests or for each.
 *
 * Recorded requests can so be replayed at the time they were signed. Milliseconds since 1970.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Http from "./Http.ts"

/** What time it is for a request; `undefined` for the real time. */
export type Reader = (request: Http.Request) => number | undefined

export interface Service {
  /** Puts the clock in the hands of a function, of a number for a fixed time, or back to the real time. */
  readonly set: (time: number | Reader | undefined) => Effect.Effect<void>
  /** Lets the clock run `milliseconds` ahead of the real time (behind it, if negative). */
  readonly shift: (milliseconds: number) => Effect.Effect<void>
  readonly at: (request: Http.Request) => Effect.Effect<number>
}

export class EmulatorClock extends Context.Tag("effect-oss/emulator/EmulatorClock")<EmulatorClock, Service>() {}

export const make = (initial?: number | Reader): Service => {
  let time = initial
  let offset = 0
  return {
    set: (next) =>
      Effect.sync(() => {
        time = next
        offset = 0
      }),
    shift: (milliseconds) =>
      Effect.sync(() => {
        offset += milliseconds
      }),
    at: (request) =>
      Effect.map(
        Clock.currentTimeMillis,
        (real) => (typeof time === "function" ? time(request) : time) ?? real + offset
      )
  }
}

/** What time it is for a request. */
export const at = (request: Http.Request): Effect.Effect<number, never, EmulatorClock> =>
  Effect.flatMap(EmulatorClock, (clock) => clock.at(request))
