/**
 * The emulator's command line, read; and the program run.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Arguments from "../../../adapters/emulator/Arguments.ts"
import * as Program from "./Program.ts"

const parse = (...args: ReadonlyArray<string>) => Arguments.parse(args)

describe("Arguments", () => {
  it("reads every option, repeated ones as lists", () => {
    const line =
      "--port 0 --host 0.0.0.0 --data /d --region cn-beijing --bucket a --bucket b --acl public-read --access-key id:secret " +
      "--access-key STS.id:secret:to:ken --cname img.example.com=a --service-host oss.local --cors --v4-only " +
      "--public-callbacks --control 9001"
    const parsed = parse(...line.split(" "))
    if (parsed._tag !== "Run") return assert.fail(JSON.stringify(parsed))
    const { options } = parsed
    const keys = [options.credentials ?? []].flat()
    assert.deepInclude(options, {
      port: 0,
      host: "0.0.0.0",
      dataDir: "/d",
      region: "cn-beijing",
      bucket: "a",
      buckets: ["b"],
      acl: "public-read",
      cnames: { "img.example.com": "a" },
      serviceHosts: ["oss.local"],
      signatureV1: false,
      callback: { privateAddressesAllowed: false },
      control: 9001
    })
    assert.strictEqual(options.cors?.length, 1)
    assert.deepStrictEqual(
      keys.map(({ accessKeyId, accessKeySecret, securityToken }) => [
        accessKeyId,
        Redacted.value(accessKeySecret),
        securityToken === undefined ? undefined : Redacted.value(securityToken)
      ]),
      [
        ["id", "secret", undefined],
        ["STS.id", "secret", "to:ken"]
      ]
    )
  })

  it("names an option that is unknown or wrong, and quotes no secret", () => {
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["--prot", "1"], /--prot/],
      [["rest"], /rest/],
      [["--port"], /--port/],
      [["--port", "x"], /--port must be 0 to 65535, got "x"/],
      [["--port", "65536"], /--port/],
      [["--control", "-1"], /--control/],
      [["--acl", "open"], /--acl must be private/],
      [["--cname", "a"], /--cname must be HOST=BUCKET/],
      [["--access-key", "secret-without-id"], /^(?!.*secret-without-id).*--access-key must be ID:SECRET/]
    ]
    for (const [args, reason] of cases) {
      const parsed = parse(...args)
      assert.strictEqual(parsed._tag, "Wrong")
      if (parsed._tag === "Wrong") assert.match(parsed.reason, reason)
    }
  })

  it("describes every option it takes", () => {
    const help = parse("--help")
    assert.strictEqual(help._tag, "Help")
    const documented = new Set(Arguments.usage.match(/--[a-z0-9-]+(?= )/g))
    for (const name of Arguments.names) assert.isTrue(documented.has(`--${name}`), name)
  })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program; `signal` is sent once it has announced itself. Its temporary folder is `folder`. */
const run = (program: string, folder: string, args: ReadonlyArray<string>, signal?: NodeJS.Signals): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: folder } })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text: Buffer) => {
      stdout += text.toString()
      if (signal !== undefined && stdout.includes("\n")) child.kill(signal)
    })
    child.stderr.on("data", (text: Buffer) => {
      stderr += text.toString()
    })
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })

describe("npm run emulator", () => {
  it("says where it listens in one line of JSON, stops cleanly, and leaves no folder behind", () =>
    Program.use(async (program, folder) => {
      const ended = await run(program, folder, ["--port", "0", "--bucket", "media", "--control", "0"], "SIGTERM")
      assert.strictEqual(ended.code, 0, ended.stderr)
      const line = JSON.parse(ended.stdout) as Record<string, unknown> // one line, or it does not parse
      assert.match(String(line["endpoint"]), /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.match(String(line["control"]), /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.deepInclude(line, { region: "cn-hangzhou", buckets: ["media"], accessKeyId: "emulator" })
      assert.match(String(line["accessKeySecret"]), /^[0-9a-f]{30}$/)
      assert.deepStrictEqual(await Fs.readdir(folder), ["emulator.mjs"])
    }))

  it("stops on Ctrl-C with 130, and does not repeat a secret that it was given", () =>
    Program.use(async (program, folder) => {
      const ended = await run(program, folder, ["--port", "0", "--access-key", "id:very-secret"], "SIGINT")
      assert.strictEqual(ended.code, 130)
      assert.include(ended.stdout, '"accessKeyId":"id"')
      assert.notInclude(ended.stdout + ended.stderr, "very-secret")
    }))

  it("exits with 2 for what is wrong on the command line, and names it", () =>
    Program.use(async (program, folder) => {
      const unknown = await run(program, folder, ["--prot", "1"])
      assert.strictEqual(unknown.code, 2)
      assert.match(unknown.stderr, /--prot[^]*usage:/)
      const bucket = await run(program, folder, ["--port", "0", "--bucket", "A"])
      assert.strictEqual(bucket.code, 2)
      assert.match(bucket.stderr, /bucket: must be 3 to 63/)
    }))
})
