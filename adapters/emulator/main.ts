/**
 * `npm run emulator`: the emulator as a program of its own.
 *
 * When it listens, it writes one line of JSON to standard output: where, and what to sign with. It stops on SIGTERM (exit
 * code 0) and on Ctrl-C (130), after requests under way have had a second to end. A wrong option ends it with 2.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Announcement from "./Announcement.ts"
import * as Arguments from "./Arguments.ts"
import * as OssEmulator from "./OssEmulator.ts"

const serve = (run: Arguments.Run) =>
  Effect.gen(function* () {
    const oss = yield* OssEmulator.make(run.options)
    process.stdout.write(`${JSON.stringify(Announcement.make(oss, run))}\n`)
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
  )

const main = (run: Arguments.Run): void => {
  const fiber = Effect.runFork(serve(run))
  let code = 0
  for (const [signal, exitCode] of [
    ["SIGTERM", 0],
    ["SIGINT", 130]
  ] as const) {
    process.once(signal, () => {
      code = exitCode
      Effect.runFork(Fiber.interrupt(fiber))
    })
  }
  fiber.addObserver((exit) => {
    if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return process.exit(code)
    const [reason] = Cause.prettyErrors(exit.cause)
    process.stderr.write(`${reason?.message ?? "the emulator failed"}\n`)
    // The only failure is a bad option; all else is a defect.
    process.exit(Option.isSome(Cause.failureOption(exit.cause)) ? 2 : 1)
  })
}

const parsed = Arguments.parse(process.argv.slice(2))
switch (parsed._tag) {
  case "Help":
    process.stdout.write(parsed.text)
    break
  case "Wrong":
    process.stderr.write(`${parsed.reason}\n\n${Arguments.usage}`)
    process.exitCode = 2
    break
  case "Run":
    main(parsed)
}
