/** The book of jobs in databases. */
import { afterAll, beforeAll, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Jobs from "../../adapters/cluster/jobs/Jobs.ts"
import * as SqlJobs from "../../adapters/cluster/jobs/SqlJobs.ts"
import { jobsContract } from "../contracts/Jobs.contract.ts"
import * as Databases from "./Databases.ts"

let books = 0

/** Tables of its own for each law, in one database. */
const suite = (start: Effect.Effect<string, never, Scope.Scope>) => {
  const scope = Effect.runSync(Scope.make())
  let address = ""
  beforeAll(async () => void (address = await Effect.runPromise(Scope.extend(start, scope))))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  jobsContract(
    Effect.suspend(() =>
      Layer.build(
        SqlJobs.layer({ prefix: `book${books++}` }).pipe(Layer.provide(Databases.client(address)), Layer.orDie)
      )
    ).pipe(
      Effect.map((context) => Context.get(context, Jobs.Jobs)),
      Scope.extend(scope)
    )
  )
}

describe.skipIf(!Databases.hasSqlite)("Jobs in SQLite", () => suite(Databases.sqlite))
describe.skipIf(!Databases.hasPostgres)("Jobs in Postgres", () => suite(Databases.postgres))
