/**
 * Refusals that come before the body was read: clients that send all of it first must not block, nor lose the answer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Http from "../../../adapters/emulator/Http.ts"
import * as Lingering from "../../../adapters/emulator/Lingering.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Server from "../../../adapters/emulator/Server.ts"

const MiB = 1024 * 1024

interface Outcome {
  /** All that was read, as Latin-1. */
  readonly seen: string
  /** The code of the error that ended it. */
  readonly error: string | undefined
}

/** Sends all of the request before it reads a byte, as Python's http.client does; then reads until the server closes. */
const sendThenRead = (port: number, pieces: ReadonlyArray<string | Uint8Array>): Promise<Outcome> =>
  new Promise((resolve) => {
    const socket = Net.connect(port, "127.0.0.1").setEncoding("latin1").pause()
    let seen = ""
    let error: string | undefined
    socket.on("data", (text: string) => {
      seen += text
    })
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      error = cause.code
    })
    socket.on("close", () => resolve({ seen, error }))
    for (const piece of pieces) socket.write(piece)
    // Once the operating system has taken the last byte.
    socket.write("", () => setTimeout(() => socket.resume(), 20))
  })

const portOf = (endpoint: string): number => Number(new URL(endpoint).port)

const unsigned = "Authorization: OSS4-HMAC-SHA256 Credential=nobody\r\n"
const head = (key: string, more: string) => `PUT /media/${key} HTTP/1.1\r\nHost: 127.0.0.1\r\n${unsigned}${more}\r\n`
const last = "GET /media/last HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"

const withOss = (name: string, body: (port: number) => Promise<void>) =>
  it.live(name, () =>
    Effect.scoped(
      Effect.flatMap(OssEmulator.make({ bucket: "media" }), ({ endpoint }) =>
        Effect.promise(() => body(portOf(endpoint)))
      )
    )
  )

/** A server that refuses at once, with limits of its own. */
const withLimits = (name: string, limits: Partial<Lingering.Limits>, body: (port: number) => Promise<void>) =>
  it.live(name, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const lingering = { ...Lingering.defaults, ...limits }
        const refuse = () => Effect.succeed(Http.xml(403, "<Error/>"))
        const { port } = yield* Server.serve(refuse, { port: 0, lingering })
        yield* Effect.promise(() => body(port))
      })
    )
  )

const statuses = (seen: string) => [...seen.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

describe("a refusal before the body was read", () => {
  withOss("reaches a client that sends all of the body first, and keeps the connection", async (port) => {
    const { seen, error } = await sendThenRead(port, [
      head("k", `Content-Length: ${12 * MiB}\r\n`),
      new Uint8Array(12 * MiB),
      last
    ])
    assert.deepStrictEqual([statuses(seen), error], [[403, 403], undefined])
  })

  withOss("reaches a client whose form was read in part", async (port) => {
    const fields = ["key", "policy", "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"]
    const form = fields.map((name) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nwrong\r\n`).join("")
    const file = '--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    const size = form.length + file.length + 12 * MiB
    const { seen, error } = await sendThenRead(port, [
      `POST /media/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${size}\r\n\r\n`,
      form + file,
      new Uint8Array(12 * MiB),
      last
    ])
    assert.deepStrictEqual([statuses(seen), error], [[400, 403], undefined])
  })

  for (const [why, more, framed] of [
    ["is longer than is kept", `Content-Length: ${40 * MiB}\r\n`, [new Uint8Array(40 * MiB)]],
    [
      "comes in chunks",
      "Transfer-Encoding: chunked\r\n",
      [(12 * MiB).toString(16) + "\r\n", new Uint8Array(12 * MiB), "\r\n0\r\n\r\n"]
    ],
    [
      "was to wait for 100 Continue",
      `Expect: 100-continue\r\nContent-Length: ${12 * MiB}\r\n`,
      [new Uint8Array(12 * MiB)]
    ]
  ] as const) {
    withOss(`closes the connection, without a reset, when the body ${why}`, async (port) => {
      for (let i = 0; i < 5; i++) {
        const { seen, error } = await sendThenRead(port, [head("k", more), ...framed])
        assert.deepStrictEqual([statuses(seen), error], [[403], undefined])
        assert.match(seen, /\r\nConnection: close\r\n/i)
        assert.match(seen, /<\/Error>$/)
      }
    })
  }

  withLimits("is waited for no longer than the silence allowed", { silenceMillis: 100 }, async (port) => {
    for (const more of ["Content-Length: 10\r\n", "Expect: 100-continue\r\nContent-Length: 10\r\n"]) {
      const began = performance.now()
      const { seen } = await sendThenRead(port, [head("k", more), "half"])
      assert.deepStrictEqual(statuses(seen), [403])
      assert.isBelow(performance.now() - began, 4000)
    }
  })

  withLimits("is read for no longer than the time allowed", { totalMillis: 200, keptBytes: 0 }, async (port) => {
    const began = performance.now()
    const socket = Net.connect(port, "127.0.0.1").on("error", () => {})
    socket.write(head("k", "Content-Length: 1000000\r\n"))
    const drip = setInterval(() => socket.write("x"), 10)
    await new Promise((resolve) => socket.resume().on("close", resolve))
    clearInterval(drip)
    assert.isBelow(performance.now() - began, 4000)
  })

  withLimits("takes no more bytes than allowed", { bytes: MiB, keptBytes: 0 }, async (port) => {
    const { error } = await sendThenRead(port, [
      head("k", `Content-Length: ${200 * MiB}\r\n`),
      new Uint8Array(200 * MiB)
    ])
    assert.include(["ECONNRESET", "EPIPE"], error)
  })
})
