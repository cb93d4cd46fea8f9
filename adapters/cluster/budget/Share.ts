/**
 * How many of a bucket's slots each runner may have: as equal as their wants allow, the last ones to who waits longest. Pure.
 */

/** What one runner asks for. */
export interface Want {
  readonly runner: string
  /** Requests in flight and waiting. */
  readonly wants: number
  /** When its foremost waiting request came to the front, in milliseconds; `Infinity` when none waits. */
  readonly since: number
}

/**
 * Deals the slots out one by one, in rounds, to whoever still wants one. Nobody gets more than he wants; of two who want
 * more than they get, neither has two more than the other. Where there are fewer slots than runners, those get one whose
 * foremost request has waited longest; who has just been served stands at the end, so everybody's turn comes.
 */
export const deal = (slots: number, wants: ReadonlyArray<Want>): ReadonlyMap<string, number> => {
  const order = wants.toSorted((a, b) => a.since - b.since || (a.runner < b.runner ? -1 : 1))
  const dealt = new Map(order.map(({ runner }) => [runner, 0]))
  let left = slots
  let hungry = order.filter(({ wants }) => wants > 0)
  while (left > 0 && hungry.length > 0) {
    // As many whole rounds at once as nobody's want or the slots end in.
    const smallest = Math.min(...hungry.map(({ runner, wants }) => wants - (dealt.get(runner) ?? 0)))
    const rounds = Math.min(smallest, Math.floor(left / hungry.length))
    if (rounds === 0) {
      for (const { runner } of hungry.slice(0, left)) dealt.set(runner, (dealt.get(runner) ?? 0) + 1)
      break
    }
    for (const { runner } of hungry) dealt.set(runner, (dealt.get(runner) ?? 0) + rounds)
    left -= rounds * hungry.length
    hungry = hungry.filter(({ runner, wants }) => wants > (dealt.get(runner) ?? 0))
  }
  return dealt
}
