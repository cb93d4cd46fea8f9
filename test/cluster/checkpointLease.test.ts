/** A lease between machines: it ends when its holder died, and whoever slept through its end changes nothing. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as SqlCheckpointStore from "../../adapters/cluster/SqlCheckpointStore.ts"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as FileSource from "../../adapters/node/FileSource.ts"
import { CheckpointStore } from "../../core/ports/CheckpointStore.ts"
import * as Upload from "../../core/programs/Upload.ts"
import * as Emulated from "../support/Emulated.ts"
import { checkpoint, identity } from "../support/SampleCheckpoint.ts"
import * as Databases from "./Databases.ts"
import { key, partSize, parts } from "./checkpointSetting.ts"

const program = fileURLToPath(new URL("checkpointProgram.ts", import.meta.url))

/** Runs the program for the length of the scope. */
const start = (args: ReadonlyArray<string>, environment: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--import", "tsx", program, ...args], {
        stdio: ["pipe", "pipe", "inherit"],
        env: { ...process.env, ...environment }
      })
      const told = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      return {
        line: Effect.promise(async () => String((await told.next()).value)),
        say: (line: string) => Effect.sync(() => void child.stdin.write(`${line}\n`)),
        signal: (signal: NodeJS.Signals) => Effect.sync(() => void child.kill(signal)),
        child
      }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

/** A store that asks for leases of so many milliseconds. */
const storeOf = (address: string, lease: number) =>
  SqlCheckpointStore.layer({ lease }).pipe(Layer.provide(Databases.client(address)), Layer.orDie)

const acquire = Effect.flatMap(CheckpointStore, (store) => store.acquire(identity))

/** Tries again while another holds it, and answers after how many milliseconds it was free. */
const patiently = <A, E extends { readonly _tag: string }, R>(attempt: Effect.Effect<A, E, R>) =>
  Effect.timed(
    Effect.retry(attempt, {
      while: (error) => error._tag === "CheckpointError",
      schedule: Schedule.spaced("100 millis").pipe(Schedule.intersect(Schedule.recurs(300)))
    })
  )

describe.each(Object.entries(Databases.engines))("a lease in %s", (_, engine) => {
  const scope = Effect.runSync(Scope.make())
  let address = ""
  beforeAll(async () => {
    address = await Effect.runPromise(Scope.extend(engine, scope))
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  it.live("is renewed for as long as its run lives, also by one that writes nothing", () =>
    Effect.gen(function* () {
      yield* acquire
      yield* Effect.sleep(2500)
      assert.strictEqual((yield* Effect.flip(Effect.scoped(acquire))).reason, "Locked")
    }).pipe(Effect.scoped, Effect.provide(storeOf(address, 1000)))
  )

  it.live("ends by the database's clock, whatever the runner's says", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* acquire
          const ahead: Clock.Clock = Object.assign(Object.create(Clock.make()), {
            unsafeCurrentTimeMillis: () => 4e12,
            currentTimeMillis: Effect.succeed(4e12)
          })
          const early = yield* Effect.flip(Effect.withClock(Effect.scoped(acquire), ahead))
          assert.strictEqual(early.reason, "Locked")
        })
      )
    }).pipe(Effect.scoped, Effect.provide(storeOf(address, 60_000)))
  )

  it.live("keeps a process that slept through its end from writing over its successor's checkpoint", () =>
    Effect.gen(function* () {
      const other = yield* start(["hold", address, "1000"])
      assert.strictEqual(yield* other.line, "holds")
      yield* other.signal("SIGSTOP")
      const [, handle] = yield* patiently(acquire)
      const found = yield* handle.load
      assert.strictEqual(Option.getOrThrow(found).created, 1)
      yield* handle.save(checkpoint(2))
      yield* other.signal("SIGCONT")
      yield* other.say("save")
      assert.deepStrictEqual([yield* other.line, yield* other.line], ["Locked", "Locked"])
      assert.deepStrictEqual(Option.getOrThrow(yield* handle.load), checkpoint(2))
    }).pipe(Effect.scoped, Effect.provide(storeOf(address, 10_000)))
  )

  it.live("ends when its holder was killed, and the upload goes on elsewhere with the parts that are there", () =>
    Effect.gen(function* () {
      const oss = yield* OssEmulator.make()
      const folder = yield* Effect.promise(() => Fs.mkdtemp(join(tmpdir(), "cluster-upload-")))
      yield* Effect.addFinalizer(() => Effect.promise(() => Fs.rm(folder, { recursive: true })))
      const file = join(folder, "moved.mp4")
      const content = new Uint8Array(partSize * parts).map((_, i) => i * 31 + (i >> 8))
      yield* Effect.promise(() => Fs.writeFile(file, content))

      const { accessKeyId, accessKeySecret } = oss.credentials
      const other = yield* start(["upload", address, "3000", file, oss.endpoint, oss.bucket, oss.region], {
        OSS_ACCESS_KEY_ID: accessKeyId,
        OSS_ACCESS_KEY_SECRET: Redacted.value(accessKeySecret)
      })
      assert.strictEqual(yield* other.line, "uploads")
      const partsThere = Effect.map(oss.uploads(), ([upload]) => upload?.parts.size ?? 0)
      yield* Effect.repeat(Effect.sleep(20), { until: () => Effect.map(partsThere, (count) => count >= 8) })
      yield* other.signal("SIGKILL")
      const killed = yield* Clock.currentTimeMillis

      const here = Effect.gen(function* () {
        const source = yield* FileSource.make(file)
        return yield* Upload.resumable(key, source, { partSize, concurrency: 2 })
      }).pipe(Effect.provide(Emulated.client(oss)))
      assert.strictEqual((yield* Effect.flip(here))._tag, "CheckpointError")
      const there = yield* partsThere
      yield* patiently(here)
      const took = (yield* Clock.currentTimeMillis) - killed

      const found = Option.getOrThrow(yield* oss.object(key))
      assert.strictEqual(Buffer.compare(found, content), 0)
      const sent = (yield* oss.requests).filter(({ operation, status }) => operation === "UploadPart" && status === 200)
      const numbers = new Set(sent.map(({ partNumber }) => partNumber))
      assert.strictEqual(numbers.size, parts)
      // What was in flight at the kill may have arrived without our knowing; nothing else is sent twice.
      assert.isAtMost(sent.length, parts + 2)
      assert.isAtLeast(there, 8)
      assert.isBelow(took, 20_000)
      assert.deepStrictEqual(yield* oss.uploads(), [])
    }).pipe(Effect.scoped, Effect.provide(storeOf(address, 3000)))
  )
})
