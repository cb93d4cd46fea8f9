/**
 * Trying again: after growing waits drawn at random, and not before the browser is online again. Times in milliseconds.
 */
import { UploadFailed } from "./UploadFailed.ts"

/** Waits as long, or until the signal says no; then rejects with its reason. */
export const sleep = (millis: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = () => {
      signal.removeEventListener("abort", stop)
      resolve()
    }
    const timer = setTimeout(done, millis)
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason as Error) // what AbortController.abort was given
    }
    if (signal.aborted) return stop()
    signal.addEventListener("abort", stop, { once: true })
  })

/** How often the browser is asked whether it is online: it tells by an event, which some miss. */
const look = 1000

const isOffline = (): boolean => typeof navigator !== "undefined" && navigator.onLine === false

export interface Options {
  /** How often to try again in a row. */
  readonly retries: number
  readonly signal: AbortSignal
  /** Told when it waits. */
  readonly onWait: () => void
  /** Whether what failed so may go better. */
  readonly isTransient: (error: unknown) => boolean
}

/** Waits up to 0.5 s, 1 s, 2 s … 30 s: half of it for sure, the rest by chance. Being offline does not count as a try. */
export const retry = async <A>(act: () => Promise<A>, options: Options): Promise<A> => {
  for (let tries = 0; ; tries++) {
    try {
      return await act()
    } catch (error) {
      options.signal.throwIfAborted()
      if (!options.isTransient(error)) throw error
      options.onWait()
      if (isOffline()) {
        while (isOffline()) await sleep(look, options.signal)
        tries = -1
        continue
      }
      if (tries >= options.retries) throw error
      const longest = Math.min(500 * 2 ** tries, 30_000)
      await sleep(longest / 2 + Math.random() * (longest / 2), options.signal)
    }
  }
}

/** What to try again of the functions a page gives: `fetch` rejects with TypeError when there is no connection. */
export const isLost = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof UploadFailed && error.code === "Server" && isLost(error.cause))
