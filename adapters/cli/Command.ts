/**
 * What a command is: its words, its options, its examples, and what it does. Plain data but for `run`; no imports, so that
 * the help and the completions cost next to nothing.
 */

/** What follows a name: nothing, a value, or a value each time it is given. */
export interface Option {
  readonly kind: "flag" | "text" | "texts"
  /** What stands for the value in the help: `BYTES`. */
  readonly value?: string
  readonly about: string
  /** The values there are, where they can be counted. */
  readonly choices?: ReadonlyArray<string>
  /** Warn when it is given: whoever can list processes, or read the shell's history, reads it too. What to do instead. */
  readonly secret?: string
  /** One letter. */
  readonly short?: string
  /** Not for people: neither in the help nor in completions. */
  readonly hidden?: true
}

export type Options = Readonly<Record<string, Option>>

/** The value of one option, by its kind. */
type Value<O extends Option> = O["kind"] extends "flag"
  ? boolean
  : O["kind"] extends "texts"
    ? ReadonlyArray<string>
    : string | undefined

/** The values of all options, by their names; those of every command may be absent from a narrower record. */
export type Values<O extends Options> = { readonly [K in keyof O]: Value<O[K]> }

/** What a command gets to see of its command line. */
export interface Input<O extends Options> {
  /** What is neither an option nor the value of one, as many as the command has `operands`. */
  readonly operands: ReadonlyArray<string>
  readonly options: Values<O>
  /** The arguments behind the command's name, as they stood. */
  readonly args: ReadonlyArray<string>
}

export interface Example {
  readonly about: string
  /** One line for a shell, `effect-oss …`. */
  readonly line: string
}

export interface Command<O extends Options = Options> {
  /** Its words: `put`, `uploads abort`. */
  readonly name: string
  /** What the line alone does not say. */
  readonly about: string
  /** In order: `FILE`; those in brackets, `[FILE]`, may be left out and come last. */
  readonly operands: ReadonlyArray<string>
  readonly options: O
  readonly examples: ReadonlyArray<Example>
  /** Answers the exit code. Throws `Usage` for a command line that cannot be meant. */
  readonly run: (input: Input<O>) => Promise<number>
}

/** A command line that cannot be meant: exit code 2. The message names what is wrong with it, never a secret. */
export class Usage extends Error {
  readonly _tag = "Usage"
}

/** A command, with the types of its options kept for `run`. */
export const make = <const O extends Options>(command: Command<O>): Command => command as unknown as Command // the parser gives `run` the values of just these options

/** `--json`, which every command has. */
export const json = {
  json: { kind: "flag", about: "one JSON document on standard output, and nothing else there" }
} as const satisfies Options

/** The exit codes, for the help. 0 is success. */
export const exitCode = { done: 0, failed: 1, usage: 2, callbackFailed: 3, interrupted: 130 } as const
