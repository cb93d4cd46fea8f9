/**
 * `npm run test:terminal`: every command in a pseudo-terminal, which a python3 opens.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { commands } from "../../../adapters/cli/Commands.ts"
import * as Cli from "./Cli.ts"

const cli = Cli.install()
const driver = fileURLToPath(new URL("terminal.py", import.meta.url))

interface Session {
  readonly code: number
  readonly output: string
}

/** What is typed, each once its pattern is seen. */
type Keys = ReadonlyArray<readonly [pattern: string, text: string]>

const ctrlC = "\u0003"
const ctrlD = "\u0004"

const covered = new Set<string>()

/** Runs a command in a terminal of 120 columns. */
const type = (
  args: ReadonlyArray<string>,
  keys: Keys = [],
  env: Readonly<Record<string, string>> = {}
): Promise<Session> =>
  new Promise((resolve, reject) => {
    const name = commands.find(({ name }) => args.join(" ").startsWith(name))?.name
    if (name !== undefined) covered.add(name)
    const child = spawn("python3", [driver], { stdio: ["pipe", "pipe", "inherit"] })
    let text = ""
    child.stdout.on("data", (chunk: Buffer) => (text += String(chunk)))
    child.on("close", () => {
      try {
        resolve(JSON.parse(text) as Session) // the driver's own form
      } catch (cause) {
        reject(cause instanceof Error ? cause : new Error(String(cause)))
      }
    })
    child.stdin.end(
      JSON.stringify({
        argv: [process.execPath, cli.program, ...args],
        env: { TERM: "xterm-256color", ...cli.environment, ...env },
        cwd: cli.folder,
        columns: 120,
        keys
      })
    )
  })

const escape = "\u001b"

