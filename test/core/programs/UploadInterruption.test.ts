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

/** A wire to the emulator that knows which of its sockets are open. */
const wire = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly endpoint: string; readonly open: Set<Socket>; readonly close: () => void }>(
          (resolve) => {
            const open = new Set<Socket>()
            const { hostname, port } = new URL(endpoint)
            const server = createServer((incoming) => {
              const outgoing = connect(Number(port), hostname)
              open.add(incoming)
              incoming.pipe(outgoing).pipe(incoming)
              const end = () => {
                open.delete(incoming)
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
                close: () => {
                  server.close()
                  for (const socket of open) socket.destroy()
                }
              })
            })
          }
        )
    ),
    ({ close }) => Effect.sync(close)
  )

const until = (holds: () => boolean) =>
  Effect.gen(function* () {
    const began = performance.now()
    while (!holds()) {
      if (performance.now() - began > 5_000) return Infinity
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
        const { endpoint, open } = yield* wire(emulator.endpoint)
        const layer = Layer.merge(Emulated.client(emulator, { endpoint }), CheckpointStore.layerMemory)
        yield* Effect.gen(function* () {
          const times: Array<number> = []
          for (let i = 0; i < 12; i++) {
            const key = `${method}-${i}`
            // Every third request of the upload never gets an answer.
            yield* emulator.faults.clear
            yield* emulator.inject({ key, nth: 3 * (i % 4) + 1, fault: "stall", times: 99 })
            const upload = yield* Effect.fork(run(key, source, { partSize, concurrency: 2 }))
            yield* Effect.sleep(i * 7)
            const before = [...open]
            const interrupting = yield* Effect.fork(Fiber.interrupt(upload))
            // Connections that wait for their next request stay: what is on its way is not among those that are left.
            yield* emulator.faults.clear
            const closed = yield* until(() => before.filter((socket) => open.has(socket)).length <= 2)
            yield* Fiber.join(interrupting)
            times.push(closed)
            const [pending] = (yield* emulator.uploads()).filter(({ upload }) => upload.key === key)
            if (method === "multipart") assert.isUndefined(pending, `run ${i} left an upload behind`)
            if (method === "resumable") {
              yield* Upload.resumable(key, source, { partSize })
              assert.isTrue(Buffer.from(Option.getOrThrow(yield* emulator.object(key))).equals(content))
            }
          }
          // A busy machine may hold up one of them.
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
