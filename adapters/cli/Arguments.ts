/**
 * A command's arguments, by its options. Pure.
 *
 * `util.parseArgs` splits the arguments; what is unknown, missing or too much is told here, in words, with the nearest name
 * that there is. Source: https://nodejs.org/docs/latest-v20.x/api/util.html#utilparseargsconfig
 */
import { parseArgs } from "node:util"
import { Usage, type Command, type Input, type Options } from "./Command.ts"
import { hint } from "./Nearest.ts"

/** What a command line asks for. */
export type Parsed = { readonly _tag: "Help" } | { readonly _tag: "Run"; readonly input: Input<Options> }

const spelled = (name: string, short: string | undefined): string => (name === short ? `-${name}` : `--${name}`)

const checkOperands = ({ name, operands }: Command, given: ReadonlyArray<string>): void => {
  const required = operands.filter((operand) => !operand.startsWith("["))
  const missing = required[given.length]
  if (missing !== undefined) throw new Usage(`${name}: ${missing} is missing`)
  const extra = given[operands.length]
  if (extra !== undefined) {
    const takes = operands.length === 0 ? "nothing" : operands.join(" ")
    throw new Usage(`${name}: "${extra}" is too much; it takes ${takes}`)
  }
}

const shown = (options: Options): ReadonlyArray<string> =>
  Object.entries(options).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))

const negated = /^-./

/** Reads the arguments behind the command's name. Throws `Usage`. */
export const parse = (command: Command, args: ReadonlyArray<string>): Parsed => {
  const known = new Map(Object.entries(command.options))
  const config: Record<string, { type: "string" | "boolean"; multiple: true; short?: string }> = {
    help: { type: "boolean", multiple: true, short: "h" }
  }
  for (const [name, { kind, short }] of known) {
    const type = kind === "flag" ? "boolean" : "string"
    config[name] = short === undefined ? { type, multiple: true } : { type, multiple: true, short }
  }
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  if (tokens.some((token) => token.kind === "option" && token.name === "help")) return { _tag: "Help" }

  const operands: Array<string> = []
  const values = new Map<string, string | boolean | Array<string>>()
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value)
    if (token.kind !== "option") continue
    const { name, rawName, value } = token
    const option = known.get(name)
    if (option === undefined) {
      const near = rawName.startsWith("--") ? hint(name, [...shown(command.options), "help"], "--") : ""
      throw new Usage(`${command.name}: unknown option ${rawName}${near}`)
    }
    if (option.kind === "flag") {
      if (value !== undefined) throw new Usage(`${command.name}: ${spelled(name, option.short)} takes no value`)
      values.set(name, true)
      continue
    }
    if (value === undefined || (token.inlineValue === false && negated.test(value))) {
      const escape = value === undefined ? "" : ` (write ${rawName}=${option.secret ? "…" : value} if that is one)`
      throw new Usage(`${command.name}: ${rawName} needs ${option.value ?? "a value"}${escape}`)
    }
    if (option.choices !== undefined && !option.choices.includes(value)) {
      const near = hint(value, option.choices)
      throw new Usage(`${command.name}: ${rawName} must be ${option.choices.join(", ")}, got "${value}"${near}`)
    }
    const before = values.get(name)
    if (option.kind === "texts") values.set(name, Array.isArray(before) ? [...before, value] : [value])
    else if (before === undefined) values.set(name, value)
    else throw new Usage(`${command.name}: ${rawName} is given twice`)
  }
  checkOperands(command, operands)

  const options: Record<string, string | boolean | ReadonlyArray<string> | undefined> = {}
  for (const [name, { kind }] of known) {
    options[name] = values.get(name) ?? (kind === "flag" ? false : kind === "texts" ? [] : undefined)
  }
  return { _tag: "Run", input: { operands, options: options as Input<Options>["options"], args } } // by the kinds above
}

/** What to say of secrets on this command line, without them. */
export const secretsIn = ({ options }: Command, { options: values }: Input<Options>): ReadonlyArray<string> =>
  Object.entries(options).flatMap(([name, { secret }]) => {
    const value = values[name]
    if (secret === undefined || value === undefined || (Array.isArray(value) && value.length === 0)) return []
    return [`--${name} can be read by others on this machine and stays in the shell's history: ${secret}`]
  })
