/**
 * Trouble on purpose: the n-th request of a kind is dropped, refused, slowed down, cut short or answered wrongly.
 *
 * A script lists faults, each for requests of one operation, key or part, and is used up as they strike. Beside it, chaos
 * strikes at random, but the same way for the same seed and the same order of requests. Delays are in milliseconds and
 * pass by Effect's clock, so a test's clock can let them pass.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Clocks from "./authentication/Clocks.ts"
import * as Keys from "./authentication/Keys.ts"
import * as Http from "./Http.ts"
import * as Refusal from "./Refusal.ts"
import type * as Route from "./Route.ts"

export const names = [
  /** The connection is closed; nothing is done. */
  "drop",
  /** All is done; the connection is closed without an answer. */
  "loseAnswer",
  /** Nothing is done and nothing answered, until the client gives up. */
  "stall",
  /** Nothing is done; the answer is `status` (500 by default). */
  "error",
  /** All is done; the answer is `status` (500 by default) all the same. */
  "errorAfter",
  /** `delay` milliseconds (1,000 by default) pass before anything is done. */
  "slow",
  /** All is done; the connection is closed in the midst of the answer. */
  "truncate",
  /** The answer tells a wrong CRC-64. */
  "wrongCrc",
  /** 403: the security token has expired. */
  "expiredToken",
  /** 403: the client's clock is off; the answer tells the right time. */
  "skew",
  /** The callback is sent twice. */
  "duplicateCallback"
] as const

export type Name = (typeof names)[number]

/** A fault and which requests it strikes; what is not stated fits all. */
export interface Fault {
  readonly fault: Name
  readonly operation?: Route.Operation | undefined
  readonly key?: string | undefined
  readonly partNumber?: number | undefined
  /** The first to be struck among the requests that fit, from 1. Default 1. */
  readonly nth?: number | undefined
  /** How many requests in a row are struck. Default 1. */
  readonly times?: number | undefined
  /** For `error` and `errorAfter`. */
  readonly status?: number | undefined
  readonly code?: string | undefined
  /** For `slow`, in milliseconds. */
  readonly delay?: number | undefined
}

/** Faults by chance: each request is struck with probability `rate` (0 to 1) by one of `faults`. */
export interface Chaos {
  readonly seed: number
  readonly rate: number
  readonly faults: ReadonlyArray<Name>
}

/** What a fault is matched against. */
export interface Subject {
  readonly operation: Route.Operation
  readonly key: string | undefined
  readonly partNumber: number | undefined
}

export interface Service {
  readonly inject: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** Sets the chaos, or ends it. */
  readonly chaos: (chaos: Chaos | undefined) => Effect.Effect<void>
  /** Forgets every fault, and ends the chaos. */
  readonly clear: Effect.Effect<void>
  /** The faults that have not struck yet, or not as often as they shall. */
  readonly pending: Effect.Effect<ReadonlyArray<Fault>>
  /** The faults that strike this request; asked once a request. */
  readonly take: (subject: Subject) => Effect.Effect<ReadonlyArray<Fault>>
}

export class Faults extends Context.Tag("effect-oss/emulator/Faults")<Faults, Service>() {}

/** The faults that strike the request at hand. */
export class Current extends Context.Tag("effect-oss/emulator/Faults/Current")<Current, ReadonlyArray<Fault>>() {}

const fits = (fault: Fault, { operation, key, partNumber }: Subject): boolean =>
  (fault.operation === undefined || fault.operation === operation) &&
  (fault.key === undefined || fault.key === key) &&
  (fault.partNumber === undefined || fault.partNumber === partNumber)

