/** Every example of every command's help, run by a shell as it stands, but for ports and a server that does not exist. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { commands } from "../../../adapters/cli/Commands.ts"
import * as Cli from "./Cli.ts"

const cli = Cli.install()

// A request that OSS really signed: the sample of Alibaba's documentation.
const captured = [
  "POST /index.php?id=1&index=2 HTTP/1.1",
  "authorization: kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==",
  `x-oss-pub-key-url: ${Buffer.from("http://gosspublic.alicdn.com/callback_pub_key_v1.pem").toString("base64")}`,
  "content-length: 18",
  "",
  "bucket=yonghu-test"
].join("\r\n")

const signGrant = ["policy", "sign", "oss://examplebucket", "--key-prefix", "avatars/", "--max-size", "5MiB", "--json"]

/** The files that examples speak of. */
const prepare = async (): Promise<void> => {
  const program = Path.join(cli.folder, "bin", "effect-oss")
  await cli.write("bin/effect-oss", `#!/bin/sh\nexec '${process.execPath}' '${cli.program}' "$@"\n`)
  await Fs.chmod(program, 0o755)
  await cli.write("holiday.mp4", Cli.content(17 * 1024 * 1024))
  await cli.write("photos/me.jpg", "a photo")
  await cli.write("photo.jpg", "a photo")
  await cli.write("me.png", "a picture")
  await cli.write("captured.http", captured)
  await Fs.mkdir(Path.join(cli.folder, "home/.config/fish/completions"), { recursive: true })
  await cli.write("grant.json", (await cli.run(signGrant)).stdout)
  const { value } = await cli.json(["presign", "oss://examplebucket/a.txt"])
  const refused = await fetch((value as { url: string }).url, {
    method: "PUT",
    headers: { "content-type": "a/b" },
    body: "x"
  })
  const refusal = await refused.text()
  await cli.write("refusal.xml", refusal)
  await cli.write("canonical.txt", /<CanonicalRequest>([\s\S]*)<\/CanonicalRequest>/.exec(refusal)?.[1] ?? "")
}

/** An upload of the example's file that was cut off. */
const cutOff = async (): Promise<void> => {
  await Effect.runPromise(
    cli.emulator.inject({
      operation: "UploadPart",
      partNumber: 3,
      fault: "error",
      status: 400,
      code: "InvalidArgument"
    })
  )
  const { code, stderr } = await cli.run(["put", "holiday.mp4", "oss://examplebucket/videos/"])
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("is kept at the server") })
}

/** An old upload that nobody goes on with, for those that list and abort. */
const before: Readonly<Record<string, () => Promise<void>>> = {
  "effect-oss resume holiday.mp4 oss://examplebucket/videos/": cutOff
}

/** Exit codes other than 0, and why. */
const codes: ReadonlyArray<readonly [start: string, code: number]> = [
  // There is no api.example.com, which OSS finds out before it stores anything.
  ["effect-oss put holiday.mp4 oss://examplebucket/v.mp4 --callback-url", 1],
  ["effect-oss doctor oss://examplebucket --callback-url", 1],
  // The example asks about a file that is too large.
  ["effect-oss policy evaluate grant.json --key avatars/u_42/me.png --size 6MiB", 1],
  // Until Ctrl-C.
  ["effect-oss callback serve", 130],
  ["effect-oss emulator", 130]
]

const run = (line: string): Promise<{ readonly code: number | null; readonly output: string }> =>
  new Promise((resolve) => {
    const code = codes.find(([start]) => line.startsWith(start))?.[1]
    const endless = code === 130
    // Ports that somebody else may have; and the shell's own command is the effect-oss that gets Ctrl-C.
    const port = endless && !line.includes("--port") ? " --port 0" : ""
    const adapted = `${line.replaceAll("http://127.0.0.1:9000", cli.emulator.endpoint)}${port}`
    // `eval` is the user's shell's, which this is not.
    const command = endless ? `exec ${adapted}` : (/^eval "\$\((.*)\)"$/.exec(adapted)?.[1] ?? adapted)
    const env = { ...cli.environment, PATH: `${Path.join(cli.folder, "bin")}:${cli.environment["PATH"]}` }
    const child = spawn("sh", ["-c", command], { cwd: cli.folder, env })
    let output = ""
    let isTold = !endless
    const take = (chunk: Buffer): void => {
      output += String(chunk)
      if (isTold || !/listening at|Ctrl-C|"endpoint"/.test(output)) return
      isTold = child.kill("SIGINT") // once: the second would not let it clean up
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    child.on("close", (code) => resolve({ code, output }))
    void Fs.readFile(Path.join(cli.folder, "refusal.xml")).then((refusal) => child.stdin.end(refusal))
    child.stdin.on("error", () => {}) // most read nothing
  })

describe("the examples in the help", () => {
  beforeAll(prepare, 60_000)

  // The demo takes ten seconds, and is run by whoever checks the whole.
  for (const entry of commands.filter(({ name }) => name !== "demo")) {
    it(`of ${entry.name}`, { timeout: 120_000 }, async () => {
      const { command } = await entry.load()
      for (const { line } of command.examples) {
        await before[line]?.()
        const { code, output } = await run(line)
        const expected = codes.find(([start]) => line.startsWith(start))?.[1] ?? 0
        expect({ line, code, output }).toEqual({ line, code: expected, output })
      }
    })
  }
})
