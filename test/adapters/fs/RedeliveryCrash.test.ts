/**
 * Kill -9 between a failed callback and its redelivery, and during it: delivered at least once, handled once.
 *
 * Five times; 100 times with EFFECT_OSS_CRASHES=100.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as FsOutbox from "../../../adapters/fs/FsOutbox.ts"
import * as ReplayGuard from "../../../core/ports/ReplayGuard.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Emulated from "../../support/Emulated.ts"
import { contractAt } from "../../support/RedeliveredContract.ts"
import * as ChildProcess from "./ChildProcess.ts"

const crashes = Number(process.env["EFFECT_OSS_CRASHES"] ?? 5)
const redelivery = { secrets: [Redacted.make("a secret drawn at random")] }

let folder = ""
let program = ""
beforeAll(async () => {
  folder = await Fs.mkdtemp(join(tmpdir(), "effect-oss-redelivery-"))
  program = await ChildProcess.bundle(folder, "redeliverer.ts")
})
afterAll(() => Fs.rm(folder, { recursive: true }))

describe("an uploader that is killed after its callback failed", () => {
  it.scopedLive(
    `loses no callback in ${crashes} crashes, and has none handled twice`,
    () =>
      Effect.gen(function* () {
        const runs = new Map<string, number>()
        const attempts = new Map<string, number>()
        // Fails when OSS calls, and is slow and shaky afterwards, so that kills meet every stage of a redelivery.
        const receiver = CallbackReceiver.make(
          contractAt("https://unused.example.com"),
          ({ object }) =>
            Effect.gen(function* () {
              const attempt = (attempts.get(object) ?? 0) + 1
              attempts.set(object, attempt)
              if (attempt <= 2) return yield* Effect.fail("not now")
              yield* Effect.sleep("20 millis")
              const run = (runs.get(object) ?? 0) + 1
              runs.set(object, run)
              return { run }
            }),
          { replay: { guard: ReplayGuard.ReplayGuard }, redelivery }
        )
        const emulator = yield* OssEmulator.make({
          bucket: "media",
          credentials: { accessKeyId: "test-id", accessKeySecret: Redacted.make("test-secret") }
        })
        const guard = ReplayGuard.makeMemory()
        const guarded: CallbackReceiver.Receiver<never> = {
          ...receiver,
          handle: (request) => Effect.provideService(receiver.handle(request), ReplayGuard.ReplayGuard, guard)
        }
        const { url } = yield* Emulated.server(emulator, guarded)
        for (let crash = 0; crash < crashes; crash++) {
          const key = `video-${crash}`
          const directory = join(folder, key)
          const args = [directory, emulator.endpoint, `${url}/oss`, key]
          const victim = ChildProcess.start(program, ["upload", ...args])
          yield* Effect.promise(() => victim.line(1))
          assert.strictEqual(victim.told[0], "kept")
          yield* Effect.sleep(Math.random() * 60)
          victim.process.kill("SIGKILL")
          yield* Effect.promise(() => victim.ended)
          const outbox = FsOutbox.make({ directory })
          for (let walk = 0; (yield* outbox.list).length > 0; walk++) {
            assert.isBelow(walk, 10, `${key} is still in the outbox`)
            yield* Effect.promise(() => ChildProcess.start(program, ["reconcile", ...args]).ended)
          }
        }
        const once = Array.from({ length: crashes }, (_, crash) => [`video-${crash}`, 1])
        assert.deepEqual(Object.fromEntries(runs), Object.fromEntries(once))
      }),
    30_000 + crashes * 10_000
  )
})