/** The colours of a text as words, `<green>`, and without what moves the cursor. */
const visible = (output: string): string =>
  output.replaceAll("\r\n", "\n").replace(/\u001b\[(\d+)m/g, (_, code: string) => {
    const names: Readonly<Record<string, string>> = { 1: "bold", 22: "", 31: "red", 32: "green", 33: "yellow", 39: "" }
    return names[code] === undefined ? `<${code}>` : names[code] === "" ? "" : `<${names[code]}>`
  })

describe("in a terminal", { timeout: 90_000 }, () => {
  it("the help has bold headings, unless NO_COLOR or TERM=dumb say otherwise", async () => {
    expect(visible((await type(["--help"])).output)).toContain("<bold>commands\n")
    expect((await type(["put", "--help"])).output).toContain(`${escape}[1musage:`)
    expect((await type(["--help"], [], { NO_COLOR: "1" })).output).not.toContain(escape)
    expect((await type(["--help"], [], { TERM: "dumb" })).output).not.toContain(escape)
  })

  it("an error is red, and a warning yellow", async () => {
    expect(visible((await type(["ptu"])).output)).toBe('<red>error: unknown command "ptu"; did you mean put?\n')
    const { output } = await type(["presign", "oss://examplebucket/a", "--access-key-secret", "x"])
    expect(visible(output)).toMatch(/^<yellow>warning: --access-key-secret can be read/)
  })

  it("put shows a bar and gives the cursor back", async () => {
    await cli.write("big.bin", Cli.content(3 * 1024 * 1024))
    const { code, output } = await type(["put", "big.bin", "oss://examplebucket/", "--part-size", "1MiB"])
    expect(code).toBe(0)
    expect(output).toMatch(/big\.bin \[█{24}\] 3\.0 MiB of 3\.0 MiB \(100 %\)/)
    expect(output.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(output.lastIndexOf(`${escape}[?25l`))
    expect(visible(output)).toMatch(/oss:\/\/examplebucket\/big\.bin\n {2}3\.0 MiB \(3145728 bytes\), resumable\n/)
  })

  it("Ctrl-C ends an upload with 130, and resume goes on", async () => {
    await cli.write("cut.bin", Cli.content(5 * 1024 * 1024))
    await Effect.runPromise(
      cli.emulator.inject({ operation: "UploadPart", fault: "slow", nth: 3, times: 3, delay: 60_000 })
    )
    const args = ["cut.bin", "oss://examplebucket/", "--part-size", "1MiB", "--parallel", "1"]
    const cut = await type(["put", ...args], [[String.raw`[2-9]\.\d MiB of 5\.0 MiB`, ctrlC]])
    expect(cut.code).toBe(130)
    expect(visible(cut.output)).toMatch(
      /\n2\.0 MiB of 5\.0 MiB \(40 %\) is kept at the server\. To go on:\n {2}effect-oss resume cut\.bin oss:\/\/examplebucket\/ --part-size 1MiB --parallel 1\n$/
    )
    expect(cut.output.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(cut.output.lastIndexOf(`${escape}[?25l`))
    Effect.runSync(cli.emulator.faults.clear)
    const resumed = await type(["resume", ...args])
    expect(resumed.code).toBe(0)
    expect(visible(resumed.output)).toMatch(/^going on: 2\.0 MiB of 5\.0 MiB \(40 %\) was there/)
    expect((await type(["verify", "cut.bin", "oss://examplebucket/cut.bin"])).code).toBe(0)
  })

  it("a second Ctrl-C does not wait for the first", async () => {
    await cli.write("big.bin", Cli.content(3 * 1024 * 1024))
    await Effect.runPromise(cli.emulator.inject({ operation: "UploadPart", fault: "stall", times: 100 }))
    const args = ["put", "big.bin", "oss://examplebucket/twice", "--part-size", "1MiB"]
    const { code } = await type(args, [[String.raw`twice \[`, `${ctrlC}${ctrlC}`]])
    Effect.runSync(cli.emulator.faults.clear)
    expect(code).toBe(130)
  })

  it("verify, form, presign and policy say the same as in a pipe, in colour", async () => {
    await cli.write("a.txt", "hello")
    const form = await type(["form", "a.txt", "oss://examplebucket/a.txt"])
    expect({ code: form.code, form: visible(form.output) }).toMatchObject({
      code: 0,
      form: expect.stringContaining("oss://examplebucket/a.txt\n  5 B (5 bytes), form\n")
    })
    const same = await type(["verify", "a.txt", "oss://examplebucket/a.txt"])
    expect(visible(same.output)).toMatch(/^<bold><green>same\n {2}a\.txt: 5 bytes, CRC-64 \d+\n/)
    const url = await type(["presign", "oss://examplebucket/a.txt", "--method", "GET"])
    expect(url).toMatchObject({ code: 0, output: expect.stringMatching(/^http:\S+\r\n\r\nIt holds until /) })
    const signed = await type(["policy", "sign", "oss://examplebucket", "--key", "a.txt", "--json"])
    await cli.write("grant.json", signed.output)
    const allowed = await type(["policy", "evaluate", "grant.json", "--size", "1", "--key", "a.txt"])
    expect({ ...allowed, output: visible(allowed.output) }).toEqual({ code: 0, output: "<green>allowed\n" })
    const refused = await type(["policy", "evaluate", "grant.json", "--key", "b.txt"])
    expect(refused.code).toBe(1)
    expect(visible(refused.output)).toMatch(/^<red>refused: 403 AccessDenied /)
  })

  it("explain takes what is pasted, up to Ctrl-D", async () => {
    const { value } = await cli.json(["presign", "oss://examplebucket/a.txt"])
    const response = await fetch((value as { url: string }).url, {
      method: "PUT",
      headers: { "content-type": "a/b" },
      body: "x"
    })
    const pasted = `${(await response.text()).replace(/<StringToSignBytes>.*<\/StringToSignBytes>/, "")}\n`
    const { code, output } = await type(["explain", "-"], [["paste", pasted + ctrlD]])
    expect(code).toBe(0)
    expect(visible(output)).toContain("content-type: text/plain was signed, but content-type:a/b arrived\n")
    expect(visible(output)).toContain("<bold>\nOSS signed, by version 4:")
  })

  it("callback render, verify and serve; serve until Ctrl-C", async () => {
    const rendered = await type(["callback", "render", "--callback-body", "size=${size}"])
    expect({ ...rendered, output: visible(rendered.output) }).toEqual({ code: 0, output: "size=1048576\n" })
    const verified = await type(["callback", "verify", "-"], [["paste", `POST /up HTTP/1.1\n\nsize=5\n${ctrlD}`]])
    expect(verified.code).toBe(1)
    expect(visible(verified.output)).toContain("<red>not signed: it has no Authorization header in base64 (Unsigned)\n")
    const served = await type(["callback", "serve", "--port", "0"], [["Ctrl-C ends it", ctrlC]])
    expect(served.code).toBe(130)
  })

  it("doctor paints its findings", async () => {
    const { code, output } = await type(["doctor", "oss://examplebucket", "--callback-url", "http://127.0.0.1:1/"])
    expect(code).toBe(1)
    expect(visible(output)).toContain("<green>ok    region           cn-hangzhou from OSS_REGION\n")
    expect(visible(output)).toContain("<yellow>warn  callback address ")
    expect(visible(output)).toContain("<red>FAIL  callback answer  ")
  })

  it("emulator tells how to use it, until Ctrl-C", async () => {
    const { code, output } = await type(["emulator", "--port", "0"], [["OSS_ACCESS_KEY_SECRET", ctrlC]])
    expect(code).toBe(130)
    expect(visible(output)).toMatch(
      /^OSS \(the emulator\) at http:\/\/127\.0\.0\.1:\d+, bucket examplebucket; Ctrl-C ends it\n/
    )
  })

  it("demo runs to its end, and stops at Ctrl-C", async () => {
    const { code, output } = await type(["demo"])
    expect({ code, isWhole: output.includes("It refused a forged one") }).toEqual({ code: 0, isWhole: true })
    expect((await type(["demo"], [["multipart", ctrlC]])).code).toBe(130)
  })

  it("completions are without colour there too", async () => {
    const { code, output } = await type(["completions", "bash"])
    expect({ code, coloured: output.includes(escape) }).toEqual({ code: 0, coloured: false })
  })

  it("uploads list and abort say how many there are", async () => {
    const list = await type(["uploads", "list", "oss://examplebucket/nothing/"])
    expect({ ...list, output: visible(list.output) }).toEqual({ code: 0, output: "none\n" })
    const abort = await type(["uploads", "abort", "oss://examplebucket/nothing/", "--older-than", "1d"])
    expect({ ...abort, output: visible(abort.output) }).toEqual({ code: 0, output: "0 uploads aborted\n" })
  })

  it("no command was forgotten", () => {
    expect(commands.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([])
  })
})
