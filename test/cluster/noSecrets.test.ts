/**
 * What is left in the database once uploads have ended, well and badly: searched byte by byte for what must not be there.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Fs from "node:fs"
import { join } from "node:path"
import * as Budget from "../../adapters/cluster/budget/Budget.ts"
import { Jobs } from "../../adapters/cluster/jobs/Jobs.ts"
import * as SqlJobs from "../../adapters/cluster/jobs/SqlJobs.ts"
import * as SourceRef from "../../adapters/cluster/sources/SourceRef.ts"
import * as Sources from "../../adapters/cluster/sources/Sources.ts"
import * as Runner from "../../adapters/cluster/upload/Runner.ts"
import * as UploadBatch from "../../adapters/cluster/upload/UploadBatch.ts"
import type { UploadRequest } from "../../adapters/cluster/upload/UploadRequest.ts"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../adapters/node/NodeCrypto.ts"
import * as NodeTransport from "../../adapters/node/NodeTransport.ts"
import type { Credentials } from "../../core/model/Credentials.ts"
import * as CredentialsProvider from "../../core/ports/CredentialsProvider.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import { Transport } from "../../core/ports/Transport.ts"
import * as OssClient from "../../core/programs/OssClient.ts"
import { bucket, callbacks, ObjectStored, url } from "./fleet/Contract.ts"
import * as Databases from "./Databases.ts"
import * as Engine from "./fleet/Engine.ts"
import * as Files from "./fleet/Files.ts"
import * as Postgres from "./Postgres.ts"

const MiB = 1024 * 1024
const wrongSecret = "aWrongSecretThatMustNotBeKept00"
const token = "CAISaTokenThatMustNotBeKept00"

/** What requests carry that must not be kept: signatures, and callbacks as they are encoded. */
const carried = new Set<string>()

const Overheard = Layer.effect(
  Transport,
  Effect.map(Transport, (transport) => ({
    send: (request: Parameters<typeof transport.send>[0]) => {
      for (const [name, value] of Object.entries(request.headers)) {
        if (name === "authorization") carried.add(/Signature=([0-9a-f]{64})/.exec(value)?.[1] ?? value)
        if (name.startsWith("x-oss-callback")) carried.add(value)
      }
      return transport.send(request)
    }
  }))
).pipe(Layer.provide(NodeTransport.layer()))

/** A batch of one job, by a runner with these keys, on this database. */
const batch = (
  job: string,
  database: string,
  oss: OssEmulator.Service,
  credentials: Credentials,
  requests: ReadonlyArray<UploadRequest>
) => {
  const { endpoint, region } = oss
  const ports = Layer.mergeAll(
    Overheard,
    NodeCrypto.layer,
    NodeFileSystem.layer,
    CredentialsProvider.layer(credentials)
  )
  const runner = Runner.layer({ callbacks, partsInRange: 2, patience: Schedule.recurs(0) }).pipe(
    Layer.provideMerge(SqlJobs.layer()),
    Layer.provideMerge(Engine.layer(database, 0)),
    Layer.provide(
      Layer.mergeAll(
        Budget.unlimited,
        Sources.layer({ region, endpoint }),
        OssClient.layer({ bucket, region, endpoint })
      )
    ),
    Layer.provide(ports)
  )
  return Effect.gen(function* () {
    const summary = yield* UploadBatch.workflow.execute({ job, requests })
    const letters = yield* Effect.flatMap(Jobs, (jobs) => jobs.deadLetters(job))
    return { summary, letters }
  }).pipe(Effect.provide(Layer.fresh(runner)))
}

describe.skipIf(!Databases.hasSqlite)("the database of a fleet", () => {
  it.live("holds neither keys nor tokens nor signatures nor encoded callbacks, however uploads ended", () =>
    Effect.gen(function* () {
      const folder = yield* Postgres.newFolder("secrets-")
      const oss = yield* OssEmulator.make({
        bucket,
        receivers: { [url]: CallbackReceiver.make(ObjectStored, ({ number }) => Effect.succeed({ number })) }
      }).pipe(Effect.provide(NodeCrypto.layer))
      const callback = yield* callbacks.ref("stored", { number: 1 })
      const requestOf = (name: string, size: number): UploadRequest => {
        const { key, path } = Files.make(join(folder, name), `${name}.bin`, size, 1)
        return { key, source: SourceRef.path(path), options: { partSize: MiB }, callback }
      }
      const requests = [requestOf("small", 100), requestOf("large", 3 * MiB + 1)]
      const database = join(folder, "cluster.db")
      const { credentials } = oss
      const ends = yield* Effect.forEach(
        [
          ["right", credentials],
          ["wrong", { ...credentials, accessKeySecret: Redacted.make(wrongSecret) }],
          ["token", { ...credentials, securityToken: Redacted.make(token) }]
        ] as const,
        ([job, keys]) => batch(job, `sqlite:${database}`, oss, keys, requests)
      )
      assert.deepStrictEqual(
        ends.map(({ summary }) => summary),
        [
          { stored: 2, failed: 0 },
          { stored: 0, failed: 2 },
          { stored: 0, failed: 2 }
        ]
      )
      assert.deepStrictEqual(
        ends.flatMap(({ letters }) => letters.map(({ failure }) => failure.code)),
        ["SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSecurityToken", "InvalidSecurityToken"]
      )

      // Tables, indexes, and what was deleted from them: the files as they are.
      const files = Fs.readdirSync(folder).filter((name) => name.startsWith("cluster.db"))
      const held = Buffer.concat(files.map((name) => Fs.readFileSync(join(folder, name)))).toString("latin1")
      assert.isAbove(carried.size, 10)
      const forbidden = [
        Redacted.value(credentials.accessKeySecret),
        credentials.accessKeyId,
        wrongSecret,
        token,
        "OSS4-HMAC-SHA256",
        "aliyun_v4",
        "x-oss-callback",
        "x-oss-signature",
        ...carried
      ]
      assert.deepStrictEqual(
        forbidden.filter((text) => held.includes(text)),
        []
      )
      // The search finds what is there.
      assert.include(held, "large.bin")
      assert.include(held, "SignatureDoesNotMatch")
    }).pipe(Effect.scoped)
  )
})
