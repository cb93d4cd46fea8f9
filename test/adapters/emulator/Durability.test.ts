/**
 * The emulator is killed (SIGKILL) in the midst of work, again and again; what it had answered is there, and nothing half.
 *
 * 20 kills, or as many as EMULATOR_KILLS says. Each worker owns its keys, so what a key may hold after a kill is known: what
 * was last answered, or what was under way.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn, type ChildProcess } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Http from "node:http"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import * as Slices from "../../../adapters/emulator/Slices.ts"
import type * as State from "../../../adapters/emulator/State.ts"
import * as Storage from "../../../adapters/emulator/Storage.ts"
import * as Program from "./Program.ts"

const kills = Number(process.env["EMULATOR_KILLS"] ?? 20)
const bucket = "killed-bucket"

/** What a key holds: a version of its content; `undefined` for no object. */
type Version = number | undefined

interface Expectation {
  answered: Version
  /** What a request that was not answered would have made of it. */
  underWay: Version | "nothing"
}

/** Every version has a size and bytes of its own, so that no mixture can pass for one. */
const content = (key: string, version: number): Buffer =>
  Buffer.concat([Buffer.from(`${key}#${version}#`), Buffer.alloc((version * 7919) % 250_000, version % 251)])

const start = async (program: string, folder: string): Promise<{ child: ChildProcess; endpoint: string }> => {
  const args = [program, "--port", "0", "--data", folder, "--bucket", bucket, "--acl", "public-read-write"]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, endpoint: (JSON.parse(line) as { endpoint: string }).endpoint } // the line that main.ts writes
  }
  throw new Error("the emulator did not start")
}

/** The connection is gone, and with it the emulator. */
class Gone extends Error {}

const agent = new Http.Agent({ keepAlive: true })

// node:http and not fetch, which now and then hangs for ever when the other side is killed (seen on Node 20.20).
const request = (
  method: string,
  url: string,
  body: Buffer = Buffer.alloc(0),
  headers: Record<string, string> = {}
): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = Http.request(url, { method, agent, headers: { ...headers, "content-length": body.length } })
    sent.on("error", () => reject(new Gone()))
    sent.on("close", () => reject(new Gone()))
    sent.on("response", (answer) => {
      let text = ""
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()))
      answer.on("end", () => {
        const good = answer.statusCode === 200 || answer.statusCode === 204
        if (good) resolve(text)
        else reject(new Error(`${method} ${url}: ${answer.statusCode} ${text}`))
      })
    })
    sent.end(body)
  })

const putInParts = async (url: string, bytes: Buffer): Promise<void> => {
  const uploadId = /<UploadId>(\w+)</.exec(await request("POST", `${url}?uploads`))?.[1] ?? ""
  const size = 102_400
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    await request("PUT", `${url}?partNumber=${at / size + 1}&uploadId=${uploadId}`, bytes.subarray(at, at + size))
  }
  await request("POST", `${url}?uploadId=${uploadId}`, undefined, { "x-oss-complete-all": "yes" })
}

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** Writes and deletes until the emulator is gone. */
const work = async (endpoint: string, key: string, expected: Expectation, nextVersion: () => number): Promise<void> => {
  const url = `${endpoint}/${bucket}/${encodeURIComponent(key)}`
  while (true) {
    const version = nextVersion()
    const next = version % 5 === 0 ? undefined : version
    expected.underWay = next
    try {
      if (next === undefined) await request("DELETE", url)
      else if (version % 2 === 0) await putInParts(url, content(key, version))
      else await request("PUT", url, content(key, version))
    } catch (cause) {
      if (cause instanceof Gone) return
      throw cause
    }
    expected.answered = next
    expected.underWay = "nothing"
  }
}

const filesIn = async (folder: string): Promise<ReadonlyArray<string>> =>
  (await Fs.readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()

const bodyOf = (storage: Storage.Service, { segments, size }: State.ObjectRecord): Promise<Uint8Array> =>
  Effect.runPromise(Slices.bytes(Slices.of(storage.path, segments, { offset: 0, length: size })))

/** Opens what the killed process left, and compares. */
const verify = async (folder: string, expectations: ReadonlyMap<string, Expectation>): Promise<void> => {
  const storage = await Effect.runPromise(Storage.open(folder, false))
  const named: Array<string> = []
  for (const [key, expected] of expectations) {
    const record = storage.object(bucket, key)
    const possible = expected.underWay === "nothing" ? [expected.answered] : [expected.answered, expected.underWay]
    const bytes = record === undefined ? undefined : Buffer.from(await bodyOf(storage, record))
    const found = possible.find((version) =>
      version === undefined ? bytes === undefined : bytes?.equals(content(key, version))
    )
    assert.isTrue(
      possible.includes(found) && (found !== undefined || bytes === undefined),
      `${key} must be version ${possible.join(" or ")}, but begins ${bytes?.subarray(0, 20).toString()}`
    )
    expected.answered = found
    expected.underWay = "nothing"
    if (record !== undefined) named.push(...record.segments.map(({ file }) => file))
  }
  for (const { parts } of storage.uploads(bucket)) named.push(...Array.from(parts.values(), ({ file }) => file))
  assert.deepStrictEqual(await filesIn(Path.join(folder, "bodies")), named.sort(), "bodies that nothing names")
  assert.deepStrictEqual(await filesIn(Path.join(folder, "tmp")), [])
}

it(
  `loses nothing it answered, and serves nothing half, over ${kills} kills`,
  () =>
    Program.use(async (program, folder) => {
      const data = Path.join(folder, "data")
      const expectations = new Map(
        ["a", "b/c", "ü", "../d"].map((key): [string, Expectation] => [
          key,
          { answered: undefined, underWay: "nothing" }
        ])
      )
      let version = 0
      let answered = 0
      for (let kill = 0; kill < kills; kill++) {
        const { child, endpoint } = await start(program, data)
        const exited = new Promise((resolve) => child.once("exit", resolve))
        const before = version
        const workers = Array.from(expectations, ([key, expected]) => work(endpoint, key, expected, () => ++version))
        const done = () => version - before - workers.length
        // Spread over the first writes as well as the later ones, and on a slow machine too: some kills wait for answers.
        await sleep(15 + ((kill * 37) % 150))
        while (done() < (kill % 4) * 2) await sleep(1)
        child.kill("SIGKILL")
        await Promise.all([exited, ...workers])
        answered += done()
        await verify(data, expectations)
      }
      assert.isAbove(answered, kills, "too little was going on to prove anything")
    }),
  kills * 10_000
)
