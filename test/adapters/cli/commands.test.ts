import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { parse } from "../../../adapters/cli/Arguments.ts"
import { Usage, type Command } from "../../../adapters/cli/Command.ts"
import { commands } from "../../../adapters/cli/Commands.ts"
import { run } from "../../../adapters/cli/Program.ts"
import * as EmulatorArguments from "../../../adapters/emulator/Arguments.ts"
import * as Cli from "./Cli.ts"

const cli = Cli.install()
const execute = promisify(execFile)

const escapes = /\u001b/

const load = async (name: string): Promise<Command> =>
  (await commands.find((command) => command.name === name)!.load()).command

describe("the help", () => {
  it("names every command, without colour where it is piped, whatever the environment says", async () => {
    const { code, stderr, stdout } = await cli.run(["--help"], { env: { FORCE_COLOR: "1", COLORTERM: "truecolor" } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.split("\n").map((line) => line.trim().replace(/ {2,}/, ": "))
    expect(commands.filter(({ name, summary }) => !lines.includes(`${name}: ${summary}`))).toEqual([])
    expect(stdout).not.toMatch(escapes)
  })

  it("of a command is had by --help, -h and help, and has examples", async () => {
    const texts = await Promise.all(
      [
        ["put", "--help"],
        ["put", "-h"],
        ["help", "put"]
      ].map((args) => cli.run(args))
    )
    for (const { code, stderr, stdout } of texts) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(stdout).toBe(texts[0]!.stdout)
    }
    expect(texts[0]!.stdout).toMatch(
      /^effect-oss put: .*\n\nusage: effect-oss put FILE oss:\/\/BUCKET\/KEY \[OPTIONS\]\n/
    )
    expect(texts[0]!.stdout).toMatch(/\nexamples\n {2}# .*\n {2}effect-oss put /)
  })

  it("comes on standard error with 2 when no command is given", async () => {
    const { code, stderr, stdout } = await cli.run([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^effect-oss \d+\.\d+\.\d+: /)
  })

  it("is as long as a terminal is wide, examples apart", async () => {
    const { stdout } = await cli.run(["--help"])
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([])
  })

  it("tells the version", async () => {
    expect(await cli.run(["--version"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe("every command", () => {
  it.each(commands.map((entry) => [entry.name, entry] as const))("%s: name, --json, examples", async (name, entry) => {
    const { command } = await entry.load()
    expect(command.name).toBe(name)
    expect(command.options).toHaveProperty("json")
    expect(command.examples.length).toBeGreaterThan(0)
    expect(command.examples.filter(({ line }) => !line.includes(`effect-oss ${name}`))).toEqual([])
  })

  it("the emulator takes the options of `npm run emulator`", async () => {
    const { options } = await load("emulator")
    expect([...Object.keys(options), "help"].sort()).toEqual([...EmulatorArguments.names, "json"].sort())
  })
})

describe("a wrong command line", () => {
  it.each([
    [["ptu"], 'unknown command "ptu"; did you mean put?'],
    [["upload"], 'unknown command "upload"; did you mean uploads?'],
    [["zzz"], 'unknown command "zzz"; see effect-oss --help'],
    [["--frobnicate"], "unknown option --frobnicate; see effect-oss --help"],
    [["policy"], "policy must be followed by one of sign, evaluate"],
    [
      ["policy", "sing"],
      'policy must be followed by one of sign, evaluate, got "policy sing"; did you mean policy sign?'
    ],
    [
      ["put", "a", "oss://b/c", "--contnt-type", "x"],
      "put: unknown option --contnt-type; did you mean --content-type?"
    ],
    [["put", "a", "oss://b/c", "-z"], "put: unknown option -z"],
    [["put", "a"], "put: oss://BUCKET/KEY is missing"],
    [["put", "a", "oss://b/c", "d"], 'put: "d" is too much; it takes FILE oss://BUCKET/KEY'],
    [["put", "a", "oss://b/c", "--quiet=yes"], "put: --quiet takes no value"],
    [["put", "a", "oss://b/c", "--region"], "put: --region needs ID"],
    [["put", "a", "oss://b/c", "--region", "-x"], "put: --region needs ID (write --region=-x if that is one)"],
    [["put", "a", "oss://b/c", "--region", "x", "--region", "y"], "put: --region is given twice"],
    [
      ["put", "a", "oss://b/c", "--acl", "publicread"],
      'put: --acl must be default, private, public-read, public-read-write, got "publicread"; did you mean public-read?'
    ],
    [["put", "a", "s3://b/c"], 'must be oss://BUCKET/KEY, got "s3://b/c"'],
    [
      ["put", "a", "oss://b/c", "--part-size", "8 parsecs"],
      '--part-size must be a size such as 8MiB, 500KB or 1048576, got "8 parsecs"'
    ],
    [["put", "a", "oss://b/c", "--meta", "x"], '--meta must be NAME=VALUE, got "x"'],
    [["put", "a", "oss://b/c", "--callback-var", "x=1"], "--callback-url is missing: whom should OSS call?"],
    [["presign", "oss://b/c", "--expires", "10"], '--expires must be a time such as 30s, 10m, 2h or 7d, got "10"'],
    [["presign", "oss://b"], 'must name an object, oss://BUCKET/KEY, got "oss://b"'],
    [["put", "-", "oss://b/"], "standard input has no name: give the whole oss://BUCKET/KEY"],
    [["completions", "tcsh"], 'SHELL must be bash, zsh, fish, got "tcsh"']
  ])("%j", async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({ _tag: "Usage", message })
  })

  it("ends with 2, and says so on standard error", async () => {
    const message = 'error: unknown command "ptu"; did you mean put?\n'
    expect(await cli.run(["ptu"])).toEqual({ code: 2, stdout: "", stderr: message })
  })

  it("what the library finds wrong ends with 2 as well, and as JSON with --json", async () => {
    await cli.write("a.txt", "hello")
    const { code, stderr, value } = await cli.json(["put", "a.txt", "oss://B/c"])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: bucket: must be 3 to 63 of a-z/)
    expect(value).toMatchObject({ error: { tag: "InvalidParam", field: "bucket" } })
    expect(await cli.json(["put"])).toMatchObject({
      code: 2,
      value: { error: { tag: "Usage", message: "put: FILE is missing" } }
    })
  })

  it("never quotes a secret back", async () => {
    const command = await load("put")
    const complaint = (args: ReadonlyArray<string>): string => {
      try {
        parse(command, args)
        return ""
      } catch (error) {
        return error instanceof Usage ? error.message : ""
      }
    }
    expect(complaint(["--access-key-secret", "-s3cret"])).toBe(
      "put: --access-key-secret needs SECRET (write --access-key-secret=… if that is one)"
    )
    expect(complaint(["--access-key-secret", "s3cret", "--access-key-secret", "s3cret"])).toBe(
      "put: --access-key-secret is given twice"
    )
  })
})

describe("completions", () => {
  const complete = async (...words: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
    const { stdout } = await cli.run(["completions", "bash"])
    const folder = await mkdtemp(join(tmpdir(), "effect-oss-completions-"))
    await writeFile(join(folder, "photo.jpg"), "")
    const line = `COMP_WORDS=(effect-oss ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}`
    const script = `${stdout}\n${line}\n_effect_oss\nprintf '%s\\n' "\${COMPREPLY[@]}"`
    try {
      const answer = await execute("bash", ["-c", script], { cwd: folder })
      return answer.stdout.split("\n").filter((line) => line !== "")
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it("of bash complete commands, their second words, options, choices and files", async () => {
    expect(await complete("pol")).toEqual(["policy"])
    expect(await complete("policy", "")).toEqual(["sign", "evaluate"])
    expect(await complete("policy", "sign", "--key")).toEqual(["--key", "--key-prefix"])
    expect(await complete("put", "--acl", "pub")).toEqual(["public-read", "public-read-write"])
    expect(await complete("put", "ph")).toEqual(["photo.jpg"])
  })

  it("of zsh and fish name every command", async () => {
    for (const shell of ["zsh", "fish"]) {
      const { stdout } = await cli.run(["completions", shell])
      const words = new Set(commands.flatMap(({ name }) => name.split(" ")))
      expect([...words].filter((word) => !stdout.includes(word))).toEqual([])
      expect(stdout).not.toContain("resumable-upload")
    }
  })
})

describe("the start", () => {
  it("of --help takes at most twice that of a bare node", { retry: 3 }, async () => {
    const time = async (args: ReadonlyArray<string>): Promise<number> => {
      const begun = performance.now()
      await execute(process.execPath, [...args])
      return performance.now() - begun
    }
    // In turns, so that whatever else runs slows both; the least of each is the one that was disturbed least.
    let bare = Infinity
    let help = Infinity
    for (let i = 0; i < 7; i++) {
      bare = Math.min(bare, await time(["-e", "0"]))
      help = Math.min(help, await time([cli.program, "--help"]))
    }
    expect(help / bare).toBeLessThan(2)
  })
})
