/**
 * `completions`: a script that completes commands and options in bash, zsh or fish.
 */
import type { Loadable } from "../Commands.ts"
import { commands } from "../Commands.ts"
import * as Command from "../Command.ts"
import * as Shells from "../Completions.ts"
import { say, sayJson } from "../Terminal.ts"

const described = async ({ load, name, summary }: Loadable): Promise<Shells.Described> => {
  const { options } = (await load()).command
  return { name, summary, options: Object.entries(options).filter(([, { hidden }]) => hidden !== true) }
}

export const command = Command.make({
  name: "completions",
  about: "Prints the script; load it from the shell's start-up file.",
  operands: ["SHELL"],
  options: { ...Command.json },
  examples: [
    { about: "bash, in ~/.bashrc", line: 'eval "$(effect-oss completions bash)"' },
    { about: "zsh, in ~/.zshrc behind compinit", line: 'eval "$(effect-oss completions zsh)"' },
    { about: "fish", line: "effect-oss completions fish > ~/.config/fish/completions/effect-oss.fish" }
  ],
  run: async ({ operands: [shell = ""], options: given }) => {
    const script = Shells.scripts[shell]
    if (script === undefined) {
      throw new Command.Usage(`SHELL must be ${Object.keys(Shells.scripts).join(", ")}, got "${shell}"`)
    }
    const text = script(await Promise.all(commands.map(described)))
    if (given.json) sayJson({ shell, script: text })
    else say(text)
    return Command.exitCode.done
  }
})
