/**
 * Random schedules of faults over all methods, in one process. `MODEL_RUNS` says how many, and `MODEL_SEED=random` makes them
 * others each time; a failing run prints its seed and path, which `MODEL_SEED` and `MODEL_PATH` replay.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Judgement from "./Judgement.ts"
import * as Scenario from "./Scenario.ts"
import * as World from "./World.ts"

const runs = Number(process.env["MODEL_RUNS"] ?? 120)
const replay = process.env["MODEL_SEED"] === "random" ? {} : { seed: Number(process.env["MODEL_SEED"] ?? 1) }
const path = process.env["MODEL_PATH"] === undefined ? {} : { path: process.env["MODEL_PATH"] }

const bytes = (size: number): Uint8Array => new Uint8Array(size).map((_, i) => Math.imul(i, 2654435761) >>> 24)

/** One upload with all its runs, and what is true of the world after it. */
const play = (world: Effect.Effect.Success<typeof World.make>, scenario: Scenario.Scenario, key: string) =>
  Effect.gen(function* () {
    const { checkpoints, emulator, lies, orphansTold, run, told } = world
    let content = bytes(scenario.size)
    yield* emulator.faults.clear
    yield* emulator.inject(...scenario.faults)
    if (scenario.chaosPercent > 0) {
      yield* emulator.faults.chaos({
        seed: scenario.chaosSeed,
        rate: scenario.chaosPercent / 100,
        faults: Scenario.chaosFaults
      })
    }
    const checkpoint = () => [...checkpoints].find(([identity]) => identity.includes(`"${key}"`))?.[1]
    const ends = [yield* run(scenario, key, content, scenario.cut)]
    const wasDone = Option.isSome(yield* emulator.object(key)) && checkpoint() === undefined
    if (scenario.method === "resumable") {
      if (scenario.isEdited && content.length > 0 && Option.isNone(yield* emulator.object(key))) {
        content = content.with(0, content[0]! ^ 1)
      }
      // It is run again until it is through; the last time, the trouble is over.
      for (let again = 0; again < 3 && !isOver(ends[ends.length - 1]!); again++) {
        if (again === 2) yield* emulator.faults.clear
        ends.push(yield* run({ ...scenario, fullDiskAt: undefined }, key, content, undefined))
      }
    }
    yield* emulator.faults.clear
    const stored = Option.getOrUndefined(yield* emulator.object(key))
    const pending = (yield* emulator.uploads())
      .filter(({ upload }) => upload.key === key)
      .map(({ parts, upload }) => ({ id: upload.uploadId, parts: parts.size }))
    const violations = Judgement.violations({
      scenario,
      content,
      ends,
      stored,
      told: told.get(key) ?? [],
      isBelied: lies.has(key),
      pending,
      orphansTold,
      checkpoint: checkpoint(),
      wasDone
    })
    const last = ends[ends.length - 1]!
    return { violations, ends, last, isStored: stored !== undefined }
  })

const isOver = (end: World.End): boolean =>
  end._tag === "Success" || (end._tag === "Failure" && end.error._tag === "CallbackFailed")

it(`an upload under any trouble leaves the truth behind: ${runs} runs`, async () => {
  const scope = Effect.runSync(Scope.make())
  const world = await Effect.runPromise(Scope.extend(World.make, scope))
  const seen = new Map<string, number>()
  let count = 0
  try {
    await fc.assert(
      fc.asyncProperty(Scenario.arbitrary, async (scenario) => {
        const { ends, isStored, last, violations } = await Effect.runPromise(play(world, scenario, `run-${count++}`))
        const name = last._tag === "Failure" ? last.error._tag : last._tag
        seen.set(name, (seen.get(name) ?? 0) + 1)
        // Run again without trouble, nothing keeps it from its end, unless it is there and must not be overwritten.
        if (scenario.method === "resumable" && !isOver(last) && !(scenario.forbidOverwrite && isStored)) {
          assert.fail(`never through: ${ends.map(World.describe).join(", then ")}`)
        }
        assert.strictEqual(violations.join("; "), "", ends.map(World.describe).join(", then "))
      }),
      { numRuns: runs, endOnFailure: true, interruptAfterTimeLimit: 3_600_000, ...replay, ...path }
    )
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
  console.log(
    [...seen]
      .sort(([, a], [, b]) => b - a)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ")
  )
}, 3_600_000)
