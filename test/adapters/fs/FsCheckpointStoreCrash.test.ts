/** Several processes, and processes that are killed: what the lock and the atomic writes are for. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import * as FsCheckpointStore from "../../../adapters/fs/FsCheckpointStore.ts"
import * as Owner from "../../../adapters/fs/Owner.ts"
import { checkpoint, identity } from "../../support/SampleCheckpoint.ts"
import * as ChildProcess from "./ChildProcess.ts"

const hash = createHash("sha256").update(identity).digest("hex")

let root: string
let program: string
beforeAll(async () => {
  root = await Fs.mkdtemp(join(tmpdir(), "checkpoint-crashes-"))
  program = await ChildProcess.bundle(root)
})
afterAll(() => Fs.rm(root, { recursive: true, force: true }))

const newDirectory = () => Fs.mkdtemp(join(root, "store-"))
const strict = (directory: string) => FsCheckpointStore.make({ directory, onCorrupt: "fail" })

/** Takes the lock, loads, and gives the lock back. Rejects when the lock is held or the checkpoint is corrupt. */
const loadFrom = (directory: string) =>
  strict(directory)
    .acquire(identity)
    .pipe(
      Effect.flatMap((handle) => handle.load),
      Effect.scoped,
      Effect.map(Option.getOrNull),
      Effect.runPromise
    )

/** The number of a process that has ended. */
let ended: number
beforeAll(async () => {
  const child = ChildProcess.start("--version", [])
  await child.ended
  ended = child.process.pid! // it was started
})

/** Leaves the lock that a process leaves which is killed while it holds it. */
const leaveDeadLock = async (directory: string, nonce: string) => {
  const lock = join(directory, `${hash}.lock`)
  await Fs.mkdir(lock)
  await Fs.writeFile(join(lock, nonce), Owner.encode({ ...(await Owner.self()), pid: ended, started: "1" }))
}

const temporaries = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".tmp"))

describe("a process that is killed at any moment", () => {
  const kills = 16
  const lane = async (lane: number) => {
    const directory = await newDirectory()
    let leftovers = 0
    for (let kill = 0; kill < kills; kill++) {
      const child = ChildProcess.start(program, ["save", directory, "2000"])
      await child.line(1)
      if (kill % 2 === 0) await wait(kill + lane + Math.random())
      else while (temporaries(directory).length === 0) await wait(0)
      child.process.kill("SIGKILL")
      assert.strictEqual(await child.ended, "SIGKILL")
      leftovers += temporaries(directory).length
      const found = await loadFrom(directory)
      const told = Number(child.told.at(-1))
      // What it said was saved is saved; what it had not yet said may be.
      assert.include([told, told + 1], found?.created)
      assert.deepStrictEqual(found, checkpoint(found!.created, 2000))
      assert.deepStrictEqual(await Fs.readdir(directory), [`${hash}.json`])
    }
    return leftovers
  }

  it(`leaves a whole checkpoint, a lock that breaks, and nothing that is not swept: ${2 * kills} kills`, async () => {
    const leftovers = await Promise.all([lane(0), lane(1)])
    // Otherwise no kill would have hit a write, and this test would have shown nothing.
    assert.isAbove(leftovers[0] + leftovers[1], 0)
  }, 180_000)
})

describe("several processes", () => {
  it("count to 200 under the lock, four of them by 50", async () => {
    const directory = await newDirectory()
    const children = Array.from({ length: 4 }, () => ChildProcess.start(program, ["increment", directory, "50"]))
    assert.deepStrictEqual(await Promise.all(children.map(({ ended }) => ended)), [0, 0, 0, 0])
    assert.strictEqual((await loadFrom(directory))?.created, 200)
  }, 120_000)

  it("break a dead holder's lock at the same moment, and one of them gets it, every time", async () => {
    const directory = await newDirectory()
    const racers = Array.from({ length: 4 }, () => ChildProcess.start(program, ["race", directory]))
    await Promise.all(racers.map(({ line }) => line(1)))
    const rounds = 40
    for (let round = 0; round < rounds; round++) {
      await leaveDeadLock(directory, `dead-${round}`)
      const moment = String(Date.now() + 10 + Math.random())
      racers.forEach(({ say }) => say(moment))
      const results = await Promise.all(racers.map(({ line }) => line(2 + 2 * round)))
      assert.deepStrictEqual(results.sort(), ["Locked", "Locked", "Locked", "won"])
      racers.forEach(({ say }) => say("give back"))
      await Promise.all(racers.map(({ line }) => line(3 + 2 * round)))
    }
    racers.forEach(({ say }) => say("end"))
    assert.deepStrictEqual(await Promise.all(racers.map(({ ended }) => ended)), [0, 0, 0, 0])
    assert.deepStrictEqual(await Fs.readdir(directory), [])
  }, 120_000)

  it("are refused in words while another one holds the lock", async () => {
    const directory = await newDirectory()
    const holder = ChildProcess.start(program, ["save", directory])
    await holder.line(1)
    const refused = await Effect.runPromise(Effect.either(Effect.scoped(strict(directory).acquire(identity))))
    holder.process.kill("SIGKILL")
    await holder.ended
    assert.match(
      Either.match(refused, { onLeft: (error) => error.message, onRight: () => "" }),
      /^checkpoint: another upload to this object is running: process \d+, since [\d-]+T[\d:.]+Z \(lock \w+\.lock\) \(Locked\)$/
    )
  })
})

describe("many breakers in one process", () => {
  it("break a dead holder's lock at the same moment, and one of them gets it, 50 times", async () => {
    const directory = await newDirectory()
    const stores = Array.from({ length: 8 }, () => strict(directory))
    const wins = Effect.forEach(stores, (store) => Effect.either(store.acquire(identity)), {
      concurrency: "unbounded"
    }).pipe(
      Effect.map((tried) => tried.filter(Either.isRight).length),
      Effect.scoped
    )
    const counts: Array<number> = []
    for (let round = 0; round < 50; round++) {
      await leaveDeadLock(directory, `dead-${round}`)
      counts.push(await Effect.runPromise(wins))
    }
    assert.deepStrictEqual(
      counts.filter((count) => count !== 1),
      []
    )
  }, 60_000)
})

describe("a file system that takes no more", () => {
  it("fails a save as Write, keeps the checkpoint before it whole, and leaves nothing behind", async () => {
    const directory = await newDirectory()
    // No file may grow beyond 8 blocks (4 or 8 KiB): the write that passes it fails half way.
    const child = ChildProcess.start(program, ["grow", directory], 'ulimit -f 8; exec "$@"')
    assert.strictEqual(await child.ended, 0)
    const saved = child.told.length - 1
    assert.match(
      child.told.at(-1)!,
      /^Write: checkpoint: cannot write .*\.json: EFBIG: file too large, write \(Write\)$/
    )
    assert.deepStrictEqual(await Fs.readdir(directory), [`${hash}.json`])
    assert.deepStrictEqual(await loadFrom(directory), checkpoint(saved, saved))
  })
})
