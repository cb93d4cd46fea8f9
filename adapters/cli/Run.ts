/**
 * Runs a command's program: Ctrl-C interrupts it, its failure becomes an exit code and a message, its logs go to stderr.
 *
 * A first Ctrl-C lets the program end in order (an upload aborts, or saves its checkpoint); a second one ends it at once.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { exitCode } from "./Command.ts"
import { complain, note, sayJson, warn } from "./Terminal.ts"

/** What every failure of the library is: a tag and a sentence. */
export interface Failure {
  readonly _tag: string
  readonly message: string
}

/** What a command found that is not as it should be: exit code 1. */
export class Problem extends Error {
  readonly _tag = "Problem"
}

const logger = Logger.make(({ cause, logLevel, message }) => {
  const text = Array.isArray(message) ? message.map(String).join(" ") : String(message)
  const whole = Cause.isEmpty(cause) ? text : `${text}: ${Cause.pretty(cause)}`
  if (logLevel.ordinal >= 30_000) warn(whole)
  else note(whole)
})

const hidden: ReadonlySet<string> = new Set(["_tag", "name", "message", "stack", "cause", "stored"])

/** A failure as JSON: its tag, its sentence, and its other facts. */
export const failureJson = (error: Failure): { readonly error: Record<string, unknown> } => ({
  error: {
    tag: error._tag,
    message: error.message,
    ...Object.fromEntries(Object.entries(error).filter(([name]) => !hidden.has(name)))
  }
})

const codeOf = ({ _tag }: Failure): number =>
  _tag === "InvalidParam" ? exitCode.usage : _tag === "CallbackFailed" ? exitCode.callbackFailed : exitCode.failed

const report = (error: Failure, asJson: boolean): number => {
  if (asJson) sayJson(failureJson(error))
  complain(error.message)
  return codeOf(error)
}

/** Runs to the exit code. */
export const run = async <E extends Failure>(
  program: Effect.Effect<number, E>,
  {
    endless = false,
    json
  }: { readonly json: boolean; /** Ends by Ctrl-C only, so that it says nothing of it. */ readonly endless?: boolean }
): Promise<number> => {
  const fiber = Effect.runFork(Effect.provide(program, Logger.replace(Logger.defaultLogger, logger)))
  let signalled: number | undefined
  const onSignal = (code: number) => () => {
    if (signalled !== undefined) process.exit(code)
    signalled = code
    Effect.runFork(Fiber.interrupt(fiber))
  }
  process.on("SIGINT", onSignal(exitCode.interrupted))
  process.on("SIGTERM", onSignal(143))
  const exit = await Effect.runPromise(Fiber.await(fiber))
  if (Exit.isSuccess(exit)) return exit.value
  if (signalled !== undefined) {
    if (json && !endless) sayJson({ error: { tag: "Interrupted", message: "interrupted" } })
    return signalled
  }
  const failure = Cause.failureOption(exit.cause)
  if (Option.isSome(failure)) return report(failure.value, json)
  note(Cause.pretty(exit.cause))
  return exitCode.failed
}
