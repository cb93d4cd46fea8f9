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
  { name: "form", summary: "upload a file by a signed form, as browsers do", load: () => import("./commands/form.ts") },
  {
    name: "verify",
    summary: "whether an object has the bytes of a file, by CRC-64",
    load: () => import("./commands/verify.ts")
  },
  {
    name: "presign",
    summary: "a URL that uploads, reads or deletes one object without keys",
    load: () => import("./commands/presign.ts")
  },
  {
    name: "policy sign",
    summary: "a form that uploads within conditions, without keys",
    load: () => import("./commands/policySign.ts")
  },
  {
    name: "policy evaluate",
    summary: "whether a form's policy lets an upload through, and why not",
    load: () => import("./commands/policyEvaluate.ts")
  },
  {
    name: "callback render",
    summary: "the body that OSS sends for a callback's template",
    load: () => import("./commands/callbackRender.ts")
  },
  {
    name: "callback verify",
    summary: "whether a captured request was signed by OSS",
    load: () => import("./commands/callbackVerify.ts")
  },
  {
    name: "callback serve",
    summary: "a receiver that prints what arrives",
    load: () => import("./commands/callbackServe.ts")
  },
  {
    name: "uploads list",
    summary: "uploads that were neither completed nor aborted",
    load: () => import("./commands/uploadsList.ts")
  },
  {
    name: "uploads abort",
    summary: "give up those that are too old, and their parts",
    load: () => import("./commands/uploadsAbort.ts")
  },
  {
    name: "explain",
    summary: "why OSS found another signature (SignatureDoesNotMatch)",
    load: () => import("./commands/explain.ts")
  },
  {
    name: "doctor",
    summary: "what is wrong with region, keys, clock, callback URL, cross-origin rules",
    load: () => import("./commands/doctor.ts")
  },
  { name: "emulator", summary: "OSS on this machine", load: () => import("./commands/emulator.ts") },
  { name: "demo", summary: "all of it in half a minute, without a cloud", load: () => import("./commands/demo.ts") },
  {
    name: "completions",
    summary: "completions for bash, zsh and fish",
    load: () => import("./commands/completions.ts")
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
