/**
 * Interrupted at any moment, an upload closes its sockets at once, and leaves what its method promises.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as CheckpointStore from "../../../core/ports/CheckpointStore.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Emulated from "../../support/Emulated.ts"

const partSize = Bytes.KiB(100)
const content = new Uint8Array(12 * partSize).map((_, i) => Math.imul(i, 2654435761) >>> 24)
const source = Source.bytes(content)

interface Wire {
  readonly endpoint: string
  readonly open: ReadonlySet<Socket>
  /** Those of them that have carried something of a request since the last of an answer. */
  readonly waiting: ReadonlySet<Socket>
  readonly close: () => void
}

/** A wire to the emulator that knows which of its sockets are open, and which wait for an answer. */
const wire = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<Wire>((resolve) => {
          const open = new Set<Socket>()
          const waiting = new Set<Socket>()
          const { hostname, port } = new URL(endpoint)
          const server = createServer((incoming) => {
            const outgoing = connect(Number(port), hostname)
            open.add(incoming)
            incoming.on("data", () => waiting.add(incoming))
            outgoing.on("data", () => waiting.delete(incoming))
            incoming.pipe(outgoing).pipe(incoming)
            const end = () => {
              open.delete(incoming)
              waiting.delete(incoming)
              incoming.destroy()
              outgoing.destroy()
            }
            for (const socket of [incoming, outgoing]) socket.on("error", end).on("close", end)
          })
          server.listen(0, "127.0.0.1", () => {
            const address = server.address() as AddressInfo // it listens on a port
            resolve({
              endpoint: `http://127.0.0.1:${address.port}`,
              open,
              waiting,
              close: () => {
                server.close()
                for (const socket of open) socket.destroy()
              }
            })
          })
        })
    ),
    ({ close }) => Effect.sync(close)
  )

const until = (holds: () => boolean) =>
  Effect.gen(function* () {
    const began = performance.now()
    while (!holds()) {
      if (performance.now() - began > 2_000) return Infinity
      yield* Effect.sleep(1)
    }
    return performance.now() - began
  })

describe("an interruption at a random moment", () => {
  for (const [method, run] of [
    ["simple", Upload.simple],
    ["multipart", Upload.multipart],
    ["resumable", Upload.resumable]
  ] as const) {
    it.scopedLive(`of ${method} closes what was on its way within 100 ms, and leaves what it promises`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const { endpoint, waiting } = yield* wire(emulator.endpoint)
        const layer = Layer.merge(Emulated.client(emulator, { endpoint }), CheckpointStore.layerMemory)
        yield* Effect.gen(function* () {
          const times: Array<number> = []
          let interrupted = 0
          for (let i = 0; i < 12; i++) {
            const key = `${method}-${i}`
            // Every third request of the upload never gets an answer.
            yield* emulator.faults.clear
            yield* emulator.inject({ key, nth: 3 * (i % 4) + 1, fault: "stall", times: 99 })
            const upload = yield* Effect.fork(run(key, source, { partSize, concurrency: 2 }))
            yield* Effect.sleep(i * 7)
            // Connections that wait for their next request stay; what is on its way is on others.
            const before = [...waiting]
            interrupted += before.length
            const interrupting = yield* Effect.fork(Fiber.interrupt(upload))
            yield* emulator.faults.clear
            times.push(yield* until(() => !before.some((socket) => waiting.has(socket))))
            yield* Fiber.join(interrupting)
            const [pending] = (yield* emulator.uploads()).filter(({ upload }) => upload.key === key)
            if (method === "multipart") assert.isUndefined(pending, `run ${i} left an upload behind`)
            if (method === "resumable") {
              yield* Upload.resumable(key, source, { partSize })
              assert.isTrue(Buffer.from(Option.getOrThrow(yield* emulator.object(key))).equals(content))
            }
          }
          assert.isAbove(interrupted, 0, "nothing was on its way, so this has shown nothing")
          // A busy machine may hold up one of them, and an InitiateMultipartUpload is waited for: its answer names what to abort.
          const median = times.toSorted((a, b) => a - b)[times.length >> 1]!
          assert.isBelow(median, 100)
        }).pipe(Effect.provide(layer))
      })
    )
  }

  it.scopedLive("closes a socket whose request will never be answered", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const { endpoint, open } = yield* wire(emulator.endpoint)
      yield* emulator.inject({ operation: "PutObject", fault: "stall", times: 99 })
      const upload = yield* Effect.fork(
        Upload.simple("k", source).pipe(Effect.provide(Emulated.client(emulator, { endpoint })))
      )
      yield* until(() => open.size === 1)
      yield* Effect.sleep(50)
      const began = performance.now()
      yield* Fiber.interrupt(upload)
      yield* until(() => open.size === 0)
      assert.isBelow(performance.now() - began, 100)
    }).pipe(Effect.retry({ times: 2 }))
  )
})
