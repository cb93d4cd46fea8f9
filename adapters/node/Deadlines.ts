/**
 * The time limits of all requests by one timer, which rings for the earliest: making and clearing a timer for each takes as long
 * as signing one. In milliseconds.
 */
import * as Duration from "effect/Duration"

interface Deadline {
  /** By `performance.now()`. */
  readonly at: number
  readonly act: () => void
  place: number
}

// Not a Set: its tables are replaced again and again, and V8 keeps an old one, with all it refers to, until its next full collection.
const pending: Array<Deadline> = []
let timer: NodeJS.Timeout | undefined
let ringsAt = Infinity

/** Cut to what a timer can count: 25 days. (It would take a longer one for 1 ms.) */
export const timerMillis = (duration: Duration.Duration): number => Math.min(Duration.toMillis(duration), longest)

const longest = 2 ** 31 - 1

/** Calls `act` once so much time has passed, unless it is told before that this is no longer wanted. */
export const after = (millis: number, act: () => void): (() => void) => {
  const deadline = { at: performance.now() + millis, act, place: pending.length }
  pending.push(deadline)
  if (deadline.at < ringsAt) ring(deadline.at)
  else if (pending.length === 1) timer?.ref()
  return () => void remove(deadline)
}

/** Answers whether it was still wanted. */
const remove = (deadline: Deadline): boolean => {
  if (pending[deadline.place] !== deadline) return false
  const last = pending.pop()
  if (last !== undefined && last !== deadline) {
    pending[deadline.place] = last
    last.place = deadline.place
  }
  // It goes on to where the next one may want it, but keeps no process from its end.
  if (pending.length === 0) timer?.unref()
  return true
}

const ring = (at: number): void => {
  clearTimeout(timer)
  ringsAt = at
  timer = setTimeout(look, Math.min(at - performance.now(), longest))
}

const look = (): void => {
  timer = undefined
  ringsAt = Infinity
  const now = performance.now()
  const due = pending.filter(({ at }) => at <= now)
  // One that acts may lift another that is due.
  for (const deadline of due) if (remove(deadline)) deadline.act()
  const next = pending.reduce((next, { at }) => Math.min(next, at), Infinity)
  if (next < ringsAt) ring(next)
}
