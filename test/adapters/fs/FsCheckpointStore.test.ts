/** Checkpoints on files: the contract, and what only files can do. Crashes and races: FsCheckpointStoreCrash.test.ts. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FsCheckpointStore from "../../../adapters/fs/FsCheckpointStore.ts"
import * as Owner from "../../../adapters/fs/Owner.ts"
import * as Checkpoint from "../../../core/model/Checkpoint.ts"
import type { Handle } from "../../../core/ports/CheckpointStore.ts"
import { contract } from "../../contracts/CheckpointStore.contract.ts"
import { checkpoint, identity } from "../../support/SampleCheckpoint.ts"

const newFolder = Effect.acquireRelease(
  Effect.promise(() => Fs.mkdtemp(join(tmpdir(), "checkpoints-"))),
  (path) => Effect.promise(() => Fs.rm(path, { recursive: true, force: true }))
)

contract("FsCheckpointStore", () =>
  Layer.unwrapScoped(Effect.map(newFolder, (directory) => FsCheckpointStore.layer({ directory })))
)

const hash = createHash("sha256").update(identity).digest("hex")

interface Place {
  readonly directory: string
  readonly file: string
  readonly lock: string
}

const onFiles = <E>(sentence: string, body: (at: Place) => Effect.Effect<void, E>) =>
  it.live(sentence, () =>
    newFolder.pipe(
      Effect.flatMap((folder) => {
        const directory = join(folder, "made", "when needed")
        return body({ directory, file: join(directory, `${hash}.json`), lock: join(directory, `${hash}.lock`) })
      }),
      Effect.scoped
    )
  )

/** Takes the lock for as long as `use` takes. */
const run = <A, E>(
  options: FsCheckpointStore.Options,
  use: (handle: Handle) => Effect.Effect<A, E>,
  { onCorrupt }: FsCheckpointStore.Options = {}
) =>
  Effect.scoped(
    Effect.flatMap(FsCheckpointStore.make({ directory: options.directory, onCorrupt }).acquire(identity), use)
  )

const loaded = (handle: Handle) => Effect.map(handle.load, Option.getOrNull)
const save = (handle: Handle) => handle.save(checkpoint(1))
const failure = <A, E extends { readonly reason: string; readonly message: string }>(effect: Effect.Effect<A, E>) =>
  Effect.map(
    Effect.either(effect),
    Either.match({
      onLeft: ({ message, reason }) => ({ reason, message }),
      onRight: () => ({ reason: "", message: "" })
    })
  )
const disk = <A>(work: () => Promise<A>) => Effect.promise(work)
/** Puts a text where a lock says who holds it. */
const leave = (at: Place, text: string) =>
  disk(async () => {
    await Fs.mkdir(at.lock, { recursive: true })
    await Fs.writeFile(join(at.lock, "holder"), text)
  })

const names = (directory: string) => disk(async () => (await Fs.readdir(directory)).sort())
const mode = async (path: string) => ((await Fs.stat(path)).mode & 0o777).toString(8)

