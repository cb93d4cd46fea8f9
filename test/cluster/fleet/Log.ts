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
  readonly part?: number
  readonly bytes?: number
}

export interface Tally {
  /** Parts that were begun at least once. */
  readonly parts: number
  /** Times a part was begun again. */
  readonly again: number
  /** Among those: the attempt before had been answered, and its process lived on to know it. None is right. */
  readonly needless: ReadonlyArray<string>
  /** Bytes of parts that were begun again: no more than these were wasted. */
  readonly wastedAtMost: number
  /** Bytes of all parts, once each. */
  readonly bytes: number
}

const read = (path: string): ReadonlyArray<Line> =>
  Fs.readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}")) // a line that was cut off began nothing
    .map((line): Line => JSON.parse(line))

/** Reads all logs. A process counts as cut off for what it has begun and not ended, whether it was killed or gave up. */
export const tally = (paths: ReadonlyArray<string>): Tally => {
  const attempts = new Map<string, Array<{ readonly pid: number; ended: boolean; readonly bytes: number }>>()
  const lines = paths.flatMap(read).sort((one, other) => one.at - other.at)
  for (const { bytes = 0, key, part, phase, pid } of lines) {
    if (key === undefined || part === undefined) continue
    const id = `${key}#${part}`
    const known = attempts.get(id) ?? []
    attempts.set(id, known)
    if (phase === "begin") known.push({ pid, ended: false, bytes })
    const open = known.findLast((attempt) => attempt.pid === pid && !attempt.ended)
    if (phase === "end" && open !== undefined) open.ended = true
  }
  const all = [...attempts]
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
  return {
    parts: all.length,
    again: sum(all.map(([, tries]) => tries.length - 1)),
    needless: all.filter(([, tries]) => tries.slice(0, -1).some(({ ended }) => ended)).map(([id]) => id),
    wastedAtMost: sum(all.flatMap(([, tries]) => tries.slice(0, -1).map(({ bytes }) => bytes))),
    bytes: sum(all.map(([, tries]) => tries[0]?.bytes ?? 0))
  }
}