/** A small generator of numbers from 0 to 1, good enough for chance and the same everywhere (mulberry32). */
const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const make = (): Service => {
  let script: Array<{ readonly fault: Fault; seen: number; struck: number }> = []
  let chaos: (() => Fault | undefined) | undefined
  const strike = (subject: Subject): ReadonlyArray<Fault> => {
    const struck: Array<Fault> = []
    for (const entry of script) {
      if (!fits(entry.fault, subject)) continue
      entry.seen++
      if (entry.seen < (entry.fault.nth ?? 1)) continue
      entry.struck++
      struck.push(entry.fault)
    }
    script = script.filter(({ fault, struck }) => struck < (fault.times ?? 1))
    const chance = chaos?.()
    return chance === undefined ? struck : [...struck, chance]
  }
  return {
    inject: (...faults) =>
      Effect.sync(() => {
        script.push(...faults.map((fault) => ({ fault, seen: 0, struck: 0 })))
      }),
    chaos: (next) =>
      Effect.sync(() => {
        chaos = next === undefined ? undefined : throwing(next)
      }),
    clear: Effect.sync(() => {
      script = []
      chaos = undefined
    }),
    pending: Effect.sync(() => script.map(({ fault }) => fault)),
    take: (subject) => Effect.sync(() => strike(subject))
  }
}

const throwing = ({ seed, rate, faults }: Chaos): (() => Fault | undefined) => {
  const next = random(seed)
  return () => {
    const [hit, which] = [next(), next()]
    const fault = faults[Math.floor(which * faults.length)]
    return hit < rate && fault !== undefined ? { fault } : undefined
  }
}

const byStatus: Readonly<Record<number, readonly [code: string, message: string]>> = {
  500: ["InternalError", "We encountered an internal error. Please try again."],
  502: ["BadGateway", "The server received an invalid response."],
  503: ["ServiceUnavailable", "Please reduce your request rate."]
}

const error = ({ status = 500, code }: Fault): Refusal.Refusal => {
  const [known, message] = byStatus[status] ?? ["InternalError", "An injected fault."]
  return { ...Refusal.internalError, status, code: code ?? known, message }
}

const hangUp: Http.Response = { ...Http.noBody(500), hangUp: "before" }

const before = (fault: Fault, now: number): Effect.Effect<Http.Response | undefined, Refusal.Refusal> => {
  switch (fault.fault) {
    case "drop":
      return Effect.succeed(hangUp)
    case "stall":
      return Effect.never
    case "error":
      return Effect.fail(error(fault))
    case "slow":
      return Effect.as(Effect.sleep(fault.delay ?? 1000), undefined)
    case "expiredToken":
      return Effect.fail(Keys.tokenExpired)
    case "skew":
      return Effect.fail(Clocks.tooSkewed(now - 2 * Clocks.maxSkew, now))
    default:
      return Effect.succeed(undefined)
  }
}

const cut = (body: Http.Body): Http.Body => {
  let left = Math.floor(Http.size(body) / 2)
  if (body._tag !== "Slices") return body._tag === "Empty" ? body : Http.bytes(body.bytes.subarray(0, left))
  const slices = body.slices.flatMap((slice) => {
    const length = Math.min(slice.length, left)
    left -= length
    return length === 0 ? [] : [{ ...slice, length }]
  })
  return { _tag: "Slices", slices }
}

const crc64 = "x-oss-hash-crc64ecma"

const after = (fault: Fault, response: Http.Response): Effect.Effect<Http.Response, Refusal.Refusal> => {
  switch (fault.fault) {
    case "loseAnswer":
      return Effect.succeed({ ...response, hangUp: "before" })
    case "errorAfter":
      return Effect.fail(error(fault))
    case "truncate":
      return Effect.succeed({
        ...response,
        body: cut(response.body),
        contentLength: response.contentLength ?? Http.size(response.body),
        hangUp: "after"
      })
    case "wrongCrc": {
      const right = response.headers[crc64]
      if (right === undefined) return Effect.succeed(response)
      return Effect.succeed({ ...response, headers: { ...response.headers, [crc64]: (BigInt(right) ^ 1n).toString() } })
    }
    default:
      return Effect.succeed(response)
  }
}

/** An operation, struck by these faults. `now` is in milliseconds since 1970. */
export const apply = <R>(
  faults: ReadonlyArray<Fault>,
  now: number,
  operation: Effect.Effect<Http.Response, Refusal.Refusal, R>
): Effect.Effect<Http.Response, Refusal.Refusal, Exclude<R, Current>> =>
  Effect.gen(function* () {
    for (const fault of faults) {
      const instead = yield* before(fault, now)
      if (instead !== undefined) return instead
    }
    let response = yield* Effect.provideService(operation, Current, faults)
    for (const fault of faults) response = yield* after(fault, response)
    return response
  })
