/**
 * `tsx test/architecture/recordDemo.ts [--check]`: runs the demo, and writes what the READMEs show of it, or checks that they
 * show it. What differs from run to run is how many parts the killed process has left to send.
 *
 * Not among `npm test`, because the demo takes 10 s; .ci/run does it.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Columns that fit on a page: all but the ETag. */
const shown = [0, 1, 2, 4, 5]

/** A terminal's columns: an emoji and a Chinese character take two. */
const width = (text: string) =>
  [...text].reduce((sum, character) => sum + (/\p{Emoji_Presentation}|\p{Script=Han}/u.test(character) ? 2 : 1), 0)

/** The rows of the table; a cell's lines become one: `id: note-1`, `greeting: hello` are `note-1, hello`. */
const table = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rows = lines
    .join("\n")
    .split(/^[┌├└].*$/m)
    .filter((row) => row.includes("│"))
    .map((row) => {
      const cells = row
        .trim()
        .split("\n")
        .map((line) => line.split("│").slice(1, -1))
      return shown.map((column) =>
        cells
          .map((line) => line[column]!.trim().replace(/^(id|greeting|detail): /, ""))
          .filter((text) => text !== "")
          .join(", ")
      )
    })
  const widths = shown.map((_, column) => Math.max(...rows.map((row) => width(row[column]!))))
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(widths[column]! - width(cell)))
      .join("  ")
      .trimEnd()
  )
}

/** What the READMEs show of the demo's output: the table, and what it says of the parts, the forgery and the failure. */
export const record = (output: string): string => {
  const lines = output.split("\n")
  const from = (start: string, count: number) => {
    const first = lines.findIndex((line) => line.startsWith(start))
    if (first < 0) throw new Error(`the demo does not say "${start} …"`)
    return ["", ...lines.slice(first, first + count)]
  }
  return [
    ...table(lines.filter((line) => /^[│┌├└]/.test(line))),
    ...from("The process of the resumable upload", 1),
    ...from("It refused a forged one", 1),
    ...from("Its last callback failed", 2)
  ].join("\n")
}

const recorded = record(
  execFileSync(`${root}node_modules/.bin/tsx`, [`${root}adapters/cli/demo.ts`], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 120_000
  })
)
const shape = (text: string) => text.replace(/sent \d+ of/, "sent N of")

if (process.argv.includes("--check")) {
  for (const readme of ["README.md", "README.zh-CN.md"]) {
    const text = readFileSync(root + readme, "utf8")
    if (shape(text).includes(`\n\`\`\`\n${shape(recorded)}\n\`\`\`\n`)) continue
    console.error(`${readme} shows something else than the demo writes, which is:\n${recorded}`)
    process.exitCode = 1
  }
} else console.log(recorded)
