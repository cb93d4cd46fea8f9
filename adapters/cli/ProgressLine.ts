/**
 * How far an upload has come, on standard error: a bar on a terminal, else a line a second.
 */
import CliProgress from "cli-progress"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../core/model/Bytes.ts"
import type { Progress } from "../../core/model/Progress.ts"
import type { Options } from "./Command.ts"
import { note } from "./Terminal.ts"

export const options = {
  quiet: { kind: "flag", about: "no progress", short: "q" }
} as const satisfies Options

/** Moves what is shown. */
type Show = (progress: Progress) => Effect.Effect<void>

/** `24.0 MiB of 96.0 MiB (25 %)`; without a total, what was sent. */
export const inWords = ({ sent, total }: Pick<Progress, "sent" | "total">): string => {
  if (total === undefined) return Bytes.format(sent)
  const percent = total === 0 ? 100 : Math.floor((sent / total) * 100)
  return `${Bytes.format(sent)} of ${Bytes.format(total)} (${percent} %)`
}

const bar = (label: string): Effect.Effect<Show, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new CliProgress.SingleBar(
          {
            format: `${label} [{bar}] {text}`,
            barsize: 24,
            hideCursor: true,
            stream: process.stderr,
            // Its signal handlers would end the program before it has ended in order.
            gracefulExit: false
          },
          CliProgress.Presets.shades_classic
        )
    ),
    (bar) => Effect.sync(() => bar.stop())
  ).pipe(
    Effect.map((bar) => {
      let started = false
      return (progress) =>
        Effect.sync(() => {
          // The length of a stream is not known before its end: until then the bar is empty.
          const total = progress.total ?? progress.sent + 1
          const value = progress.total === undefined ? 0 : progress.sent
          if (!started) bar.start(total, value, { text: inWords(progress) })
          started = true
          bar.setTotal(total)
          bar.update(value, { text: inWords(progress) })
        })
    })
  )

const lines = (label: string): Effect.Effect<Show, never, Scope.Scope> =>
  Effect.suspend(() => {
    let latest: Progress | undefined
    let told = -1
    const tell = (): void => {
      if (latest === undefined || latest.sent === told) return
      told = latest.sent
      note(`${label}: ${inWords(latest)}`)
    }
    return Effect.acquireRelease(
      Effect.sync(() => setInterval(tell, 1000)),
      (timer) =>
        Effect.sync(() => {
          clearInterval(timer)
          // Only what took long enough to be watched is told to its end.
          if (told !== -1) tell()
        })
    ).pipe(Effect.as((progress) => Effect.sync(() => void (latest = progress))))
  })

/** Shows progress for the length of a scope. */
export const make = (
  label: string,
  { quiet }: { readonly quiet: boolean }
): Effect.Effect<Show | undefined, never, Scope.Scope> => {
  if (quiet) return Effect.succeed(undefined)
  return process.stderr.isTTY ? bar(label) : lines(label)
}
