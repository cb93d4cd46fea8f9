import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { execFile } from "node:child_process"
import * as Fs from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as Cli from "./Cli.ts"

const cli = Cli.install()
const execute = promisify(execFile)

const stored = async (key: string): Promise<Uint8Array> =>
  Option.getOrThrow(await Effect.runPromise(cli.emulator.object(key)))

/** Compared here: an assertion on megabytes takes a minute. */
const isStored = async (key: string, content: Uint8Array): Promise<boolean> =>
  Buffer.compare(await stored(key), content) === 0

let application: Server
let url: string
const told: Array<string> = []
beforeAll(async () => {
  application = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += String(chunk)))
    request.on("end", () => {
      told.push(body)
      const answer = request.url === "/broken" ? "no" : '{"id":42}'
      response.writeHead(request.url === "/broken" ? 500 : 200, { "content-length": answer.length }).end(answer)
    })
  })
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(application.address() as AddressInfo).port}`
})
afterAll(() => application.close())

describe("put", () => {
  it("stores a small file in one request, and prints the receipt", async () => {
    await cli.write("a.txt", "hello")
    const { code, stderr, stdout } = await cli.run(["put", "a.txt", "oss://examplebucket/notes/"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(
      /^oss:\/\/examplebucket\/notes\/a\.txt\n {2}5 B \(5 bytes\), simple\n {2}ETag [0-9A-F]{32}, CRC-64 \d+\n {2}request [0-9A-F]{24}\n$/
    )
    expect(Buffer.from(await stored("notes/a.txt")).toString()).toBe("hello")
  })

  it("prints the receipt as one line of JSON, the CRC-64 as a text", async () => {
    await cli.write("a.txt", "hello")
    const { code, value } = await cli.json(["put", "a.txt", "oss://examplebucket/a.txt", "--meta", "author=me"])
    expect(code).toBe(0)
    expect(value).toMatchObject({
      method: "simple",
      bucket: "examplebucket",
      key: "a.txt",
      size: 5,
      crc64: String(Crc64.of(Buffer.from("hello")))
    })
  })

  it("sends a file of several parts in parts", async () => {
    await cli.write("parts.bin", Cli.content(300_000))
    const { code, value } = await cli.json([
      "put",
      "parts.bin",
      "oss://examplebucket/parts.bin",
      "--part-size",
      "100KiB"
    ])
    expect({ code, value }).toMatchObject({ code: 0, value: { method: "resumable", size: 300_000 } })
    expect(await isStored("parts.bin", Cli.content(300_000))).toBe(true)
  })

  it("reads standard input", async () => {
    const { code } = await cli.run(["put", "-", "oss://examplebucket/from-a-pipe.txt"], { input: "through a pipe" })
    expect(code).toBe(0)
    expect(Buffer.from(await stored("from-a-pipe.txt")).toString()).toBe("through a pipe")
  })

  it("prints what the application answered to the callback", async () => {
    await cli.write("a.txt", "hello")
    const { code, value } = await cli.json([
      "put",
      "a.txt",
      "oss://examplebucket/called.txt",
      "--callback-url",
      url,
      "--callback-var",
      "user=u 42"
    ])
    expect({ code, value }).toMatchObject({ code: 0, value: { callback: { id: 42 } } })
    expect(told.at(-1)).toMatch(
      /^bucket=examplebucket&object=called\.txt&size=5&etag=.+&mimeType=text%2Fplain&user=u%2042$/
    )
  })

  it("ends with 3 when the object is stored and the callback failed, and prints the receipt all the same", async () => {
    await cli.write("a.txt", "hello")
    const args = ["put", "a.txt", "oss://examplebucket/broken.txt", "--callback-url", `${url}/broken`]
    const people = await cli.run(args)
    expect(people.code).toBe(3)
    expect(people.stdout).toMatch(/^oss:\/\/examplebucket\/broken\.txt\n/)
    expect(people.stderr).toMatch(
      /^error: stored oss:\/\/examplebucket\/broken\.txt, but the callback failed: Error status : 500/
    )
    const { code, value } = await cli.json(args)
    expect({ code, value }).toMatchObject({ code: 3, value: { key: "broken.txt", callback: { failed: "BadStatus" } } })
  })

  it("ends with 1 when OSS refuses, and names code and request", async () => {
    await cli.write("a.txt", "hello")
    const env = { OSS_ACCESS_KEY_SECRET: "wrong" }
    const { code, stderr, value } = await cli.json(["put", "a.txt", "oss://examplebucket/a.txt"], { env })
    expect({ code, value }).toMatchObject({
      code: 1,
      value: { error: { tag: "ServiceError", code: "SignatureDoesNotMatch" } }
    })
    expect(stderr).toMatch(/^error: PutObject: 403 SignatureDoesNotMatch \(EC .*request [0-9A-F]{24}\)/)
    expect(stderr).not.toContain("wrong")
  })

  it("ends with 1 when there is no such file", async () => {
    const { code, stderr } = await cli.run(["put", "nowhere.txt", "oss://examplebucket/"])
    expect({ code, stderr }).toEqual({ code: 1, stderr: "error: nowhere.txt: there is no such file\n" })
  })
})

describe("Ctrl-C in the midst of an upload", () => {
  const args = ["big.bin", "oss://examplebucket/big.bin", "--part-size", "1MiB", "--parallel", "1"]

  it("ends with 130 and keeps what was sent; resume sends the rest", { timeout: 60_000 }, async () => {
    await cli.write("big.bin", Cli.content(5 * 1024 * 1024))
    // Every part after the second waits, so that there is a midst.
    await Effect.runPromise(
      cli.emulator.inject({ operation: "UploadPart", fault: "slow", nth: 3, times: 3, delay: 60_000 })
    )
    const put = cli.start(["put", ...args])
    // The third part is on its way, so the server has two.
    await put.saw(/^big\.bin: 3\.0 MiB of 5\.0 MiB \(60 %\)$/m)
    put.child.kill("SIGINT")
    const cut = await put.ended
    expect({ code: cut.code, stdout: cut.stdout }).toEqual({ code: 130, stdout: "" })
    expect(cut.stderr).toContain(`2.0 MiB of 5.0 MiB (40 %) is kept at the server. To go on:\n`)
    expect(cut.stderr).toContain(`  effect-oss resume ${args.join(" ")}\n`)

    Effect.runSync(cli.emulator.faults.clear)
    const before = (await Effect.runPromise(cli.emulator.requests)).length
    const { code, stderr, value } = await cli.json(["resume", ...args])
    expect({ code, value }).toMatchObject({ code: 0, value: { method: "resumable", size: 5 * 1024 * 1024 } })
    expect(stderr).toContain("going on: 2.0 MiB of 5.0 MiB (40 %) was there")
    const sent = (await Effect.runPromise(cli.emulator.requests)).slice(before).map(({ operation }) => operation)
    expect(sent.filter((operation) => operation === "UploadPart")).toHaveLength(3)
    expect(await isStored("big.bin", Cli.content(5 * 1024 * 1024))).toBe(true)
    expect(await Effect.runPromise(cli.emulator.uploads())).toEqual([])
  })

  it("says as JSON that it was interrupted, and that there is nothing to resume", { timeout: 60_000 }, async () => {
    await cli.write("one.bin", Cli.content(1000))
    await Effect.runPromise(cli.emulator.inject({ operation: "PutObject", key: "one.bin", fault: "stall" }))
    const put = cli.start(["put", "one.bin", "oss://examplebucket/one.bin", "--json"])
    await put.saw(/^one\.bin: /m)
    put.child.kill("SIGINT")
    const { code, stdout } = await put.ended
    expect({ code, stdout }).toEqual({ code: 130, stdout: '{"error":{"tag":"Interrupted","message":"interrupted"}}\n' })
    const resume = await cli.run(["resume", "one.bin", "oss://examplebucket/one.bin"])
    expect(resume.code).toBe(1)
    expect(resume.stderr).toMatch(
      /^error: nothing to resume: no upload to oss:\/\/examplebucket\/one\.bin was cut off here/
    )
  })
})

describe("verify", () => {
  it("finds the same bytes the same, and ends with 1 for others", async () => {
    await cli.write("mine.txt", "as it is here")
    await cli.write("other.txt", "as it is not")
    await cli.run(["put", "mine.txt", "oss://examplebucket/mine.txt"])
    const same = await cli.run(["verify", "mine.txt", "oss://examplebucket/mine.txt"])
    expect(same).toMatchObject({ code: 0, stderr: "" })
    expect(same.stdout).toMatch(/^same\n {2}mine\.txt: 13 bytes, CRC-64 (\d+)\n {2}oss:\S+: 13 bytes, CRC-64 \1\n$/)
    const different = await cli.json(["verify", "other.txt", "oss://examplebucket/mine.txt"])
    expect(different).toMatchObject({ code: 1, value: { same: false, file: { size: 12 }, object: { size: 13 } } })
  })

  it("ends with 1 when there is no such object", async () => {
    await cli.write("mine.txt", "as it is here")
    const { code, stderr } = await cli.run(["verify", "mine.txt", "oss://examplebucket/nowhere"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: HeadObject: 404 NoSuchKey/)
  })
})

describe("presign", () => {
  it("prints a URL and its headers, with which anybody can upload", async () => {
    const { code, value } = await cli.json([
      "presign",
      "oss://examplebucket/granted.txt",
      "--expires",
      "1h",
      "--content-type",
      "text/x-own"
    ])
    expect({ code, value }).toMatchObject({
      code: 0,
      value: { method: "PUT", headers: { "content-type": "text/x-own" } }
    })
    const grant = value as { url: string; headers: Record<string, string> }
    const response = await fetch(grant.url, { method: "PUT", headers: grant.headers, body: "granted" })
    expect(response.status).toBe(200)
    expect(Buffer.from(await stored("granted.txt")).toString()).toBe("granted")
  })

  it("prints a line for the shell that works as it stands", async () => {
    await cli.write("it's.txt", "by curl")
    const { code, stdout } = await cli.run([
      "presign",
      "oss://examplebucket/a/../by curl's.txt",
      "--curl",
      "--file",
      "it's.txt",
      "--callback-url",
      url
    ])
    expect(code).toBe(0)
    const line = stdout.replace(/^curl/, "curl --silent")
    const answer = await execute("sh", ["-c", line], { cwd: cli.folder })
    expect(answer.stdout).toBe('{"id":42}')
    expect(Buffer.from(await stored("a/../by curl's.txt")).toString()).toBe("by curl")
  })

  it.each(["..", "folder/", "a/.."])("prints a line that works for %s, which curl would change", async (key) => {
    await cli.write("dots.txt", "dots")
    const { stdout } = await cli.run(["presign", `oss://examplebucket/${key}`, "--curl", "--file", "dots.txt"])
    await execute("sh", ["-c", stdout.replace(/^curl/, "curl --fail --silent")], { cwd: cli.folder })
    expect(Buffer.from(await stored(key)).toString()).toBe("dots")
  })

  it("takes no callback for other requests than uploads", async () => {
    const { code, stderr } = await cli.run([
      "presign",
      "oss://examplebucket/a",
      "--method",
      "GET",
      "--callback-url",
      url
    ])
    expect({ code, stderr }).toEqual({ code: 2, stderr: "error: only a PUT can have a callback\n" })
  })
})

