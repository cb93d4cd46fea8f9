import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import * as Cli from "./Cli.ts"

const cli = Cli.install()
const execute = promisify(execFile)

const stored = async (key: string): Promise<string> =>
  Buffer.from(Option.getOrThrow(await Effect.runPromise(cli.emulator.object(key)))).toString()

/** For what must work without keys. */
const withoutKeys = { OSS_REGION: undefined, OSS_ACCESS_KEY_ID: undefined, OSS_ACCESS_KEY_SECRET: undefined }

const sign = async (...args: ReadonlyArray<string>): Promise<void> => {
  const { stdout } = await cli.run(["policy", "sign", "oss://examplebucket", "--json", ...args])
  await cli.write("grant.json", stdout)
}

describe("policy sign, and form", () => {
  it("make a form with which others upload, within its conditions", async () => {
    await cli.write("me.txt", "hello")
    await sign("--key-prefix", "avatars/u_42/", "--max-size", "1KiB")
    const args = ["form", "me.txt", "avatars/u_42/${filename}", "--grant", "grant.json"]
    const { code, value } = await cli.json(args, { env: withoutKeys })
    expect({ code, value }).toMatchObject({ code: 0, value: { method: "form", key: "avatars/u_42/me.txt", size: 5 } })
    expect(await stored("avatars/u_42/me.txt")).toBe("hello")
  })

  it("refuse what the conditions do not allow before a byte is sent, with 1", async () => {
    await cli.write("large.txt", "x".repeat(2000))
    await sign("--key-prefix", "avatars/", "--max-size", "1KiB")
    const { code, stderr } = await cli.run(["form", "large.txt", "avatars/large.txt", "--grant", "grant.json"])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: form: Your proposed upload exceeds the maximum allowed size.\n"
    })
  })

  it("sign and upload in one, for those who have keys", async () => {
    await cli.write("me.txt", "hello")
    const { code } = await cli.run(["form", "me.txt", "oss://examplebucket/forms/"])
    expect(code).toBe(0)
    expect(await stored("forms/me.txt")).toBe("hello")
  })

  it("print a line for the shell that works as it stands", async () => {
    await cli.write("FILE", "by curl")
    const { stdout } = await cli.run([
      "policy",
      "sign",
      "oss://examplebucket",
      "--key",
      "it's/by curl",
      "--condition",
      '["eq","$x-oss-meta-a","b c"]',
      "--curl"
    ])
    await execute("sh", ["-c", stdout.replace(/^curl/, "curl --fail --silent")], { cwd: cli.folder })
    expect(await stored("it's/by curl")).toBe("by curl")
  })

  it("ask for conditions, and for a bucket without a key", async () => {
    const none = await cli.run(["policy", "sign", "oss://examplebucket"])
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no conditions: anybody could write any object")
    })
    const key = await cli.run(["policy", "sign", "oss://examplebucket/a.txt"])
    expect(key).toMatchObject({ code: 2, stderr: expect.stringContaining("the key is a condition: --key a.txt") })
    const wrong = await cli.run(["policy", "sign", "oss://examplebucket", "--condition", '["eq","$key"]'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: --condition: Invalid Policy: /) })
  })

  it("say what a grant is, when it is none, and never quote it", async () => {
    await cli.write("grant.json", '{"url":"secret"}')
    await cli.write("me.txt", "hello")
    const { code, stderr } = await cli.run(["form", "me.txt", "k", "--grant", "grant.json"])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: grant.json: is not a signed form as policy sign --json prints it at fields\n"
    })
  })
})

describe("policy evaluate", () => {
  it("lets through what the policy allows", async () => {
    await cli.write("me.txt", "hello")
    await sign("--key-prefix", "avatars/", "--max-size", "1KiB")
    const allowed = await cli.run([
      "policy",
      "evaluate",
      "grant.json",
      "--key",
      "avatars/${filename}",
      "--file",
      "me.txt"
    ])
    expect(allowed).toEqual({ code: 0, stdout: "allowed\n", stderr: "" })
  })

  it("tells a refusal in OSS's words, with 1", async () => {
    await sign("--key-prefix", "avatars/", "--max-size", "1KiB")
    const refused = await cli.run(["policy", "evaluate", "grant.json", "--key", "other/me.txt", "--size", "5"])
    expect(refused).toEqual({
      code: 1,
      stdout:
        "refused: 403 AccessDenied (EC 0006-00000227)\n" +
        '  Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "avatars/"]\n',
      stderr: ""
    })
    const later = await cli.json([
      "policy",
      "evaluate",
      "grant.json",
      "--key",
      "avatars/a",
      "--at",
      "2099-01-01T00:00:00Z"
    ])
    expect(later).toMatchObject({ code: 1, value: { allowed: false, ec: "0006-00000213" } })
  })

  it("reads a bare policy, and says what is wrong with one", async () => {
    const policy = '{"expiration":"2099-01-01T00:00:00.000Z","conditions":[["eq","$key","a"]]}'
    const allowed = await cli.run(["policy", "evaluate", "-", "--key", "a"], { input: policy })
    expect(allowed).toMatchObject({ code: 0, stdout: "allowed\n" })
    const coded = Buffer.from(policy).toString("base64")
    const refused = await cli.run(["policy", "evaluate", "-", "--key", "b"], { input: `${coded}\n` })
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("AccessDenied") })
    const broken = await cli.run(["policy", "evaluate", "-"], { input: "{}" })
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: Invalid Policy: /) })
  })
})

