/**
 * The command line as a whole: finds the command, and runs it. Nothing of Effect is loaded here, so that `--help` is there at
 * once.
 */
import { readFileSync } from "node:fs"
import { parse, secretsIn } from "./Arguments.ts"
import { Usage } from "./Command.ts"
import { commands, find, type Loadable } from "./Commands.ts"
import * as Help from "./Help.ts"
import { hint } from "./Nearest.ts"
import { bold, warn } from "./Terminal.ts"

const onStdout = (text: string): string => bold(text, process.stdout)

/** The same distance from here in the sources and in the package. */
const version = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8")
  return (JSON.parse(text) as { readonly version: string }).version // our own file
}

const unknown = (args: ReadonlyArray<string>): Usage => {
  const [first = "", second] = args
  if (first.startsWith("-")) return new Usage(`unknown option ${first}; see effect-oss --help`)
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name)
  if (group.length > 0) {
    const given = second === undefined || second.startsWith("-") ? "" : `, got "${first} ${second}"`
    const near = given === "" ? "" : hint(`${first} ${second}`, group)
    return new Usage(
      `${first} must be followed by one of ${group.map((name) => name.split(" ")[1]).join(", ")}${given}${near}`
    )
  }
  const names = commands.map(({ name }) => name.split(" ")[0]!) // split gives at least one
  return new Usage(`unknown command "${first}"${hint(first, names) || "; see effect-oss --help"}`)
}

const runCommand = async (entry: Loadable, args: ReadonlyArray<string>): Promise<number> => {
  const { command } = await entry.load()
  const parsed = parse(command, args)
  if (parsed._tag === "Help") {
    process.stdout.write(Help.ofCommand(entry, command, onStdout))
    return 0
  }
  for (const warning of secretsIn(command, parsed.input)) warn(warning)
  return command.run(parsed.input)
}

/** Runs a command line to its exit code. Rejects with `Usage` for one that cannot be meant. */
export const run = async (given: ReadonlyArray<string>): Promise<number> => {
  const args = given[0] === "help" ? [...given.slice(1), "--help"] : given
  const [first] = args
  if (first === "--version" || first === "-V") {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  if (first === "--help" || first === "-h") {
    process.stdout.write(Help.overview(commands, version(), onStdout))
    return 0
  }
  if (first === undefined) {
    process.stderr.write(Help.overview(commands, version(), (text) => bold(text, process.stderr)))
    return 2
  }
  const found = find(args)
  if (found === undefined) throw unknown(args)
  return runCommand(found.entry, found.rest)
}
