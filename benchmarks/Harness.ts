/**
 * Times contestants against each other, in one process, in turns.
 *
 * A round lets every contestant run in order, each for at least `roundMs` milliseconds, so what else the machine does falls
 * on all of them. The figure is the median over the rounds. Nothing is asserted about time. All times are in nanoseconds
 * per unit; a unit is what the bout says: a call, a URL, a buffer.
 */
import { performance } from "node:perf_hooks"

export interface Contestant {
  readonly name: string
  /** One call. A promise is awaited before the next call. */
  readonly run: () => unknown
  /** How many units one call does. Default 1. */
  readonly units?: number | undefined
}

export interface Bout {
  readonly name: string
  /** How many bytes a unit goes through, where that is the point. */
  readonly bytes?: number | undefined
  /** The first is the one the others are compared with. */
  readonly contestants: ReadonlyArray<Contestant>
  /** The contestant that the first is to be measured by, if it takes part. */
  readonly rival?: string | undefined
}

export interface Effort {
  readonly roundMs: number
  /** For how long a contestant runs before it is timed, at least. */
  readonly warmUpMs: number
  readonly maxRounds: number
  /** No new round begins after so many milliseconds, once there are `minRounds`. */
  readonly budgetMs: number
  readonly minRounds: number
}

export const full: Effort = { roundMs: 4, warmUpMs: 150, maxRounds: 101, budgetMs: 5000, minRounds: 5 }
export const smoke: Effort = { roundMs: 1, warmUpMs: 5, maxRounds: 3, budgetMs: 200, minRounds: 2 }

/** What every subject is told. */
export interface Settings {
  readonly smoke: boolean
  readonly peers: boolean
}

export interface Result {
  readonly contestant: string
  /** Nanoseconds per unit. */
  readonly medianNs: number
  readonly minNs: number
  /** How many times as long as the first contestant: 2 is half as fast. */
  readonly ratio: number
  readonly mibPerSecond?: number
  readonly rounds: number
}

export interface Outcome {
  readonly bout: string
  /** How many times as fast as its rival the first is: the median over the rounds of what the two took in the same one. */
  readonly timesAsFast?: { readonly as: string; readonly times: number }
  readonly results: ReadonlyArray<Result>
}

/** Where results go, so that no call can be optimized away. */
export let sink: unknown

/** Milliseconds that `calls` calls take. Only what is asynchronous pays for an `await`. */
const time = async ({ run }: Contestant, calls: number, isAsync: boolean): Promise<number> => {
  const start = performance.now()
  if (isAsync) for (let i = 0; i < calls; i++) sink = await run()
  else for (let i = 0; i < calls; i++) sink = run()
  return performance.now() - start
}

/** How many calls are timed at once: about a quarter of a round, so that the clock itself does not count. */
const calibrate = async (contestant: Contestant, isAsync: boolean, { roundMs, warmUpMs }: Effort): Promise<number> => {
  let calls = 1
  const start = performance.now()
  for (;;) {
    const ms = await time(contestant, calls, isAsync)
    if (ms < roundMs / 8) calls *= 2
    else if (performance.now() - start >= warmUpMs) return calls
  }
}

const median = (sorted: ReadonlyArray<number>): number => {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** Runs one bout. */
export const run = async (bout: Bout, effort: Effort): Promise<Outcome> => {
  const runners: Array<{ contestant: Contestant; isAsync: boolean; calls: number; ns: Array<number> }> = []
  for (const contestant of bout.contestants) {
    const first = contestant.run()
    const isAsync = first instanceof Promise
    await first
    const calls = await calibrate(contestant, isAsync, effort)
    runners.push({ contestant, isAsync, calls, ns: [] })
  }
  const start = performance.now()
  for (let round = 0; round < effort.maxRounds; round++) {
    if (round >= effort.minRounds && performance.now() - start > effort.budgetMs) break
    for (const { contestant, isAsync, calls, ns } of runners) {
      let ms = 0
      let done = 0
      for (; ms < effort.roundMs; done += calls) ms += await time(contestant, calls, isAsync)
      ns.push((ms * 1e6) / (done * (contestant.units ?? 1)))
    }
  }
  const rival = runners.find(({ contestant }) => contestant.name === bout.rival)
  const pairs = rival?.ns.map((ns, round) => ns / (runners[0]?.ns[round] ?? Number.NaN)).sort((a, b) => a - b)
  for (const { ns } of runners) ns.sort((a, b) => a - b)
  const reference = median(runners[0]?.ns ?? [])
  return {
    bout: bout.name,
    ...(rival && pairs ? { timesAsFast: { as: rival.contestant.name, times: rounded(median(pairs)) } } : {}),
    results: runners.map(({ contestant, ns }) => {
      const medianNs = median(ns)
      return {
        contestant: contestant.name,
        medianNs: rounded(medianNs),
        minNs: rounded(ns[0] ?? Number.NaN),
        ratio: rounded(medianNs / reference),
        ...(bout.bytes === undefined ? {} : { mibPerSecond: rounded(bout.bytes / 2 ** 20 / (medianNs / 1e9)) }),
        rounds: ns.length
      }
    })
  }
}

/** Four digits are more than a shared machine can tell apart. */
const rounded = (value: number): number => Number(value.toPrecision(4))