describe("callback render", () => {
  it("prints the body that OSS would send", async () => {
    const args = [
      "--callback-body",
      "key=${object}&user=${x:user}",
      "--callback-var",
      "user=u 42",
      "--set",
      "object=a/b.txt"
    ]
    const { code, stdout } = await cli.run(["callback", "render", ...args])
    expect({ code, stdout }).toEqual({ code: 0, stdout: "key=a%2Fb.txt&user=u%2042\n" })
  })

  it("prints the headers that order it", async () => {
    const { value } = await cli.json([
      "callback",
      "render",
      "--callback-url",
      "https://api.example.com/up",
      "--callback-json"
    ])
    const { body, headers } = value as { body: string; headers: Record<string, string> }
    expect(JSON.parse(body)).toMatchObject({ bucket: "examplebucket", size: 1048576 })
    expect(JSON.parse(Buffer.from(headers["x-oss-callback"]!, "base64").toString())).toMatchObject({
      callbackUrl: "https://api.example.com/up",
      callbackBodyType: "application/json"
    })
  })

  it("refuses a template that OSS would not render, with 2", async () => {
    const { code, stderr } = await cli.run(["callback", "render", "--callback-body", "key=${objekt}"])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: body: ${objekt} is not one of OSS's variables, whose names are case-sensitive\n"
    })
  })
})

describe("callback serve, and callback verify", () => {
  it("print what arrives and who signed it, until Ctrl-C", async () => {
    await cli.write("a.txt", "hello")
    const server = cli.start(["callback", "serve", "--port", "0", "--trust", cli.emulator.publicKeyUrl])
    const [, url] = await server.saw(/listening at (\S+);/, "stdout")
    const put = await cli.json(["put", "a.txt", "oss://examplebucket/served.txt", "--callback-url", `${url}/up?x=1`])
    expect(put).toMatchObject({ code: 0, value: { callback: { ok: true } } })
    const unsigned = await fetch(`${url}/elsewhere`, { method: "POST", body: "hello=1" })
    expect(unsigned.status).toBe(403)
    server.child.kill("SIGINT")
    const { code, stderr, stdout } = await server.ended
    expect({ code, stderr }).toEqual({ code: 130, stderr: "" })
    expect(stdout).toMatch(
      /^listening at .*\nPOST \/up\?x=1 {2}signed\n {2}bucket=examplebucket&object=served\.txt&.*\nPOST \/elsewhere {2}not signed \(Unsigned\)\n {2}hello=1\n$/
    )
  })

  it("answer with the status that was asked for, one line of JSON for each request", async () => {
    await cli.write("a.txt", "hello")
    const server = cli.start([
      "callback",
      "serve",
      "--port",
      "0",
      "--status",
      "500",
      "--json",
      "--trust",
      cli.emulator.publicKeyUrl
    ])
    const [, url] = await server.saw(/\{"url":"(.*)"\}/, "stdout")
    const put = await cli.run(["put", "a.txt", "oss://examplebucket/served.txt", "--callback-url", `${url}/up`])
    expect(put.code).toBe(3)
    server.child.kill("SIGINT")
    const { stdout } = await server.ended
    const lines = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line))
    expect(lines).toMatchObject([{ url }, { method: "POST", target: "/up", signed: true }])
  })

  it("tell whether a captured request was signed, over its bytes as they arrived", async () => {
    await cli.write("a.txt", "hello")
    let captured = ""
    const { createServer } = await import("node:http")
    const application = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => (body += String(chunk)))
      request.on("end", () => {
        const headers: Array<string> = []
        for (let i = 0; i < request.rawHeaders.length; i += 2) {
          headers.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
        }
        captured = `${request.method} ${request.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${body}`
        response.writeHead(200, { "content-length": 2 }).end("{}")
      })
    })
    await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve))
    const address = application.address()
    const port = typeof address === "object" ? address?.port : 0
    await cli.run(["put", "a.txt", "oss://examplebucket/a.txt", "--callback-url", `http://127.0.0.1:${port}/up`])
    application.close()
    await cli.write("key.pem", cli.emulator.publicKeyPem)
    const trust = ["--trust", `${cli.emulator.publicKeyUrl}=key.pem`]

    await cli.write("captured.http", `${captured}\n`)
    const signed = await cli.run(["callback", "verify", "captured.http", ...trust])
    expect(signed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^signed by a trusted key\n {2}bucket=/) })
    const foreign = await cli.run(["callback", "verify", "captured.http"])
    expect(foreign).toMatchObject({ code: 1, stdout: expect.stringMatching(/^not signed: .*\(UntrustedKey\)\n$/) })
    const changed = await cli.json(["callback", "verify", "-", ...trust], {
      input: captured.replace("size=5", "size=6")
    })
    expect(changed).toMatchObject({ code: 1, value: { signed: false, reason: "BadSignature" } })
    const nothing = await cli.run(["callback", "verify", "-", ...trust], { input: "hello" })
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("the first line is no request line") })
  })
})
