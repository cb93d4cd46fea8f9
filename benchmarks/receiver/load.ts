/**
 * `npx tsx benchmarks/receiver/load.ts [requests] [connections]`: requests per second of a receiver, with and without a
 * replay guard, against those of a bare node:http handler that does one `crypto.verify`; each in a process of its own, in turns.
 *
 * Connections are kept, and each has one request under way. Every request of a round is another callback, signed before the
 * clock runs, and all three are sent the same. The figures are medians over the rounds, the ratios of what was done in the
 * same round: the machine's noise falls on all.
 */
import { build } from "esbuild"
import { spawn } from "node:child_process"
import * as NodeCrypto from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const [requests = 8000, connections = 32] = process.argv.slice(2).map(Number)
const rounds = 7

// OSS's own key has 512 bits.
const { privateKey, publicKey } = NodeCrypto.generateKeyPairSync("rsa", { modulusLength: 512 })
const keyUrl = Buffer.from("https://keys.example.com/callback.pem").toString("base64")
const path = "/oss/video-uploaded"

let signed = 0
/** A callback like no other. */
const callback = (): string => {
  const request = (++signed).toString(16).toUpperCase().padStart(24, "0")
  const body = `object=videos%2Fu_42%2Fholiday.mp4&size=83886080&etag=5B3C1A2E053D763E1B002CC607C5A0FE&request=${request}&userId=u_42&bucket=media`
  return [
    `POST ${path} HTTP/1.1`,
    "host: api.example.com",
    "content-type: application/x-www-form-urlencoded",
    `content-length: ${Buffer.byteLength(body)}`,
    `authorization: ${NodeCrypto.sign("RSA-MD5", Buffer.from(`${path}\n${body}`), privateKey).toString("base64")}`,
    `x-oss-pub-key-url: ${keyUrl}`,
    "x-oss-signature-version: 1.0",
    `x-oss-request-id: ${request}`,
    "",
    body
  ].join("\r\n")
}

const folder = await mkdtemp(join(tmpdir(), "effect-oss-load-"))
const program = join(folder, "server.mjs")
await build({
  entryPoints: [fileURLToPath(new URL("server.ts", import.meta.url))],
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  outfile: program,
  logLevel: "error"
})

const names = ["ours", "guarded", "bare"] as const

const start = async (which: (typeof names)[number]) => {
  const der = publicKey.export({ type: "spki", format: "der" }).toString("base64")
  const child = spawn(process.execPath, [program, which, der], { stdio: ["pipe", "pipe", "inherit"] })
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string] // lines are texts
  return { child, port: Number(line) }
}

/** How many of these were answered per second, all with 200. */
const load = async (port: number, callbacks: ReadonlyArray<string>): Promise<number> => {
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = Net.connect(port, "127.0.0.1").setNoDelay()
      await once(socket, "connect")
      return socket
    })
  )
  let next = 0
  const one = (socket: Net.Socket) =>
    new Promise<void>((resolve, reject) => {
      const send = () => {
        const request = callbacks[next++]
        if (request === undefined) socket.end(resolve)
        else socket.write(request)
      }
      socket.on("data", (chunk: Buffer) => {
        // Answers are short: each comes in one piece.
        if (chunk.toString("latin1", 0, 12) === "HTTP/1.1 200") send()
        else reject(new Error(chunk.toString()))
      })
      socket.on("error", reject)
      send()
    })
  const begun = performance.now()
  await Promise.all(sockets.map(one))
  return (callbacks.length * 1000) / (performance.now() - begun)
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

const [ours, guarded, bare] = [await start("ours"), await start("guarded"), await start("bare")]
try {
  const rates: Array<Record<(typeof names)[number], number>> = []
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const callbacks = Array.from({ length: requests }, callback)
    const rate = {
      ours: await load(ours.port, callbacks),
      guarded: await load(guarded.port, callbacks),
      bare: await load(bare.port, callbacks)
    }
    if (round > 0) rates.push(rate)
  }
  const perSecond = (name: (typeof names)[number]) => Math.round(median(rates.map((rate) => rate[name])))
  const ratio = (name: "ours" | "guarded") => Number(median(rates.map((rate) => rate[name] / rate.bare)).toFixed(2))
  const table = {
    "effect-oss receiver, requests/s": perSecond("ours"),
    "effect-oss receiver with a replay guard, requests/s": perSecond("guarded"),
    "node:http and crypto.verify, requests/s": perSecond("bare"),
    ratio: ratio("ours"),
    "ratio with a replay guard": ratio("guarded")
  }
  process.stdout.write(`${JSON.stringify(table, null, 2)}\n`)
} finally {
  for (const { child } of [ours, guarded, bare]) child.stdin.end()
  await rm(folder, { recursive: true })
}
