/** The book of jobs in memory. */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Jobs from "../../../adapters/cluster/jobs/Jobs.ts"
import { jobsContract } from "../../contracts/Jobs.contract.ts"

describe("Jobs in memory", () => jobsContract(Effect.sync(Jobs.makeMemory)))
