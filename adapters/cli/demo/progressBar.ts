/**
 * Progress on stderr: a bar on a terminal, else a line a second.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import CliProgress from "cli-progress"
import * as Bytes from "../../../core/model/Bytes.ts"
import type { Progress } from "../../../core/model/Progress.ts"

const format = (label: string) => ({
  format: `  ${label} [{bar}] {percentage} %  {text}`,
  barsize: 32,
  hideCursor: true,
  noTTYOutput: true,
  notTTYSchedule: 1000,
  stream: process.stderr
})

/** A bar for the length of a scope, and the function that moves it. `total` in bytes. */
export const make = (
  label: string,
  total: number
): Effect.Effect<(progress: Progress) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const bar = new CliProgress.SingleBar(format(label), CliProgress.Presets.shades_classic)
        bar.start(total, 0, { text: "" })
        return bar
      }),
      (bar) => Effect.sync(() => bar.stop())
    ),
    (bar) =>
      ({ sent }) =>
        Effect.sync(() => bar.update(sent, { text: `${Bytes.format(sent)} of ${Bytes.format(total)}` }))
  )
