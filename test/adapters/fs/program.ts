/**
 * Another process that uses a store in the folder it is given, for tests that kill it or let several race.
 * It tells what it does in lines on stdout, and is told what to do by lines on stdin.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { createInterface } from "node:readline"
import * as FsCheckpointStore from "../../../adapters/fs/FsCheckpointStore.ts"
import type { CheckpointError } from "../../../core/model/OssError.ts"
import type { Handle } from "../../../core/ports/CheckpointStore.ts"
import { checkpoint, identity } from "../../support/SampleCheckpoint.ts"

const [work, directory, amount = "1"] = process.argv.slice(2)
const store = FsCheckpointStore.make({ directory, onCorrupt: "fail" })
const tell = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const nextLine = Effect.promise(() => lines.next()).pipe(Effect.map(({ value }) => String(value)))
const createdIn = (handle: Handle) =>
  Effect.map(handle.load, Option.match({ onNone: () => 0, onSome: ({ created }) => created }))

const works: Record<string, Effect.Effect<unknown, CheckpointError>> = {
  /** Saves one checkpoint after another for ever, counting on from what was there. */
  save: Effect.gen(function* () {
    const handle = yield* store.acquire(identity)
    for (let n = (yield* createdIn(handle)) + 1; ; n++) {
      yield* handle.save(checkpoint(n, Number(amount)))
      yield* tell(String(n))
    }
  }).pipe(Effect.scoped),

  /** Adds 1 so many times, taking the lock for each and waiting while others have it. */
  increment: Effect.gen(function* () {
    const handle = yield* store.acquire(identity)
    yield* handle.save(checkpoint((yield* createdIn(handle)) + 1, 1))
  }).pipe(
    Effect.scoped,
    Effect.retry({ while: (error) => Effect.as(Effect.sleep(1 + Math.random() * 20), error.reason === "Locked") }),
    Effect.repeatN(Number(amount) - 1)
  ),

  /** At each moment it is told, tries once to take the lock; says how it went; gives back when told. */
  race: Effect.gen(function* () {
    yield* tell("ready")
    for (let line = yield* nextLine; line !== "end"; line = yield* nextLine) {
      const moment = Number(line)
      while (performance.timeOrigin + performance.now() < moment);
      yield* Effect.gen(function* () {
        const tried = yield* Effect.either(store.acquire(identity))
        yield* tell(Either.match(tried, { onLeft: (error) => error.reason, onRight: () => "won" }))
        yield* nextLine
      }).pipe(Effect.scoped)
      yield* tell("given back")
    }
  }),

  /** Saves checkpoints of growing size until one does not go. */
  grow: Effect.gen(function* () {
    const handle = yield* store.acquire(identity)
    for (let n = 1; ; n++) {
      yield* handle.save(checkpoint(n, n))
      yield* tell(String(n))
    }
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => tell(`${error.reason}: ${error.message}`))
  )
}

await Effect.runPromise(works[work ?? ""]!) // the tests name one of these
lines.return?.()
process.exit(0)
