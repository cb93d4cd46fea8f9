/**
 * The last requests and how they were answered, for tests and for people who look on. In memory; the oldest give way.
 *
 * No query, header or body is kept: any of them may be signed or secret.
 */
import * as Context from "effect/Context"
import type * as Route from "./Route.ts"

/** How many are kept. */
export const capacity = 1000

export interface Entry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly requestId: string
  readonly method: string
  /** `undefined` when the request was refused before it was understood. */
  readonly operation: Route.Operation | undefined
  readonly bucket: string | undefined
  readonly key: string | undefined
  readonly partNumber: number | undefined
  readonly status: number
  /** OSS's code of a refusal. */
  readonly code: string | undefined
}

export interface Service {
  readonly add: (entry: Entry) => void
  /** The oldest first. */
  readonly list: () => ReadonlyArray<Entry>
}

export class Journal extends Context.Tag("effect-oss/emulator/Journal")<Journal, Service>() {}

export const make = (): Service => {
  const kept: Array<Entry> = []
  return {
    add: (entry) => {
      kept.push(entry)
      if (kept.length > capacity) kept.shift()
    },
    list: () => [...kept]
  }
}
