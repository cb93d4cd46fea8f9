/**
 * The help: of the whole, and of one command. Texts only.
 */
import type { Command, Option } from "./Command.ts"

/** What is known of a command before its file is loaded. */
export interface Entry {
  readonly name: string
  readonly summary: string
}

type Bold = (text: string) => string

const columns = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")
}

/** `effect-oss --help`. */
export const overview = (entries: ReadonlyArray<Entry>, version: string, bold: Bold): string =>
  [
    `effect-oss ${version}: uploads to Alibaba Cloud OSS, with upload callbacks`,
    "",
    `${bold("usage:")} effect-oss COMMAND [OPTIONS]`,
    "",
    bold("commands"),
    columns(entries.map(({ name, summary }) => [name, summary])),
    "",
    bold("with every command"),
    columns([
      ["--help, -h", "what it does, its options, and examples"],
      ["--json", "one JSON document on standard output, and nothing else there"]
    ]),
    "",
    bold("where to, and with which keys"),
    columns([
      ["options", "--region, --endpoint, --access-key-id, --profile, …"],
      ["environment", "OSS_REGION, OSS_ENDPOINT, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN"],
      ["file", "~/.ossutilconfig, as Alibaba's ossutil writes it"]
    ]),
    "  The first that says something counts.",
    "",
    bold("exit codes"),
    "  0 done   1 failed   2 the command line is wrong   3 stored, but the callback failed   130 Ctrl-C",
    "",
    bold("try it without a cloud"),
    "  effect-oss demo",
    ""
  ].join("\n")

const left = (name: string, { kind, short, value }: Option): string =>
  `${short === undefined ? "" : `-${short}, `}--${name}${kind === "flag" ? "" : ` ${value ?? "TEXT"}`}`

const right = ({ about, choices, kind }: Option): string => {
  const listed = choices === undefined ? "" : `: ${choices.join(", ")}`
  return `${about}${listed}${kind === "texts" ? "; may be repeated" : ""}`
}

/** `effect-oss COMMAND --help`. */
export const ofCommand = ({ summary }: Entry, command: Command, bold: Bold): string => {
  const { about, examples, name, operands, options } = command
  const shown = Object.entries(options).filter(([, { hidden }]) => hidden !== true)
  const rows = shown.map(([name, option]) => [left(name, option), right(option)] as const)
  return [
    `effect-oss ${name}: ${summary}`,
    "",
    `${bold("usage:")} ${["effect-oss", name, ...operands, "[OPTIONS]"].join(" ")}`,
    "",
    ...(about === "" ? [] : [about, ""]),
    bold("options"),
    columns([...rows, ["--help, -h", "this text"]]),
    "",
    bold("examples"),
    ...examples.flatMap((example) => [`  # ${example.about}`, `  ${example.line}`, ""])
  ].join("\n")
}
