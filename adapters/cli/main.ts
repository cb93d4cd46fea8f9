#!/usr/bin/env node
/**
 * `effect-oss`: runs the command line, and ends the process with its exit code.
 */
import { Usage } from "./Command.ts"
import { run } from "./Program.ts"
import { complain, note, sayJson } from "./Terminal.ts"

const finish = (code: number): void => {
  // What was written must be gone before: a pipe takes it later on some systems.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
}

// `effect-oss … | head` closes the pipe early, which is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0)
  throw error
})

const args = process.argv.slice(2)
run(args).then(finish, (error: unknown) => {
  if (!(error instanceof Usage)) {
    note(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return finish(1)
  }
  if (args.includes("--json")) sayJson({ error: { tag: "Usage", message: error.message } })
  complain(error.message)
  return finish(2)
})
