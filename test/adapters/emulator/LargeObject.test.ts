/**
 * An object of many parts goes through the emulator in constant memory, and not much slower than bytes go through node:http.
 *
 * 256 MiB, or as many MiB as EMULATOR_LARGE_MIB says (10240 for the figures in adapters/emulator/README.md). Beside the
 * emulator runs a bare sink, which reads bodies and throws them away; the two take turns, part of the bytes each, so that
 * what else the machine does falls on both. The ratio is told, and not asserted: it depends on the processors at hand.
 */
import { assert, it } from "@effect/vitest"
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Http from "node:http"
import { createInterface } from "node:readline"
import * as Program from "./Program.ts"

const mebibytes = Number(process.env["EMULATOR_LARGE_MIB"] ?? 256)
const MiB = 1024 * 1024
const partSize = 16 * MiB
const parts = Math.max(4, Math.ceil((mebibytes * MiB) / partSize))
const concurrency = 4
/** In which the emulator and the sink take turns. */
const rounds = 4

const sink = `
  const server = require("node:http").createServer((request, response) => {
    request.on("data", () => {})
    request.on("end", () => response.writeHead(200, { ETag: '"x"', "Content-Length": 0 }).end())
  })
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ endpoint: "http://127.0.0.1:" + server.address().port }))
  })
`

const start = async (args: ReadonlyArray<string>): Promise<{ child: ChildProcess; endpoint: string }> => {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, endpoint: (JSON.parse(line) as { endpoint: string }).endpoint } // main.ts and the sink write it
  }
  throw new Error("it did not start")
}

const agent = new Http.Agent({ keepAlive: true, maxSockets: concurrency })

const send = async (method: string, url: string, body: Uint8Array = new Uint8Array(0), headers = {}) => {
  const request = Http.request(url, { method, agent, headers: { ...headers, "content-length": body.length } }).end(body)
  const [response] = (await once(request, "response")) as [Http.IncomingMessage] // what the event carries
  const chunks: Array<Buffer> = []
  for await (const chunk of response) chunks.push(chunk as Buffer) // no encoding is set
  assert.strictEqual(response.statusCode, 200, Buffer.concat(chunks).toString())
  return Buffer.concat(chunks).toString()
}

const zeros = new Uint8Array(partSize)

/** Sends the parts `from` to `to`, both included, several at once. Answers the milliseconds it took. */
const sendParts = async (url: string, uploadId: string, from: number, to: number): Promise<number> => {
  const began = performance.now()
  let next = from
  const worker = async () => {
    while (next <= to) await send("PUT", `${url}?partNumber=${next++}&uploadId=${uploadId}`, zeros)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return performance.now() - began
}

/** The most memory a process ever held, in MiB. Linux only; elsewhere 0. */
const peakMemory = ({ pid }: ChildProcess): number => {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

it.each([
  ["that are kept", (folder: string) => ["--data", `${folder}/data`]],
  ["that go with the process", () => []]
] as const)(
  `takes ${parts} parts of 16 MiB, %s, in constant memory`,
  (_, data) =>
    Program.use(async (program, folder) => {
      const options = ["--port", "0", ...data(folder), "--bucket", "large-bucket"]
      const emulator = await start([program, ...options, "--acl", "public-read-write"])
      const bare = await start(["-e", sink])
      try {
        const url = `${emulator.endpoint}/large-bucket/large`
        const uploadId = /<UploadId>(\w+)</.exec(await send("POST", `${url}?uploads`))?.[1] ?? ""
        await sendParts(`${bare.endpoint}/warm`, "", 1, concurrency)
        const times = { emulator: 0, bare: 0 }
        const share = Math.ceil(parts / rounds)
        for (let from = 1; from <= parts; from += share) {
          const to = Math.min(parts, from + share - 1)
          times.emulator += await sendParts(url, uploadId, from, to)
          times.bare += await sendParts(`${bare.endpoint}/k`, "", from, to)
        }
        await send("POST", `${url}?uploadId=${uploadId}`, undefined, { "x-oss-complete-all": "yes" })
        const rate = (millis: number) => Math.round(((parts * partSize) / MiB / millis) * 1000)
        const ratio = times.bare / times.emulator
        const memory = peakMemory(emulator.child)
        console.log(
          `${(parts * partSize) / MiB} MiB: emulator ${rate(times.emulator)} MiB/s, bare sink ${rate(times.bare)} MiB/s, ` +
            `ratio ${ratio.toFixed(2)}; the emulator held ${memory.toFixed(0)} MiB at most, the sink ${peakMemory(bare.child).toFixed(0)} MiB`
        )
        assert.isBelow(memory, 200)
      } finally {
        for (const { child } of [emulator, bare]) {
          child.kill("SIGTERM")
          await once(child, "close")
        }
      }
    }),
  60_000 + mebibytes * 100
)
