/**
 * One HTTP request as anybody could make it, without a signature, and what came of it.
 */
import * as Effect from "effect/Effect"

export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Headers
  readonly body: string
  /** Until the whole answer was there, in milliseconds. */
  readonly millis: number
}

export interface Unanswered {
  /** Why, in the words of whatever failed. */
  readonly reason: string
}

const reasonOf = (cause: unknown, millis: number): string => {
  if (cause instanceof Error && cause.name === "TimeoutError") return `no answer within ${millis / 1000} s`
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && "code" in inner ? `${String(inner.code)} ` : ""
  return inner instanceof Error ? (inner.message === "" ? code.trim() : inner.message) : String(inner)
}

/** Sends it. `millis` is the longest it may take; redirects are not followed. */
export const send = (
  url: string,
  init: { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  millis = 10_000
): Effect.Effect<Answer, Unanswered> =>
  Effect.tryPromise({
    try: async (signal) => {
      const begun = performance.now()
      const within = AbortSignal.any([signal, AbortSignal.timeout(millis)])
      const response = await fetch(url, { ...init, redirect: "manual", signal: within })
      const body = await response.text()
      return { status: response.status, headers: response.headers, body, millis: Math.round(performance.now() - begun) }
    },
    catch: (cause) => ({ reason: reasonOf(cause, millis) })
  })
