/**
 * The commands there are. A command's file is loaded when it is called for, so that `--help` waits for none.
 */
import type { Command } from "./Command.ts"
import type { Entry } from "./Help.ts"

/** A command that can be loaded. */
export interface Loadable extends Entry {
  readonly load: () => Promise<{ readonly command: Command }>
}

export const commands: ReadonlyArray<Loadable> = [
  {
    name: "put",
    summary: "upload a file, in one request or in parts by its size",
    load: () => import("./commands/put.ts")
  },
  { name: "resume", summary: "go on with an upload that was cut off", load: () => import("./commands/resume.ts") },
  {
    name: "presign",
    summary: "a URL that uploads, reads or deletes one object without keys",
    load: () => import("./commands/presign.ts")
  },
  {
    name: "verify",
    summary: "whether an object has the bytes of a file, by CRC-64",
    load: () => import("./commands/verify.ts")
  }
]

/** The command whose words these arguments begin with, and the arguments behind them. */
export const find = (
  args: ReadonlyArray<string>
): { readonly entry: Loadable; readonly rest: ReadonlyArray<string> } | undefined => {
  for (const words of [2, 1]) {
    const name = args.slice(0, words).join(" ")
    const entry = args.length < words ? undefined : commands.find((command) => command.name === name)
    if (entry !== undefined) return { entry, rest: args.slice(words) }
  }
  return undefined
}
