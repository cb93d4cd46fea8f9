/**
 * What the runners' logs tell: which parts were sent, which more than once, and whether each of those was in flight when its
 * runner was killed.
 */
import * as Fs from "node:fs"

interface Line {
  readonly at: number
  readonly pid: number
  readonly phase: "begin" | "end" | "broken" | "ready"
  readonly key?: string
  /** From 1; 0: the object whole, by PutObject. */
  readonly part?: number
  readonly bytes?: number
}

/** How an attempt went on: answered, broken off in a process that lived on, or in flight when its process ended. */
type State = "answered" | "broken" | "in flight"

interface Attempt {
  readonly pid: number
  readonly bytes: number
  state: State
}

/** What was sent, and sent again. */
export interface Sent {
  /** What was begun at least once. */
  readonly count: number
  /** Bytes of it, once each. */
  readonly bytes: number
  /** Times it was begun again. */
  readonly again: number
  /** Of these, after an attempt that was in flight when its runner was killed, and after one that broke by itself. */
  readonly afterKill: number
  readonly afterBreak: number
  /** Bytes of attempts that were followed by others: no more than these were wasted. */
  readonly wastedAtMost: number
  /** What was begun again although the attempt before had been answered, or was in flight in a process that lives. */
  readonly needless: ReadonlyArray<string>
}

export interface Tally {
  readonly parts: Sent
  /**
   * Objects of one part. Needless here are those whose runner was killed between the answer and its note in the database: of
   * a PutObject nothing is left to find at the server, so it is done again.
   */
  readonly objects: Sent
}

const read = (path: string): ReadonlyArray<Line> =>
  Fs.readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}")) // a line that was cut off began nothing
    .map((line): Line => JSON.parse(line))

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)

const sentOf = (all: ReadonlyArray<readonly [string, ReadonlyArray<Attempt>]>, alive: ReadonlySet<number>): Sent => {
  const followed = all.flatMap(([, attempts]) => attempts.slice(0, -1))
  const isNeedless = ({ pid, state }: Attempt) => state === "answered" || (state === "in flight" && alive.has(pid))
  return {
    count: all.length,
    bytes: sum(all.map(([, [first]]) => first?.bytes ?? 0)),
    again: followed.length,
    afterKill: followed.filter(({ pid, state }) => state === "in flight" && !alive.has(pid)).length,
    afterBreak: followed.filter(({ state }) => state === "broken").length,
    wastedAtMost: sum(followed.map(({ bytes }) => bytes)),
    needless: all.filter(([, attempts]) => attempts.slice(0, -1).some(isNeedless)).map(([id]) => id)
  }
}

/** Reads all logs, one of each runner and the processes that it was. The last of them lived to the end. */
export const tally = (paths: ReadonlyArray<string>): Tally => {
  const attempts = new Map<string, Array<Attempt>>()
  const logs = paths.map(read)
  const alive = new Set(logs.flatMap((lines) => lines.at(-1)?.pid ?? []))
  for (const { bytes = 0, key, part, phase, pid } of logs.flat().sort((one, other) => one.at - other.at)) {
    if (key === undefined || part === undefined) continue
    const id = `${key}#${part}`
    const known = attempts.get(id) ?? []
    attempts.set(id, known)
    if (phase === "begin") known.push({ pid, bytes, state: "in flight" })
    const open = known.findLast((attempt) => attempt.pid === pid && attempt.state === "in flight")
    if (phase !== "begin" && open !== undefined) open.state = phase === "end" ? "answered" : "broken"
  }
  const isWhole = ([id]: readonly [string, unknown]) => id.endsWith("#0")
  return {
    parts: sentOf(
      [...attempts].filter((entry) => !isWhole(entry)),
      alive
    ),
    objects: sentOf([...attempts].filter(isWhole), alive)
  }
}
