/**
 * What is written where: results to standard output, all else to standard error; colour on terminals only.
 *
 * Node's own `hasColors` heeds NO_COLOR, FORCE_COLOR and TERM=dumb; what is no terminal gets no colour whatever they say.
 */
import type { WriteStream } from "node:tty"

type Stream = Pick<WriteStream, "isTTY" | "hasColors">

const paint =
  (open: number, close: number) =>
  (text: string, stream: Stream): string =>
    stream.isTTY && stream.hasColors() ? `\u001b[${open}m${text}\u001b[${close}m` : text

export const bold = paint(1, 22)
export const dim = paint(2, 22)
export const red = paint(31, 39)
export const green = paint(32, 39)
export const yellow = paint(33, 39)

/** A result, for people: a line of standard output. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** A result, for programs. CRC-64s and other big integers become decimal texts. */
export const sayJson = (value: unknown): void =>
  say(JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member)))

/** A line of standard error. */
export const note = (line: string): void => void process.stderr.write(`${line}\n`)

export const warn = (text: string): void => note(`${yellow("warning:", process.stderr)} ${text}`)

export const complain = (text: string): void => note(`${red("error:", process.stderr)} ${text}`)