describe("where requests go and what signs them", () => {
  const none = {
    OSS_REGION: undefined,
    OSS_ENDPOINT: undefined,
    OSS_ACCESS_KEY_ID: undefined,
    OSS_ACCESS_KEY_SECRET: undefined
  }

  it("comes from ossutil's file when neither options nor environment say anything", async () => {
    const { OSS_ENDPOINT, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET } = cli.environment
    await cli.write(
      "home/.ossutilconfig",
      `[Credentials]\nlanguage=EN\nendpoint=${OSS_ENDPOINT}\nregion = cn-hangzhou\naccessKeyID=${OSS_ACCESS_KEY_ID}\naccessKeySecret=${OSS_ACCESS_KEY_SECRET}\n`
    )
    await cli.write("a.txt", "hello")
    const { code, stderr } = await cli.run(["put", "a.txt", "oss://examplebucket/by-file"], { env: none })
    await Fs.rm(`${cli.folder}/home/.ossutilconfig`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  })

  it("is asked for when it is nowhere to be found", async () => {
    await cli.write("a.txt", "hello")
    const noRegion = await cli.run(["put", "a.txt", "oss://examplebucket/a"], { env: none })
    expect(noRegion).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: no region: give --region/) })
    const noKeys = await cli.run(["put", "a.txt", "oss://examplebucket/a", "--region", "cn-hangzhou"], { env: none })
    expect(noKeys).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: no keys: set OSS_ACCESS_KEY_ID/) })
  })

  it("takes a secret from the command line, and warns", async () => {
    await cli.write("a.txt", "hello")
    const secret = cli.environment["OSS_ACCESS_KEY_SECRET"]!
    const args = ["put", "a.txt", "oss://examplebucket/a", "--access-key-secret", secret]
    const { code, stderr } = await cli.run(args, { env: { OSS_ACCESS_KEY_SECRET: undefined } })
    expect(code).toBe(0)
    expect(stderr).toMatch(/^warning: --access-key-secret can be read by others/)
    expect(stderr).not.toContain(secret)
  })
})
