/** Checkpoints in a database keep the contract of every store, on SQLite and on Postgres. */
import { afterAll, beforeAll } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlCheckpointStore from "../../adapters/cluster/SqlCheckpointStore.ts"
import { contract } from "../contracts/CheckpointStore.contract.ts"
import * as Databases from "./Databases.ts"

const scope = Effect.runSync(Scope.make())
const addresses: Record<string, string> = {}

beforeAll(async () => {
  for (const [engine, start] of Object.entries(Databases.engines)) {
    addresses[engine] = await Effect.runPromise(Scope.extend(start, scope))
  }
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

let tables = 0
for (const engine of Object.keys(Databases.engines)) {
  contract(`SqlCheckpointStore on ${engine}`, () =>
    Layer.suspend(() => {
      const table = `checkpoints_${tables++}`
      return SqlCheckpointStore.layer({ table }).pipe(
        Layer.provide(Databases.client(addresses[engine] ?? "")),
        Layer.orDie
      )
    })
  )
}