describe("the files of FsCheckpointStore", () => {
  onFiles("are one JSON text for a destination, and a lock while a run holds it", (at) =>
    Effect.gen(function* () {
      yield* run(at, (handle) =>
        Effect.gen(function* () {
          yield* save(handle)
          assert.deepStrictEqual(yield* names(at.directory), [`${hash}.json`, `${hash}.lock`])
        })
      )
      assert.deepStrictEqual(yield* names(at.directory), [`${hash}.json`])
      assert.strictEqual(yield* disk(() => Fs.readFile(at.file, "utf8")), Checkpoint.encode(checkpoint(1)))
    })
  )

  onFiles("can be read by their owner only", (at) =>
    run(at, (handle) =>
      Effect.gen(function* () {
        yield* save(handle)
        const [holder] = yield* names(at.lock)
        const paths = [at.directory, at.file, at.lock, join(at.lock, holder!)]
        assert.deepStrictEqual(yield* disk(() => Promise.all(paths.map(mode))), ["700", "600", "700", "600"])
      })
    )
  )

  onFiles("stand in the user's home when no folder is named", (at) =>
    Effect.gen(function* () {
      vi.stubEnv("HOME", at.directory)
      yield* run({}, save)
      assert.deepStrictEqual(yield* names(join(at.directory, ".effect-oss", "checkpoints")), [`${hash}.json`])
    }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
  )

  onFiles("are not made before a run needs them", (at) =>
    Effect.gen(function* () {
      FsCheckpointStore.make({ directory: at.directory })
      assert.isTrue(yield* Effect.isFailure(Effect.tryPromise(() => Fs.stat(at.directory))))
    })
  )
})

describe("a file that is no checkpoint", () => {
  const texts: ReadonlyArray<readonly [string, string | Uint8Array]> = [
    ["is empty", ""],
    ["was cut short", Checkpoint.encode(checkpoint(1)).slice(0, 200)],
    ["is of another version", Checkpoint.encode(checkpoint(1)).replace('"version":1', '"version":2')],
    ["is not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["is zeros, as after a power cut", new Uint8Array(4096)]
  ]
  for (const [what, text] of texts) {
    onFiles(`is set aside with a warning when it ${what}, and the run begins anew`, (at) =>
      Effect.gen(function* () {
        const warnings: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => warnings.push(`${logLevel.label} ${String(message)}`))
        yield* run(at, save)
        yield* disk(() => Fs.writeFile(at.file, text))
        const found = yield* run(at, (handle) => Effect.zipLeft(loaded(handle), handle.save(checkpoint(2)))).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        assert.isNull(found)
        assert.deepStrictEqual(yield* run(at, loaded), checkpoint(2))
        assert.deepStrictEqual(yield* disk(() => Fs.readFile(`${at.file}.corrupt`)), Buffer.from(text))
        assert.strictEqual(warnings.length, 1)
        assert.match(warnings[0]!, /^WARN .*\.json is no checkpoint: .*; renamed to end in \.corrupt\. Parts that/)
      })
    )

    onFiles(`fails the run as Corrupt and stays when it ${what}, where that is asked for`, (at) =>
      Effect.gen(function* () {
        yield* run(at, save)
        yield* disk(() => Fs.writeFile(at.file, text))
        const { message, reason } = yield* failure(run(at, loaded, { onCorrupt: "fail" }))
        assert.strictEqual(reason, "Corrupt")
        assert.include(message, `${at.file} is no checkpoint: `)
        assert.deepStrictEqual(yield* disk(() => Fs.readFile(at.file)), Buffer.from(text))
      })
    )
  }
})

describe("what crashed processes left", () => {
  onFiles("is swept by the next run: its own at once, that of others when it is an hour old", (at) =>
    Effect.gen(function* () {
      const other = "0".repeat(64)
      const inFolder = (name: string) => join(at.directory, name)
      yield* run(at, save)
      yield* disk(async () => {
        const old = new Date(Date.now() - 61 * 60 * 1000)
        await Fs.writeFile(inFolder(`${hash}.json.a.tmp`), "")
        await Fs.writeFile(inFolder(`${other}.json.young.tmp`), "")
        await Fs.writeFile(inFolder(`${other}.json.old.tmp`), "")
        await Fs.utimes(inFolder(`${other}.json.old.tmp`), old, old)
        for (const age of ["young", "old"]) {
          await Fs.mkdir(inFolder(`${other}.lock.${age}.claim`))
          await Fs.writeFile(inFolder(`${other}.lock.${age}.claim/holder`), "")
        }
        await Fs.utimes(inFolder(`${other}.lock.old.claim`), old, old)
        await Fs.writeFile(inFolder("notes.txt"), "")
        await Fs.utimes(inFolder("notes.txt"), old, old)
      })
      assert.deepStrictEqual(yield* run(at, loaded), checkpoint(1))
      assert.deepStrictEqual(
        yield* names(at.directory),
        [`${other}.json.young.tmp`, `${other}.lock.young.claim`, `${hash}.json`, "notes.txt"].sort()
      )
    })
  )
})

describe("a run that ends while a save is under way", () => {
  const endings: ReadonlyArray<
    readonly [string, (save: Effect.Effect<void, unknown>, ms: number) => Effect.Effect<void>]
  > = [
    ["by itself", (save, ms) => Effect.zipRight(Effect.forkDaemon(save), Effect.sleep(ms))],
    ["by interruption", (save, ms) => Effect.ignore(Effect.timeout(save, ms))]
  ]
  for (const [how, end] of endings) {
    onFiles(`finishes the save before it gives its lock back, ${how}`, (at) =>
      Effect.gen(function* () {
        for (let ms = 1; ms < 16; ms++) {
          yield* run(at, (handle) => end(handle.save(checkpoint(ms, 10_000)), ms))
          // At this moment, not later: another run may take the lock.
          assert.deepStrictEqual(
            readdirSync(at.directory).filter((name) => name.endsWith(".tmp")),
            []
          )
        }
      })
    )
  }
})

describe("a lock that cannot be broken", () => {
  onFiles("is that of another machine: it says whose it is, since when, and how to clear it", (at) =>
    Effect.gen(function* () {
      const self = yield* disk(Owner.self)
      yield* leave(at, Owner.encode({ ...self, pid: 7, host: "web-1", boot: "other", since: 1_763_700_000_000 }))
      assert.deepStrictEqual(yield* failure(run(at, loaded)), {
        reason: "Locked",
        message:
          'checkpoint: another upload to this object may be running: process 7 on "web-1", since 2025-11-21T04:40:00.000Z, ' +
          `which cannot be seen from here; if no upload to this object is running, delete the folder ${at.lock} (Locked)`
      })
      yield* disk(() => Fs.rm(at.lock, { recursive: true }))
      assert.isNull(yield* run(at, loaded))
    })
  )

  onFiles("does not say who holds it", (at) =>
    Effect.gen(function* () {
      yield* leave(at, "")
      const { message, reason } = yield* failure(run(at, loaded))
      assert.strictEqual(reason, "Locked")
      assert.include(
        message,
        `does not say who holds this lock; if no upload to this object is running, delete the folder`
      )
      assert.deepStrictEqual(yield* names(at.directory), [`${hash}.lock`])
    })
  )
})

describe("a lock that was deleted by hand while its run went on", () => {
  onFiles("refuses the run's next save, so that it cannot write over what another run has saved", (at) =>
    run(at, (first) =>
      Effect.gen(function* () {
        yield* disk(() => Fs.rm(at.lock, { recursive: true }))
        yield* run(at, (second) =>
          Effect.gen(function* () {
            yield* second.save(checkpoint(2))
            const { message, reason } = yield* failure(first.save(checkpoint(1)))
            assert.strictEqual(reason, "Locked")
            assert.include(message, "this run no longer holds the lock")
            assert.deepStrictEqual(yield* loaded(second), checkpoint(2))
          })
        )
      })
    )
  )

  onFiles("leaves the lock of another run alone when its own run ends", (at) =>
    Effect.gen(function* () {
      const acquire = FsCheckpointStore.make(at).acquire(identity)
      const first = yield* Scope.make()
      yield* Scope.extend(acquire, first)
      yield* disk(() => Fs.rm(at.lock, { recursive: true }))
      yield* acquire
      yield* Scope.close(first, Exit.void)
      assert.strictEqual((yield* failure(run(at, loaded))).reason, "Locked")
    }).pipe(Effect.scoped)
  )
})

describe("a file system that does not do as asked", () => {
  onFiles("fails a run as Write where no folder can be made", (at) =>
    Effect.gen(function* () {
      const file = join(at.directory, "..", "..", "file")
      yield* disk(() => Fs.writeFile(file, ""))
      const { message, reason } = yield* failure(run({ directory: join(file, "below") }, loaded))
      assert.strictEqual(reason, "Write")
      assert.match(message, /^checkpoint: cannot make the folder .*: ENOTDIR: /)
    })
  )

  onFiles("fails a run as Write where no lock can be taken", (at) =>
    Effect.gen(function* () {
      yield* run(at, save)
      yield* disk(() => Fs.writeFile(at.lock, "a file where the lock's folder should be"))
      const { message, reason } = yield* failure(run(at, loaded))
      assert.strictEqual(reason, "Write")
      assert.match(message, /^checkpoint: cannot take the lock .*: ENOTDIR: /)
      assert.deepStrictEqual(yield* names(at.directory), [`${hash}.json`, `${hash}.lock`])
    })
  )

  onFiles("fails load as Read, save and remove as Write, where a folder stands in the file's place", (at) =>
    Effect.gen(function* () {
      yield* disk(() => Fs.mkdir(join(at.file, "full"), { recursive: true }))
      const reasons = yield* Effect.forEach([loaded, save, (handle: Handle) => handle.remove], (use) =>
        failure(run(at, (handle) => Effect.asVoid(use(handle)))).pipe(
          Effect.map(({ message }) => message.slice(12, 24))
        )
      )
      assert.deepStrictEqual(reasons, ["cannot read ", "cannot write", "cannot delet"])
      assert.deepStrictEqual(yield* names(at.directory), [`${hash}.json`])
    })
  )
})
