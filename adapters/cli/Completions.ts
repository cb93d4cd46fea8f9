/**
 * Completion scripts, made of the commands' own descriptions. Pure texts.
 *
 * Where neither a command nor an option can stand, files are offered. Sources: "Programmable Completion", GNU Bash manual;
 * "Completion System", zsh manual; `complete`, fish documentation.
 */
import type { Option } from "./Command.ts"

/** A command as completions need it. */
export interface Described {
  readonly name: string
  readonly summary: string
  readonly options: ReadonlyArray<readonly [name: string, option: Option]>
}

type Commands = ReadonlyArray<Described>

const firstWord = ({ name }: Described): string => name.split(" ")[0] ?? ""
const secondWord = ({ name }: Described): string | undefined => name.split(" ")[1]

const firstWords = (commands: Commands): ReadonlyArray<string> => [...new Set(commands.map(firstWord))]

const secondWords = (commands: Commands): ReadonlyArray<readonly [first: string, seconds: ReadonlyArray<string>]> =>
  firstWords(commands).flatMap((first) => {
    const seconds = commands.flatMap((command) => (firstWord(command) === first ? (secondWord(command) ?? []) : []))
    return seconds.length === 0 ? [] : [[first, seconds] as const]
  })

const optionNames = ({ options }: Described): string => [...options.map(([name]) => `--${name}`), "--help"].join(" ")

/** Every choice of every option, by command and option. */
const choices = (commands: Commands): ReadonlyArray<readonly [string, string]> =>
  commands.flatMap(({ name, options }) =>
    options.flatMap(([option, { choices }]) =>
      choices === undefined ? [] : [[`${name}:--${option}`, choices.join(" ")] as const]
    )
  )

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

const bash = (commands: Commands): string => `# bash completion of effect-oss
_effect_oss() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words=""
  case "$command" in
${secondWords(commands)
  .map(([first, seconds]) => {
    const own = `    ${first}) if [ "$COMP_CWORD" -gt 2 ]; then command="$command \${COMP_WORDS[2]}"; else words="${seconds.join(" ")}"; fi ;;`
    return own
  })
  .join("\n")}
  esac
  case "$command:$previous" in
${choices(commands)
  .map(([place, values]) => `    ${quote(place)}) COMPREPLY=($(compgen -W "${values}" -- "$current")); return ;;`)
  .join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${firstWords(commands).join(" ")} --help --version"
  elif [ -z "$words" ] && [ "\${current:0:1}" = "-" ]; then
    case "$command" in
${commands.map((command) => `      ${quote(command.name)}) words="${optionNames(command)}" ;;`).join("\n")}
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _effect_oss effect-oss`

// zsh runs bash's completions; one script less to be wrong.
const zsh = (commands: Commands): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`

const fish = (commands: Commands): string => {
  const line = (condition: string, rest: string): string => `complete -c effect-oss -n ${quote(condition)} ${rest}`
  const seen = (command: Described): string => {
    const second = secondWord(command)
    const first = `__fish_seen_subcommand_from ${firstWord(command)}`
    return second === undefined ? first : `${first}; and __fish_seen_subcommand_from ${second}`
  }
  const ofOption = (
    command: Described,
    [name, { about, choices, kind, short }]: Described["options"][number]
  ): string => {
    const value = kind === "flag" ? "" : choices === undefined ? " -r" : ` -x -a ${quote(choices.join(" "))}`
    return line(seen(command), `-l ${name}${short === undefined ? "" : ` -s ${short}`}${value} -d ${quote(about)}`)
  }
  return [
    "# fish completion of effect-oss",
    ...commands.map((command) =>
      secondWord(command) === undefined
        ? line("__fish_use_subcommand", `-f -a ${firstWord(command)} -d ${quote(command.summary)}`)
        : line(
            `__fish_seen_subcommand_from ${firstWord(command)}; and not __fish_seen_subcommand_from ${secondWord(command)}`,
            `-f -a ${secondWord(command)} -d ${quote(command.summary)}`
          )
    ),
    ...secondWords(commands).map(([first]) => line("__fish_use_subcommand", `-f -a ${first}`)),
    ...commands.flatMap((command) => command.options.map((option) => ofOption(command, option)))
  ].join("\n")
}

/** The script for each shell. */
export const scripts: Readonly<Record<string, (commands: Commands) => string>> = { bash, zsh, fish }
