/**
 * A runner is killed at the moment when OSS has stored the object, has told the application, and its answer is on its way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import { Jobs } from "../../adapters/cluster/jobs/Jobs.ts"
import * as SqlJobs from "../../adapters/cluster/jobs/SqlJobs.ts"
import * as SourceRef from "../../adapters/cluster/sources/SourceRef.ts"
import * as UploadRequest from "../../adapters/cluster/upload/UploadRequest.ts"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../adapters/node/NodeCrypto.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as Databases from "./Databases.ts"
import { bucket, callbacks, ObjectStored, url } from "./fleet/Contract.ts"
import * as Files from "./fleet/Files.ts"
import * as Programs from "./fleet/Programs.ts"
import * as Setting from "./fleet/Setting.ts"
import * as Postgres from "./Postgres.ts"

const MiB = 1024 * 1024

/** Uploads one object that may overwrite nothing by a runner on SQLite, which is killed once when the application is told. */
const trial = (size: number) =>
  Effect.gen(function* () {
    yield* Programs.bundle
    const folder = yield* Postgres.newFolder("killed-")
    let runner: ChildProcess | undefined
    let told = 0
    const oss = yield* OssEmulator.make({
      bucket,
      receivers: {
        [url]: CallbackReceiver.make(ObjectStored, ({ number }) =>
          Effect.suspend(() => {
            const killed = ++told === 1 && runner !== undefined ? Postgres.end(runner, "SIGKILL") : Effect.void
            return Effect.as(killed, { number })
          })
        )
      }
    }).pipe(Effect.provide(NodeCrypto.layer))
    const file = Files.make(join(folder, "file"), "objects/one.bin", size, 7)
    const request: UploadRequest.UploadRequest = {
      key: file.key,
      source: SourceRef.path(file.path),
      options: { partSize: MiB, forbidOverwrite: true },
      callback: yield* callbacks.ref("stored", { number: 1 })
    }
    const requests = join(folder, "requests.jsonl")
    Fs.writeFileSync(requests, `${UploadRequest.encode(request)}\n`)
    const database = `sqlite:${join(folder, "cluster.db")}`
    const setting = {
      database,
      ...Setting.of(oss),
      port: 0,
      log: join(folder, "log"),
      parts: 2,
      partsInRange: 2,
      rangesAtOnce: 2,
      objectsAtOnce: 2,
      job: "j",
      requests
    }
    const exits: Array<number | null> = []
    while (exits.at(-1) !== 0 && exits.length < 3) {
      const child = Programs.start("runner", setting)
      runner = child
      yield* Effect.async<void>((resume) => void child.once("exit", () => resume(Effect.void)))
      exits.push(child.exitCode)
    }
    const book = Effect.flatMap(Jobs, (jobs) =>
      Effect.all([jobs.progress("j"), jobs.receipts("j"), jobs.deadLetters("j")])
    )
    const [progress, receipts, letters] = yield* Effect.provide(book, SqlJobs.layer()).pipe(
      Effect.provide(Databases.client(database))
    )
    return { exits, told, progress, receipts, letters, file, pending: yield* oss.uploads() }
  }).pipe(Effect.scoped)

describe.skipIf(!Databases.hasSqlite)("a runner that is killed when its object is stored and before it knows", () => {
  for (const [what, size] of [
    ["of one part", MiB / 2],
    ["of several parts", 5 * MiB + 1]
  ] as const) {
    it.live(`${what} finds it, also where nothing may be overwritten`, () =>
      Effect.gen(function* () {
        const { exits, file, letters, pending, progress, receipts, told } = yield* trial(size)
        assert.deepStrictEqual(exits, [null, 0])
        assert.deepStrictEqual(letters, [])
        assert.deepStrictEqual(progress.objects, { total: 1, waiting: 0, stored: 1, failed: 0, callbackFailed: 1 })
        assert.deepStrictEqual([receipts[0]?.size, receipts[0]?.crc64], [size, file.crc64])
        assert.deepInclude(receipts[0]?.callback, { _tag: "Failed", reason: "AnswerLost" })
        assert.strictEqual(told, 1)
        assert.deepStrictEqual(pending, [])
      })
    )
  }
})
