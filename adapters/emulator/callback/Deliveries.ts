/**
 * The last callbacks that were tried, for tests and for people who look on. In memory; the oldest give way.
 *
 * Holds no query, no body and no header: an application may hide its secrets in any of them.
 */
import type { CallbackRequest } from "./CallbackRequest.ts"
import type { Facts } from "./Facts.ts"
import type { Outcome } from "./Outcome.ts"

/** How many are kept. */
export const capacity = 200

export interface Delivery {
  /** When the upload was answered, in milliseconds since 1970. */
  readonly time: number
  /** Of the upload. */
  readonly requestId: string
  readonly bucket: string
  readonly object: string
  /** Scheme, host and path; `?…` stands for a query. */
  readonly url: string
  /** `Answered`, or the message of the failure. */
  readonly outcome: string
}

export interface Deliveries {
  readonly add: (request: CallbackRequest, facts: Facts, outcome: Outcome) => void
  /** The oldest first. */
  readonly list: () => ReadonlyArray<Delivery>
}

/** An empty list. */
export const make = (): Deliveries => {
  const kept: Array<Delivery> = []
  return {
    add: ({ url }, { time, requestId, bucket, object }, outcome) => {
      kept.push({
        time,
        requestId,
        bucket,
        object,
        url: `${url.secure ? "https" : "http"}://${url.authority}${url.path}${url.query === undefined ? "" : "?…"}`,
        outcome: outcome._tag === "Answered" ? outcome._tag : outcome.message
      })
      if (kept.length > capacity) kept.shift()
    },
    list: () => [...kept]
  }
}
