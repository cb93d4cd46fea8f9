/**
 * A runner of the fleet. Its first argument is its setting; it runs until it is killed, or, alone on SQLite, until it is done.
 *
 * Every part, and every object of one part, is written to the log before it is sent and when it was answered, in one write each: a line that was begun
 * outlives the process, and tells what was in flight when it was killed.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Budget from "../../../adapters/cluster/budget/Budget.ts"
import * as Runner from "../../../adapters/cluster/upload/Runner.ts"
import * as Sources from "../../../adapters/cluster/sources/Sources.ts"
import * as SqlJobs from "../../../adapters/cluster/jobs/SqlJobs.ts"
import * as Watchdog from "../../../adapters/cluster/Watchdog.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import { bodySize, Transport } from "../../../core/ports/Transport.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Engine from "./Engine.ts"
import { callbacks } from "./Contract.ts"
import { feed } from "./Feeding.ts"
import * as Setting from "./Setting.ts"

const setting = Setting.own()
const log = Fs.openSync(setting.log, "a")
const write = (line: object) =>
  void Fs.writeSync(log, `${JSON.stringify({ at: Date.now(), pid: process.pid, ...line })}\n`)

const Logged = Layer.effect(
  Transport,
  Effect.map(Transport, (transport) => ({
    send: (request: Parameters<typeof transport.send>[0]) => {
      const { pathname, searchParams } = new URL(request.url)
      const part = searchParams.get("partNumber") ?? (request.method === "PUT" ? "0" : null)
      if (part === null) return transport.send(request)
      const sent = { key: decodeURIComponent(pathname), part: Number(part), bytes: bodySize(request.body) }
      return Effect.suspend(() => {
        write({ phase: "begin", ...sent })
        return Effect.onExit(transport.send(request), (exit) =>
          Effect.sync(() => write({ phase: exit._tag === "Success" ? "end" : "broken", ...sent }))
        )
      })
    }
  }))
).pipe(Layer.provide(NodeTransport.layer()))

const { accessKeyId, accessKeySecret, bucket, endpoint, region } = setting
const Ports = Layer.mergeAll(
  Logged,
  NodeCrypto.layer,
  NodeFileSystem.layer,
  CredentialsProvider.layer({ accessKeyId, accessKeySecret: Redacted.make(accessKeySecret) })
)

const main = Runner.layer({ ...setting, callbacks }).pipe(
  Layer.provide(SqlJobs.layer()),
  Layer.provideMerge(Engine.layer(setting.database, setting.port)),
  Layer.provide(
    Layer.mergeAll(Budget.unlimited, Sources.layer({ region, endpoint }), OssClient.layer({ bucket, region, endpoint }))
  ),
  Layer.provide(Ports),
  Layer.tap(() => Effect.sync(() => write({ phase: "ready" })))
)

// On SQLite there is one runner, and what it runs comes from the same process.
const isAlone = setting.database.startsWith("sqlite:")

// Nothing is waited for at the end: what was under way goes on elsewhere.
const fiber = Effect.runFork(
  Effect.raceFirst(isAlone ? Effect.provide(feed(setting), main) : Layer.launch(main), Watchdog.watch)
)
fiber.addObserver((exit) => {
  process.stderr.write(`runner ${process.pid}: ${exit._tag === "Failure" ? String(exit.cause) : "ended"}\n`)
  process.exit(exit._tag === "Success" ? 0 : 1)
})
